"""Boxes said and boxes true, of all pictures at once, and which of them lie on each other.

Columns instead of a list a picture: matching, curves and their bootstrap are then a few operations
on long arrays. A picture without boxes is simply never named.

Shapes: P boxes said, G boxes true, M pairs of them; boxes x1 y1 x2 y2 in pixels, continuous edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opsin.errors import DataError

Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]
Flags = NDArray[np.bool_]

BLOCK = 1 << 18  # pairs whose overlap is computed at once: they stay in the cache


class Said(NamedTuple):
    """Holds what a detector says: each box's picture and class (P,), box (P, 4) and score (P,)."""

    image: Indexes
    label: Indexes
    boxes: Floats
    scores: Floats


class Truths(NamedTuple):
    """Holds truths: each box's picture and class (G,), box (G, 4), area in square pixels (G,).

    ``crowd`` marks boxes round many objects, which any number of boxes may be said of; ``ignored``
    those that need not be found (VOC's difficult). Neither counts for or against a detector.
    """

    image: Indexes
    label: Indexes
    boxes: Floats
    area: Floats
    crowd: Flags
    ignored: Flags


def said(image: ArrayLike, label: ArrayLike, boxes: ArrayLike, scores: ArrayLike) -> Said:
    """Return columns of what is said; raise ``DataError`` where they do not fit each other.

    >>> said([0], [2], [[0, 0, 4, 4]], [0.9]).scores.tolist()
    [0.9]
    """
    columns = Said(_whole(image), _whole(label), _boxes(boxes), _real(scores))
    _hold(columns)
    return columns


def truths(
    image: ArrayLike,
    label: ArrayLike,
    boxes: ArrayLike,
    *,
    crowd: ArrayLike | None = None,
    ignored: ArrayLike | None = None,
    area: ArrayLike | None = None,
) -> Truths:
    """Return columns of truths; areas are those of the boxes where none are given (COCO's masks).

    Raises ``DataError`` where columns do not fit each other.

    >>> truths([0], [2], [[0, 0, 4, 5]]).area.tolist()
    [20.0]
    """
    array = _boxes(boxes)
    own = (array[:, 2:] - array[:, :2]).prod(axis=1) if area is None else _real(area)
    none = np.zeros(len(array), np.bool_)
    flags = (none if flag is None else np.asarray(flag, np.bool_) for flag in (crowd, ignored))
    columns = Truths(_whole(image), _whole(label), array, own, *flags)
    _hold(columns)
    return columns


def _whole(values: ArrayLike) -> Indexes:
    """Return whole numbers as a column."""
    return np.asarray(values, np.int64).reshape(-1)


def _real(values: ArrayLike) -> Floats:
    """Return numbers as a column."""
    return np.asarray(values, np.float64).reshape(-1)


def _boxes(values: ArrayLike) -> Floats:
    """Return boxes as (n, 4)."""
    return np.asarray(values, np.float64).reshape(-1, 4)


def _hold(columns: Said | Truths) -> None:
    """Raise ``DataError`` for columns of unequal length, or with numbers that are not finite."""
    named = columns._asdict()
    lengths = {name: len(column) for name, column in named.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{n} of {name}" for name, n in lengths.items())
        raise DataError(f"columns of boxes, {listed}", expected="as many of each")
    for name, column in named.items():
        if not np.isfinite(column).all():
            raise DataError(f"{name} of boxes that are not finite", expected="numbers")


# ── which lie on each other ─────────────────────────────────────────────────────────────────────


class Pairs(NamedTuple):
    """Holds pairs of a box said and a box true, (M,) indexes, and their IoU (M,).

    They come in the order of the boxes said, and of the truths for each. Of a crowd the IoU is the
    share of the box said that lies in it.
    """

    said: Indexes
    truth: Indexes
    iou: Floats

    def only(self, chosen: NDArray[np.generic]) -> Pairs:
        """Return the pairs at these places, or where this is true."""
        return Pairs(self.said[chosen], self.truth[chosen], self.iou[chosen])


def pairs(said: Said, truth: Truths, least: float, *, across: bool = False) -> Pairs:
    """Return the pairs in one picture, of one class unless ``across``, of IoU ``least`` or more.

    >>> box = [[0, 0, 4, 4]]
    >>> pairs(said([0, 1], [0, 0], box * 2, [1, 1]), truths([0], [0], [[2, 0, 6, 4]]), 0.1).iou
    array([0.33333333])
    """
    classes = 1 + max(said.label.max(initial=0), truth.label.max(initial=0))
    keys = [c.image * classes + (0 if across else c.label) for c in (said, truth)]
    order = np.argsort(keys[1], kind="stable")
    known = keys[1][order]
    start = np.searchsorted(known, keys[0], side="left")
    count = np.searchsorted(known, keys[0], side="right") - start
    total = np.concatenate([[0], np.cumsum(count)])
    found: list[Pairs] = []
    first = 0
    while first < len(count):
        last = int(np.searchsorted(total, total[first] + BLOCK, side="right")) - 1
        last = max(last, first + 1)
        one = np.repeat(np.arange(first, last), count[first:last])
        place = np.arange(len(one)) - (total[one] - total[first]) + start[one]
        found.append(_overlapping(said, truth, one, order[place], least))
        first = last
    none = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Pairs(*(np.concatenate(part) for part in zip(none, *found, strict=True)))


def _overlapping(said: Said, truth: Truths, one: Indexes, other: Indexes, least: float) -> Pairs:
    """Return those of pairs (m,) whose IoU is ``least`` or more, and these."""
    a, b = said.boxes, truth.boxes
    wide = np.minimum(a[one, 2], b[other, 2]) - np.maximum(a[one, 0], b[other, 0])
    meet = np.flatnonzero(wide > 0)
    one, other, wide = one[meet], other[meet], wide[meet]
    high = np.minimum(a[one, 3], b[other, 3]) - np.maximum(a[one, 1], b[other, 1])
    shared = wide * np.maximum(high, 0)
    own, their = ((c[at, 2] - c[at, 0]) * (c[at, 3] - c[at, 1]) for c, at in ((a, one), (b, other)))
    whole = np.where(truth.crowd[other], own, own + their - shared)
    iou = shared / np.maximum(whole, np.finfo(np.float64).tiny)
    kept = iou >= least
    return Pairs(one[kept], other[kept], iou[kept])
