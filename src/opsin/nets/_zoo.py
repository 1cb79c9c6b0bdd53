"""The blueprints of all nets of timm and torchvision, compressed, as they lie in the package.

``python -m opsin.nets._draw_zoo`` draws them. The file is a zip of lines: nets of one module side
by side, since they are much alike, and few in a piece, since a piece is unpacked to read one of
them. A blueprint counts where its library is installed in the very version it was drawn with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import ZipFile

from opsin.errors import SizeError
from opsin.nets._blueprint import Blueprint

FILE = Path(__file__).with_name("zoo.zip")
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Index:
    """Is what lies in the file: the piece with the blueprints of each name, "timm/resnet.0".

    ``same`` holds names with a tag under the name that is drawn; ``refused`` why others are not.
    """

    versions: Mapping[str, str]
    pieces: Mapping[str, str]
    same: Mapping[str, str]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """Is what goes before a blueprint: the net and its size (h, w), and what else it holds for.

    ``sizes`` are "any" from its least on, "one" where the net takes no other, else "some";
    ``channels`` says whether it holds for any number of them.
    """

    name: str
    size: Pair
    sizes: str
    channels: bool

    def before(self, blueprint: str) -> str:
        """Return the line of the file."""
        told = [self.name, self.size, self.sizes, self.channels]
        return f"{json.dumps(told, separators=(',', ':'))}\t{blueprint}"


def find(name: str, size: Pair | None = None, channels: int | None = None) -> Blueprint | None:
    """Return the blueprint of a net for pictures of ``size`` (h, w), None where there is none.

    Raises ``SizeError`` where the net takes pictures of another size only.

    >>> drawn = find("resnet26")
    >>> drawn is None or drawn.size  # None where another timm is installed
    (224, 224)
    """
    ways = lines(name)
    if not ways:
        return None
    first, text = ways[0]
    drawn = _blueprint(name, text)
    if channels not in (None, drawn.channels) and not first.channels:
        return None
    if size in (None, first.size):
        return drawn
    assert size is not None
    if first.sizes == "any":
        return drawn if min(size) >= drawn.least[0] else None
    if first.sizes == "one":
        raise only(f"{size[0]}×{size[1]} pixels for {name}", first.size)
    found = next((text for head, text in ways if head.size == size), None)
    return _blueprint(name, found) if found else None


def _blueprint(name: str, text: str) -> Blueprint:
    return replace(Blueprint.from_dict(json.loads(text)), name=name)


def only(received: str, usual: Pair) -> SizeError:
    """Return the error for pictures of a size that a net does not take, which takes ``usual``."""
    return SizeError(received, expected=f"a size this net takes, as {usual[0]}×{usual[1]}")


def lines(name: str) -> list[tuple[Head, str]]:
    """Return what is drawn of a net, the blueprint for its own size first, or nothing."""
    found = index()
    drawn = found.same.get(name, name)
    piece = found.pieces.get(drawn)
    library = (piece or "").partition("/")[0]
    if piece is None or installed(library) != found.versions[library]:
        return []
    with ZipFile(FILE) as stored:
        texts = stored.read(f"{piece}.tsv").decode().splitlines()
    start = f'["{drawn}",'
    return [_line(text) for text in texts if text.startswith(start)]


def _line(text: str) -> tuple[Head, str]:
    head, _, rest = text.partition("\t")
    name, size, sizes, channels = json.loads(head)
    return Head(name, (size[0], size[1]), sizes, channels), rest


@cache
def index() -> Index:
    """Return what lies in the file."""
    if not FILE.is_file():
        return Index({}, {}, {}, {})
    with ZipFile(FILE) as stored:
        return Index(**json.loads(stored.read("index.json")))


def installed(library: str) -> str:
    """Return the version of a library that is installed here, without what it was built for.

    >>> installed("torch") == installed("torch").partition("+")[0]
    True
    """
    try:
        return version(library).partition("+")[0]
    except PackageNotFoundError:
        return ""
