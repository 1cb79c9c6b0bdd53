"""Drawing the blueprints of all nets of timm and torchvision, for ``_zoo`` to read.

``python -m opsin.nets._draw_zoo WORK`` takes about a second a net. WORK is a file of lines that
grows, one a net: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

from torch import nn

from opsin.errors import SizeError
from opsin.files import append_line, replacing
from opsin.nets import _zoo
from opsin.nets._aliases import ALIASES
from opsin.nets._blueprint import Blueprint
from opsin.nets._build import _torchvision_names
from opsin.nets._describe import Description, describe
from opsin.nets._record import record
from opsin.nets._sketch import bare, native

Pair = tuple[int, int]
PROBES = (20, 32, 64, 97, 160, 299)  # sides of squares; two more pictures are no squares
# Sides people ask for: where no one blueprint holds for all sizes, there is one for each of these.
COMMON = (128, 192, 224, 256, 288, 320, 384, 448, 512)
PIECE = 4_000_000  # characters: unpacked in some 20 ms


# ── one net ─────────────────────────────────────────────────────────────────────────────────────


def draw(name: str) -> list[str]:
    """Return the lines of a net: its blueprint at its own size, then those at other sizes."""
    channels, usual, outputs = native(name)
    net = bare(name, channels, outputs)
    first = record(net, channels, usual, name)
    any_channels = _grey(first, name, outputs)
    high, wide = usual
    longer = ((high + 33, wide + 8), (high + 32, wide + 64), (2 * high, 2 * wide))
    if all(_holds(first, net, size) for size in longer):
        sides = [side for side in PROBES if (side, side) != usual]
        wrong = max((side for side in sides if not _holds(first, net, (side, side))), default=0)
        if wrong < min(usual):
            least = min(side for side in (*PROBES, *usual) if side > wrong)
            return _lines("any", any_channels, [replace(first, least=(least, least))])
    sizes = [(side, side) for side in COMMON if (side, side) != usual]
    others = [found for size in sizes if (found := _tried(net, first, size))]
    one = not others and not any(_tried(net, first, size) for size in longer)
    return _lines("one" if one else "some", any_channels, [first, *others])


def _lines(sizes: str, channels: bool, ways: Iterable[Blueprint]) -> list[str]:
    return [_zoo.Head(each.name, each.size, sizes, channels).before(each.line()) for each in ways]


def _tried(net: nn.Module, first: Blueprint, size: Pair) -> Blueprint | None:
    """Return the blueprint for pictures of ``size``; None where the net refuses them."""
    try:
        return record(net, first.channels, size, first.name)
    except SizeError:
        return None


def _holds(first: Blueprint, net: nn.Module, size: Pair) -> bool:
    """Say whether a blueprint says of pictures of ``size`` what the net itself says."""
    try:
        theirs = _said(_tried(net, first, size), size)
    except Exception:  # no refusal but a defect: who asks for it shall meet it
        return False
    ours = _said(first, size)
    return ours == theirs or (ours and ours.to_dict()) == (theirs and theirs.to_dict())


def _said(drawn: Blueprint | None, size: Pair) -> Description | None:
    """Return a net in numbers, None where pictures of ``size`` do not go through."""
    try:
        return describe(drawn, size) if drawn else None
    except SizeError:
        return None


def _grey(first: Blueprint, name: str, outputs: int) -> bool:
    """Say whether a blueprint holds for pictures of another number of channels, too."""
    other = 1 if first.channels != 1 else 3
    try:
        theirs = describe(record(bare(name, other, outputs), other, first.size, name))
    except Exception:  # whatever it is that such pictures meet
        return False
    return describe(first, channels=other).to_dict() == theirs.to_dict()


# ── all of them ─────────────────────────────────────────────────────────────────────────────────


def names() -> list[str]:
    """Return every name that needs a blueprint, in an order that is a sample wherever it ends.

    Of a net's tags those are there that stand for another size or other outputs than its name.
    """
    import timm

    theirs = [n for n in timm.list_models() if timm.model_entrypoint(n).__module__[:5] == "timm."]
    tags = [tag for tag in timm.list_pretrained() if notes(tag) != notes(arch(tag))]
    every = {*theirs, *tags, *_torchvision_names()} - {*ALIASES}
    return sorted(every, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def notes(name: str) -> tuple[object, ...]:
    """Return what timm's notes on the weights of a net say of its shape."""
    from timm.models import get_pretrained_cfg

    found = get_pretrained_cfg(name)
    return (found.input_size, found.num_classes, found.fixed_input_size) if found else ()


def arch(tag: str) -> str:
    """Return the name of a net whose weights have a tag: "resnet50" of "resnet50.a1_in1k"."""
    return tag.partition(".")[0]


def home(name: str) -> str:
    """Return the library and the module of a net: "timm/resnet"."""
    import timm
    from torchvision.models import get_model_builder

    known = timm.is_model(name)
    made = timm.model_entrypoint(name) if known else get_model_builder(name)
    return f"{'timm' if known else 'torchvision'}/{made.__module__.rpartition('.')[2]}"


def fill(work: Path) -> dict[str, list[str]]:
    """Draw what is missing in ``work`` and return the lines of each net, or the reason for none."""
    texts = work.read_text(encoding="utf-8").splitlines() if work.exists() else []
    told = [each for each in map(json.loads, texts) if each["versions"] == versions()]
    done = {each["name"]: each["lines"] for each in told}
    for name in names():
        if name in done:
            continue
        try:
            done[name] = draw(name)
        except Exception as error:  # each family has errors of its own
            done[name] = [f"{type(error).__name__}: {error}"]
        found = {"name": name, "versions": versions(), "lines": done[name]}
        append_line(work, json.dumps(found, ensure_ascii=False))
    return done


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed here."""
    return {library: _zoo.installed(library) for library in ("timm", "torchvision")}


def pack(done: dict[str, list[str]], path: Path) -> None:
    """Write what was drawn to the file that ``_zoo`` reads."""
    import timm

    drawn = {name: lines for name, lines in done.items() if lines[0].startswith("[")}
    pieces: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    room, piece = 0, ""
    for name in sorted(drawn, key=lambda name: (home(name), name)):
        if room <= 0 or home(name) != piece.partition(".")[0]:
            room, piece = PIECE, f"{home(name)}.{len(pieces)}"
        pieces.setdefault(piece, []).extend(drawn[name])
        places[name] = piece
        room -= sum(map(len, drawn[name]))
    index = {
        "versions": versions(),
        "pieces": places,
        "same": {tag: arch(tag) for tag in timm.list_pretrained() if tag not in done},
        "refused": {name: lines[0] for name, lines in done.items() if name not in drawn},
    }
    texts = {f"{piece}.tsv": "\n".join(lines) for piece, lines in pieces.items()}
    with replacing(path) as beside, ZipFile(beside, "w") as stored:
        for member, text in (("index.json", json.dumps(index, ensure_ascii=False)), *texts.items()):
            stored.writestr(ZipInfo(member), text, ZIP_LZMA)  # of 1980: the same bytes every time


def main(work: Path) -> None:
    """Draw all nets and write the file of the package."""
    pack(fill(work), _zoo.FILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
