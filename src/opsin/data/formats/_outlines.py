"""The boxes of outlines: polygons, and masks as lengths of runs.

Runs follow COCO: a mask is read column by column, and its runs are lengths of zeros and ones in
turn, zeros first. As text, each number is written in groups of five bits, lowest first, from the
third number on as the difference from the one before the last (pycocotools, maskApi.c).

Shapes: H, W of the picture; a box is x1 y1 x2 y2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Box = tuple[float, float, float, float]

MOST_BITS = 60  # of a run


def box_of(outline: Any) -> Box | None:
    """Return the box around polygons (a list of x y x y …, or of such lists) or a mask in runs.

    None stands for what is neither, or empty.

    >>> box_of([[1, 2, 5, 2, 5, 9]]), box_of({"size": [3, 4], "counts": [4, 2, 6]})
    ((1.0, 2.0, 5.0, 9.0), (1.0, 1.0, 2.0, 3.0))
    """
    try:
        if isinstance(outline, dict):
            height, width = (int(side) for side in outline["size"])
            counts = outline["counts"]
            runs = list(unpacked(counts)) if isinstance(counts, str) else [int(n) for n in counts]
            return _around(runs, height, width)
        deep = bool(outline) and isinstance(outline[0], list)
        flat = [number for part in outline for number in part] if deep else outline
        return around(np.array(flat, np.float64))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return None


def around(points: np.ndarray) -> Box | None:
    """Return the box around points x y x y …; None for fewer than three."""
    if points.ndim != 1 or len(points) < 6 or len(points) % 2:
        return None
    x, y = points[::2], points[1::2]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def unpacked(text: str) -> Iterator[int]:
    """Yield the runs that a text stands for.

    >>> list(unpacked("52203"))
    [5, 2, 2, 2, 5]
    """
    runs: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > MOST_BITS:
            raise ValueError(f"{character!r} in runs")
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:  # another group follows
            continue
        if bits & 16:  # the highest bit of the last group is the sign
            number -= 1 << shift
        if len(runs) > 2:
            number += runs[-2]
        runs.append(number)
        yield number
        number = shift = 0


def _around(runs: Sequence[int], height: int, width: int) -> Box | None:
    """Return the box of the ones in a mask (H, W) of runs, column by column."""
    if min(runs, default=0) < 0 or height < 1 or sum(runs) != height * width:
        return None
    ends = np.cumsum(runs, dtype=np.int64)
    starts, ends = ends[0:-1:2], ends[1::2]  # of the runs of ones
    some = ends > starts
    starts, lasts = starts[some], ends[some] - 1
    if not len(starts):
        return None
    left, right = starts // height, lasts // height
    whole = bool((left != right).any())  # such a run goes over the lower edge to the upper one
    top = 0 if whole else int((starts % height).min())
    low = height if whole else int((lasts % height).max()) + 1
    return float(left.min()), float(top), float(right.max()) + 1.0, float(low)
