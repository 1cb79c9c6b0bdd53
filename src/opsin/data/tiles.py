"""Large pictures cut into tiles, each with its boxes.

A picture, or each part of it, is covered by tiles of one size that overlap by at least a share of
their side; what is smaller than a tile is one. Parts may belong to splits: tiles lie inside of one
part, so that no pixel of a held-out part is learnt from. Tiles of one picture, or of what one split
has of it, are one group.

Shapes: N boxes (N, 4) as x1 y1 x2 y2; sizes are (height, width); an area is x1 y1 x2 y2 in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.decode import Facts, PictureError, full, look
from opsin.data.formats._pictures import stems
from opsin.data.sample import SPLITS, Sample
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing
from opsin.results import Boxes

if TYPE_CHECKING:
    Area = tuple[int, int, int, int]

SHOWN = 0.3  # share of a box below which nobody can be asked for it
LEAST = 2.0  # pixels of each side below which no net sees anything of it
JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}  # for what was a JPEG
PNG: dict[str, Any] = {
    "format": "PNG",
    "compress_level": 1,
}  # half the work of the usual level, 6 % more bytes
TIFF: dict[str, Any] = {"format": "TIFF", "compression": "tiff_adobe_deflate"}  # for a fourth band
WAYS = {".jpg": JPEG, ".png": PNG, ".tif": TIFF}


@dataclass(frozen=True, slots=True)
class Part:
    """Is a part of each picture: edges x1 y1 x2 y2 as shares of its sides, and its split or None.

    >>> Part((0.0, 0.0, 0.75, 1.0)).area((400, 1001))
    (0, 0, 751, 400)
    """

    edges: tuple[float, float, float, float]
    split: str | None = None

    def area(self, size: tuple[int, int]) -> Area:
        """Return the part of a picture in whole pixels; neighbours share their edge."""
        x1, y1, x2, y2 = self.edges
        height, width = size
        return round(x1 * width), round(y1 * height), round(x2 * width), round(y2 * height)

    def meets(self, other: Part) -> bool:
        """Say whether two parts have more in common than an edge."""
        (a1, b1, a2, b2), (c1, d1, c2, d2) = self.edges, other.edges
        return max(a1, c1) < min(a2, c2) and max(b1, d1) < min(b2, d2)


WHOLE = (Part((0.0, 0.0, 1.0, 1.0)),)


@dataclass(frozen=True, slots=True)
class Tiling:
    """Says how to cut: tiles of ``side`` pixels (None: each part as it is), their overlap, parts.

    Raises ``DataError`` for a side below 16, an overlap outside of 0..0.9, and parts that overlap.
    """

    side: int | None = None
    overlap: float = 0.2
    parts: tuple[Part, ...] = WHOLE

    def __post_init__(self) -> None:
        if self.side is not None and self.side < 16:
            raise DataError(f"tiles of {self.side} pixels", expected="a side of 16 or more")
        if not 0 <= self.overlap <= 0.9:
            raise DataError(f"an overlap of {self.overlap}", expected="a share from 0 to 0.9")
        for place, part in enumerate(self.parts):
            if any(part.meets(other) for other in self.parts[:place]):
                raise DataError("parts that overlap", expected="parts that have no pixel in common")

    def areas(self, size: tuple[int, int]) -> Iterator[tuple[Part, Area]]:
        """Yield the area of each tile of a picture, as one reads, part by part.

        >>> [area for _, area in Tiling(100, 0.1).areas((90, 250))]
        [(0, 0, 100, 90), (75, 0, 175, 90), (150, 0, 250, 90)]
        """
        for part in self.parts:
            x1, y1, x2, y2 = part.area(size)
            for top, low in _spans(y1, y2, self.side, self.overlap):
                for left, right in _spans(x1, x2, self.side, self.overlap):
                    yield part, (left, top, right, low)


def parts_of(line: str | None) -> tuple[Part, ...]:
    """Return the parts that a line names, the whole picture for None.

    Raises ``DataError`` for what is no part.

    >>> [(part.split, part.edges[0]) for part in parts_of("train 0 0 0.75 1, test 0.75 0 1 1")]
    [('train', 0.0), ('test', 0.75)]
    """
    return WHOLE if line is None else tuple(_part(words) for words in line.split(","))


def cut(data: Dataset, tiling: Tiling, folder: Path) -> Dataset:
    """Write tiles into a new folder, one picture in memory at a time; return them with their boxes.

    A tile's name ends in where it begins, as in ``field_320_0.png``. A box is cut at the edges of a
    tile; one of which less than 30 % is left is flagged *ignore*. The ledger names objects that no
    tile asks for, and pictures that cannot be read. Raises ``DataError`` for truths that are no
    boxes, and where there is something in the folder.
    """
    samples: list[Sample] = []
    problems: list[Problem] = []
    with folder_replacing(folder) as beside:
        for stem, sample in zip(stems(data.samples), data.samples, strict=True):
            truth = sample.truth
            if not isinstance(truth, Boxes):
                raise DataError(
                    f"the truth {truth} of {sample.called or stem}",
                    expected="boxes, which say what a tile shows",
                )
            try:
                image, ending = full(sample.image), _ending(look(sample.image))
            except PictureError as error:
                problems.append(Problem(error.kind, sample.called or stem, f"{error}; left out"))
                continue
            tiles = list(tiling.areas((image.height, image.width)))
            shown = [_boxes(truth, area) for _, area in tiles]
            for (part, area), boxes in zip(tiles, shown, strict=True):
                name = f"{stem}_{area[0]}_{area[1]}{ending}"
                image.crop(area).save(beside / name, **WAYS[ending])
                group = sample.group or sample.called or stem
                group += f", {part.split}" if part.split else ""  # parts are kept apart by edges
                split = part.split or sample.split
                samples.append(Sample(folder / name, boxes, split, group, name))
            problems += _unasked(truth, [area for _, area in tiles], sample.called or stem)
    return replace(data, samples=tuple(samples), ledger=(*data.ledger, *problems))


# ── where tiles lie ─────────────────────────────────────────────────────────────────────────────


def _spans(low: int, high: int, side: int | None, overlap: float) -> list[tuple[int, int]]:
    """Return where tiles begin and end from ``low`` to ``high``: as few as there must be, even."""
    length = high - low
    if side is None or length <= side:
        return [(low, high)] if length > 0 else []
    step = max(1, int(side * (1 - overlap)))
    count = 1 - (side - length) // step  # one, and a step for each that is begun
    starts = low + np.linspace(0, length - side, count).astype(int)
    return [(start, start + side) for start in starts.tolist()]


def _part(words: str) -> Part:
    """Return the part that is written as ``[SPLIT] x1 y1 x2 y2``."""
    split, *numbers = words.split() or [""]
    if split not in SPLITS:
        split, numbers = "", [split, *numbers]
    try:
        x1, y1, x2, y2 = (float(number) for number in numbers)
    except ValueError:
        x1 = y1 = x2 = y2 = 0.0
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        raise DataError(
            f"the part {words.strip()!r}",
            expected="x1 y1 x2 y2 as shares from 0 to 1, after train, validation, test or nothing",
            remedy="As in: --parts 'train 0 0 0.75 1, test 0.75 0 1 1'",
        )
    return Part((x1, y1, x2, y2), split or None)


# ── what tiles show ─────────────────────────────────────────────────────────────────────────────


def _boxes(truth: Boxes, area: Area) -> Boxes:
    """Return the boxes that an area shows something of, as they lie there."""
    inside, share = _shown(truth, area)
    seen = np.flatnonzero(((inside[:, 2:] - inside[:, :2]) >= LEAST).all(axis=1) | (share >= SHOWN))
    return Boxes(
        inside[seen] - (area[:2] * 2),
        tuple(truth.names[place] for place in seen),
        truth.scores[seen],
        tuple(truth.flags[k] or ("" if share[k] >= SHOWN else "ignore") for k in seen),
        (area[3] - area[1], area[2] - area[0]),
    )


def _shown(truth: Boxes, area: Area) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (N, 4) cut to an area of the picture, and which share of each is left, (N,)."""
    whole = truth.boxes.astype(np.float64)
    inside = whole.clip(area[:2] * 2, area[2:] * 2)
    all_of, left = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (whole, inside))
    return inside, np.where(all_of > 0, left / np.maximum(all_of, 1e-12), 0.0)


def _unasked(truth: Boxes, areas: Sequence[Area], called: str) -> Iterator[Problem]:
    """Name each object that tiles show something of and none enough to ask for."""
    shares = np.array([_shown(truth, area)[1] for area in areas]).reshape(len(areas), len(truth))
    best = shares.max(axis=0, initial=0.0)
    for place in np.flatnonzero((best > 0) & (best < SHOWN) & ~truth.ignored).tolist():
        box = " ".join(f"{edge:.6g}" for edge in truth.boxes[place].tolist())
        says = f"{truth.names[place]} at {box} is shown to {best[place]:.0%} at most; not asked for"
        yield Problem("in-pieces", called, says)


def _ending(facts: Facts) -> str:
    """Return what the name of a tile ends in."""
    if facts.bands == 4:
        return ".tif"
    return ".jpg" if facts.format == "JPEG" else ".png"
