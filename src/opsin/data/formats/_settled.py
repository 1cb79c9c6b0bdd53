"""Holds boxes against their pictures, all at once, and says what is wrong with each.

Shapes: M boxes of all pictures (M, 4) as x1 y1 x2 y2; sizes (M, 2) as height, width.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SLACK = 0.5  # pixels beyond the picture that come from rounding and are cut without a word


def settle(raw: Floats, sizes: Floats) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
    """Return boxes (M, 4) cut to their pictures, and which have what fault, as places in M.

    ``sizes`` (M, 2) are heights and widths. Boxes that are named *not-a-number*, *empty-box* or
    *outside* mean nothing.

    >>> boxes, found = settle(np.array([[9.0, 2, 1, 20]]), np.array([[10.0, 30]]))
    >>> boxes.tolist(), {kind: places.tolist() for kind, places in found.items() if len(places)}
    ([[1.0, 2.0, 9.0, 10.0]], {'clipped': [0], 'mended': [0]})
    """
    wild: NDArray[np.bool_] = np.isfinite(raw).sum(axis=1) < 4
    raw = np.where(wild[:, None], 0, raw)
    limits = sizes[:, ::-1]  # (M, 2) width, height
    low, high = np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])  # (M, 2)
    cut = np.concatenate([np.clip(low, 0, limits), np.clip(high, 0, limits)], axis=1)
    with np.errstate(over="ignore"):
        boxes = cut.astype(np.float32)
    empty = ~wild & (low >= high).any(axis=1)
    outside = ~wild & ~empty & ((high <= 0) | (low >= limits)).any(axis=1)
    empty |= ~wild & ~outside & ~(boxes[:, :2] < boxes[:, 2:]).all(axis=1)
    good = ~(wild | empty | outside)
    clipped = good & (np.maximum(-low, high - limits) > SLACK).any(axis=1)
    masks = {
        "not-a-number": wild,
        "empty-box": empty,
        "outside": outside,
        "clipped": clipped,
        "mended": good & (raw[:, :2] > raw[:, 2:]).any(axis=1),
    }
    return boxes, {kind: np.flatnonzero(mask) for kind, mask in masks.items()}


def numbers(cells: Sequence[Any]) -> list[float] | None:
    """Return cells as numbers, None where one is not; True and "1_0" are none.

    >>> numbers(["1", 2.5]), numbers(["1", "x"]), numbers([1, None])
    ([1.0, 2.5], None, None)
    """
    if any(isinstance(cell, bool) or (isinstance(cell, str) and "_" in cell) for cell in cells):
        return None
    try:
        return [float(cell) for cell in cells]
    except (TypeError, ValueError, OverflowError):
        return None


def spelt(text: Any) -> str:
    """Return text that every file can hold; halves of a character pair are spelt out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def why(
    kind: str, raw: Floats, box: NDArray[np.float32], size: tuple[int, int], key: Hashable
) -> str:
    """Return what is wrong with a box, and what was done about it."""
    shape, picture = f"the box {said(raw)}", f"the picture of {size[1]} × {size[0]}"
    return {
        "no-picture": f"{shape} belongs to no picture that can be used; dropped",
        "no-class": f"{shape} is of the class {written(key)}, which has no name; dropped",
        "not-a-number": f"{shape} and its score hold something infinite or no number; dropped",
        "empty-box": f"{shape} has no area; dropped",
        "outside": f"{shape} lies outside {picture}; dropped",
        "clipped": f"{shape} reaches beyond {picture}; cut to {said(box)}",
        "mended": f"{shape} has its corners exchanged; taken as {said(box)}",
    }[kind]


def written(key: Hashable) -> str:
    """Return the key of a class as its file has it; of a file among several, the last part.

    >>> written((0, 99)), written((0, "7")), written(9.0)
    ('99', "'7'", '9')
    """
    own = key[-1] if isinstance(key, tuple) else key
    return f"{own:g}" if isinstance(own, float) else repr(own)[:40]


def said(box: Any) -> str:
    """Return the corners of a box as text.

    >>> said([0.5, 1, 20.25, 30])
    '0.5 1 20.25 30'
    """
    return " ".join(f"{float(edge):.6g}" for edge in box)
