"""From one format to another, with a ledger of what came along and what did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsin.data import formats, tiles
from opsin.data.dataset import Dataset
from opsin.data.formats._gathered import DROPPED
from opsin.data.sample import shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.figures import count
from opsin.files import folder_replacing, sweep
from opsin.results import Boxes

TILED = {"coco": "boxes.json", "table": "boxes.csv"}  # formats that hold groups, and their file


@dataclass(frozen=True, slots=True)
class Converted:
    """Says what was written where, and what was cut, mended, dropped or could not be held."""

    out: Path
    to: str
    images: int
    boxes: int
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "out": shown(self.out),
            "to": self.to,
            "images": self.images,
            "boxes": self.boxes,
            "dropped": sum(problem.kind in DROPPED for problem in self.problems),
            "problems": [problem.to_dict() for problem in self.problems],
        }

    def lines(self) -> Iterator[str]:
        """Yield what there is to say, a line each."""
        boxes = f" with {count(self.boxes, 'box')}" if self.boxes else ""
        yield f"{shown(self.out)}: {count(self.images, 'picture')}{boxes} as {self.to}"


def convert(data: Dataset, to: str, out: Path, tiling: tiles.Tiling | None = None) -> Converted:
    """Write ``data`` in the format ``to`` and return what came of it.

    With a ``tiling``, ``out`` is a new folder with the tiles in ``images`` and a file of boxes.
    Raises ``DataError`` where there is something at ``out`` already, and for what the format
    cannot hold.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DataError(
            f"{shown(out)}, where there is something already",
            expected="a new file or folder",
            remedy="Remove it, or choose another --out.",
        )
    endings = getattr(formats.find(to), "ENDINGS", ())  # of a format that is one file
    if tiling is None and endings and out.suffix.lower() not in endings:
        raise DataError(
            f"{shown(out)} for {to}",
            expected=f"a file that ends in {', '.join(endings)}",
            remedy="It would not be known for what it is when it is read.",
        )
    sweep(out)
    if tiling is None:
        lost = formats.write(data, out, to)
    else:
        data, lost = _tiled(data, to, out, tiling)
    boxes = sum(len(s.truth) for s in data.samples if isinstance(s.truth, Boxes))
    boxes -= sum(problem.kind == "not-kept" and problem.path != out.name for problem in lost)
    return Converted(out, to, len(data), boxes, data.ledger + lost)


def _tiled(
    data: Dataset, to: str, out: Path, tiling: tiles.Tiling
) -> tuple[Dataset, tuple[Problem, ...]]:
    """Write tiles and their boxes into a new folder, whole or not at all; return both ledgers."""
    if to not in TILED:
        raise DataError(
            f"tiles as {to}",
            expected="a format that holds which tiles are of one picture",
            remedy=f"Write {' or a '.join(TILED)}.",
        )
    with folder_replacing(out) as beside:
        cut = tiles.cut(data, tiling, beside / "images")
        return cut, formats.write(cut, beside / TILED[to], to)
