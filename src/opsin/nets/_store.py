"""The blueprints of the known nets as they lie in the package: one line of JSON each.

``python -m opsin.nets._store`` draws them anew from the nets themselves; a contract test does the
same and compares. With them, sizes and costs are said in milliseconds: importing torch and its
zoos alone takes seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opsin.nets._blueprint import Blueprint
from opsin.nets._lineage import ORIGINS

FILE = Path(__file__).with_name("blueprints.jsonl")
# Sides of pictures every net is asked for; smaller ones may go another way, as in a net for digits
# that lays them in a frame.
SIDES = (20, 29, 32, 64, 97, 160, 299)


@dataclass(frozen=True, slots=True)
class Stored:
    """Is a known net: its blueprint, and where timm or torchvision publish its weights.

    ``published`` holds label, licence, repository and address, or nothing.
    """

    blueprint: Blueprint
    published: dict[str, str]


@cache
def lines() -> dict[str, str]:
    """Return the line of each net in the file, by name; the first line tells the versions."""
    texts = FILE.read_text(encoding="utf-8").splitlines() if FILE.is_file() else []
    return {json.loads(text.partition("\t")[0]): text.partition("\t")[2] for text in texts[1:]}


@cache
def stored(name: str) -> Stored | None:
    """Return a known net, or None.

    >>> found = stored("resnet18")  # 17 in the long way, 3 in the skips
    >>> found.blueprint.size, len([each for each in found.blueprint.layers if each.op == "conv"])
    ((224, 224), 20)
    """
    text = lines().get(name)
    if text is None:
        return None
    plain: dict[str, Any] = json.loads(text)
    return Stored(Blueprint.from_dict(plain["blueprint"]), plain["published"])


def versions() -> dict[str, str]:
    """Return the versions of the libraries that the blueprints were drawn with."""
    with FILE.open(encoding="utf-8") as stream:
        found: dict[str, str] = json.loads(stream.readline())
    return found


# ── drawing them ────────────────────────────────────────────────────────────────────────────────


def draw(name: str) -> str:
    """Return the line of a net, drawn from the net itself."""
    from opsin.nets import _remote
    from opsin.nets._sketch import lasting

    drawn = lasting(name, SIDES)
    published = _remote.known(name)
    where = {
        part: getattr(published, part)
        for part in ("label", "licence", "repository", "address")
        if published and getattr(published, part)
    }
    plain = {"blueprint": drawn.to_dict(), "published": where}
    return f"{json.dumps(name)}\t{json.dumps(plain, separators=(',', ':'), ensure_ascii=False)}"


def write() -> None:
    """Draw every known net and write the file."""
    import timm
    import torch
    import torchvision

    from opsin.files import write_text

    found = {each.__name__: each.__version__ for each in (torch, torchvision, timm)}
    write_text(FILE, "\n".join([json.dumps(found), *(draw(name) for name in ORIGINS)]) + "\n")


if __name__ == "__main__":
    write()
