"""Nets said in numbers: what ``opsin nets`` prints of one or of all, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from opsin.errors import InputError
from opsin.events import Event, follow
from opsin.nets import Description, catalogue, described
from opsin.nets._catalogue import row
from opsin.nets._grouped import Line, lines
from opsin.nets._lineage import ORIGINS
from opsin.nets._named import picture
from opsin.nets._rules import State
from opsin.nets._spec import parse
from opsin.nets._speeds import Speed
from opsin.report.axis import fit

MOST_BATCH = 1_000_000
SHOWN = 6  # remarks printed one by one; the rest is counted
LEAST = 10  # letters of a column that gives way where the terminal is narrow
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Listed:
    """Is the table of nets, the oldest first; ``rows`` are those of ``nets.catalogue``."""

    rows: list[dict[str, Any]]

    right = ("layers", "parameters", "multiply-adds", "sees", "images/s")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin nets --json`` prints."""
        return {"nets": self.rows}

    def table(self, width: int) -> Rows:
        """Return a row each net, fitted to so many letters; * stands for a remark."""
        rows = [_listed(each) for each in self.rows]
        return _fitted(rows, "paper", width, ("weights", "input", "images/s", "layers"))

    def notes(self) -> list[str]:
        """Return the remarks, and what the columns mean."""
        return [
            "",
            *(f"* {each['name']}: {each['remark']}." for each in self.rows if each["remark"]),
            "",
            "sees: pixels of the picture (a square) that one number of the last map depends on. "
            "images/s: measured here with --speed.",
            "Any other name of timm or torchvision works too. A net layer by layer: "
            "opsin nets vgg16 --input 224x224x3 --classes 9",
        ]


def _listed(net: dict[str, Any]) -> dict[str, str]:
    """Return a row of the catalogue in words."""
    seen, speed = net["receptive_field"], net["images_per_second"]
    return {
        "net": net["name"] + "*" * bool(net["remark"]),
        "year": str(net["year"]),
        "paper": net["paper"]["short"],
        "layers": str(net["layers"]),
        "parameters": f"{net['parameters']:,}",
        "multiply-adds": short(net["madds"]),
        "sees": _sides(seen) if seen else "?",
        "input": "×".join(map(str, [*net["size"], net["channels"]])),
        "weights": net["weights"].partition(" ")[0],
        "images/s": f"{speed:,.0f}" if speed else "",
    }


@dataclass(frozen=True)
class Described:
    """Is one net in numbers with its history, and the files that were written of it.

    ``about`` is its row of ``nets.catalogue``, empty for what is not there.
    """

    net: Description
    batch: int
    about: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    right = ("output", "parameters", "multiply-adds", "sees", "step")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin nets NAME --json`` prints; the layers are all told."""
        memory = {"batch": self.batch, "batch_activation_bytes": self.net.activations(self.batch)}
        return self.about | self.net.to_dict() | memory | {"files": list(self.files)}

    def table(self, width: int) -> Rows:
        """Return a row each layer, or each block of a long net, fitted to so many letters."""
        return _fitted([_told(line) for line in lines(self.net)], "what", width, ("step", "sees"))

    def notes(self) -> list[str]:
        """Return totals and remarks."""
        net, seen = self.net, self.net.field
        told = [
            "",
            f"{net.parameters:,} parameters ({memory(4 * net.parameters)} in float32), "
            f"{net.madds:,} multiply-adds for a picture, {net.depth} "
            f"layer{'s' * (net.depth > 1)} deep.",
        ]
        if seen:
            told.append(
                f"One number of the last map sees {_sides(seen.size)} pixels of the picture, its "
                f"neighbour {_sides(seen.stride)} further on; after global pooling, all of it."
            )
        told.append(
            f"Activations of a batch of {self.batch}: {memory(net.activations(self.batch))} in "
            "float32, what works in place not counted."
        )
        if net.unused:
            told.append(f"{net.unused:,} parameters have no part in a prediction.")
        return [*told, *_remarks(net), *self._history(), *self.files]

    def _history(self) -> list[str]:
        """Return the speed on this machine, the paper, and what a lecture says wrongly."""
        speed = self.about.get("images_per_second")
        told = [f"{speed:,.0f} images/s here, {self.about['runtime']}."] if speed else []
        remark = self.about.get("remark")
        return [*told, *self.paper, *([f"{remark}."] if remark else [])]

    @property
    def paper(self) -> list[str]:
        """Return where the net was published, in a line, or nothing."""
        paper = self.about.get("paper")
        if not paper:
            return []
        where = ", ".join(
            filter(None, [paper["venue"], paper["arxiv"] and f"arXiv {paper['arxiv']}"])
        )
        return [f"{paper['authors']}: {paper['title']}. {where}, {self.about['year']}."]


def _told(line: Line) -> dict[str, str]:
    """Return a layer or a block in words."""
    return {
        "layer": line.called,
        "what": line.what + (f", {line.times} times" if line.times > 1 else ""),
        "output": "×".join(map(str, line.state.hwc)),
        "parameters": f"{line.parameters:,}" if line.parameters else "",
        "multiply-adds": f"{line.madds:,}" if line.madds else "",
        "sees": _sees(line.state),
        "step": _sides(line.state.seen.stride) if line.state.seen else "",
    }


def _sees(state: State) -> str:
    if state.seen:
        return _sides(state.seen.size)
    return "all" if state.known else "?"


def _sides(pair: Sequence[int]) -> str:
    """Return "7", or "1×7" where height and width differ."""
    return "×".join(map(str, dict.fromkeys(pair)))


def _remarks(net: Description) -> list[str]:
    """Return which layers do not come out even; the same sentence once."""
    found: dict[str, list[str]] = {}
    for each in net.rows:
        for remark in each.remarks:
            found.setdefault(remark, []).append(each.layer.name)
    told = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {remark}."
        for remark, names in found.items()
    ]
    rest = len(told) - SHOWN
    return told[:SHOWN] + ([f"… and {rest} more sizes (--json tells all)."] if rest > 0 else [])


def _fitted(rows: Rows, column: str, width: int, spare: Sequence[str]) -> Rows:
    """Return rows of at most ``width`` letters: ``column`` is cut, and ``spare`` ones left out.

    >>> _fitted([{"a": "12345678", "b": "long words", "c": "1"}], "b", 20, ["c"])
    [{'a': '12345678', 'b': 'long words'}]
    """
    if not rows:
        return rows
    wide = {name: max(len(name), *(len(each[name]) for each in rows)) for name in rows[0]}
    kept, left = list(wide), list(spare)
    while left and sum(wide[n] + 2 for n in kept if n != column) + LEAST > width:
        kept.remove(left.pop(0))
    room = max(LEAST, width - sum(wide[name] + 2 for name in kept if name != column))
    return [
        {name: fit(each[name], room) if name == column else each[name] for name in kept}
        for each in rows
    ]


def short(number: float) -> str:
    """Return a number with three digits and a unit.

    >>> short(15_470_264_320), short(416_520), short(61_706_000)
    ('15.5 G', '417 k', '61.7 M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{number:.0f}"


def memory(size: int) -> str:
    """Return bytes in words.

    >>> memory(553_430_176), memory(1_800)
    ('553 MB', '1.80 kB')
    """
    return f"{short(size)}B" if size >= 1000 else f"{size} bytes"


@dataclass(frozen=True)
class Asked:
    """Is what is asked of a net: pictures "HxWxC", outputs, and a batch to count memory for."""

    input: str | None = None
    classes: int | None = None
    batch: int = 32


def list_nets() -> Listed:
    """Return the table of nets."""
    return Listed(catalogue())


def answer(net: str | None, spec: str | None, asked: Asked) -> Described:
    """Return a net in numbers: one with a name, a trained one, or the one of the line ``spec``.

    Raises what ``nets.described`` raises, and ``InputError`` for an input or a batch that is none.
    """
    if not 1 <= asked.batch <= MOST_BATCH:
        raise InputError(f"batch {asked.batch}", expected=f"1 to {MOST_BATCH:,}")
    size, channels = picture(asked.input) if asked.input is not None else (None, None)
    classes = asked.classes
    if net is not None and is_model(net):
        from opsin.model import Model

        model = Model.load(net)
        net, pre = model.net_name, model.preprocessing
        size, channels = size or pre.size, channels or pre.channels
        classes = classes or model.task.outputs
    drawn = parse(spec) if spec is not None else net or ""
    found = described(drawn, size=size, channels=channels, classes=classes)
    return Described(found, asked.batch, row(found.name) if found.name in ORIGINS else {})


def measure(names: Sequence[str], watch: Callable[[Event], None]) -> dict[str, Speed]:
    """Measure how many pictures a second nets take here, all known ones if none is named."""
    from opsin.runtimes._speed import measure_all

    return follow(measure_all(names or list(ORIGINS)), watch)


def is_model(net: str) -> bool:
    """Say whether a person points at a trained model: its file, or the folder of its run."""
    path = Path(net).expanduser()
    return path.suffix == ".safetensors" or (path / "model.safetensors").is_file()


def drawn(found: Described, out: str | Path) -> Described:
    """Draw a net into an SVG file; raise ``InputError`` or ``DataError`` where that cannot be."""
    from opsin.lessons.draw_net import draw_file

    path = draw_file(found.net, out, found.paper)
    return replace(found, files=(*found.files, str(path)))


def shown(
    found: Described, net: str | None, image: str | Path, out: str | Path, layer: str | None
) -> Described:
    """Write what a trained net sees in a picture to ``out``; raise as ``maps.draw_file`` does."""
    from opsin.lessons.maps import draw_file

    if net is None:
        raise InputError("maps of a net in a line", expected="a trained net")
    path = draw_file(net, image, out, layer=layer)
    return replace(found, files=(*found.files, str(path)))


def measured(found: Described, watch: Callable[[Event], None]) -> Described:
    """Return a net with its speed on this machine."""
    name = found.net.name
    speed = measure([name], watch).get(name)
    told = {"images_per_second": speed.rate, "runtime": speed.runtime} if speed else {}
    return replace(found, about=found.about | told)
