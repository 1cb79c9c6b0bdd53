"""The square that a classifier sees of an object: the object and some of what is round it.

Crops to learn from and patches to judge are cut by the same rule, so that objects are as large in
one as in the other. ``context`` is what is added on each side, as a share of the longer side.

Shapes: N boxes (N, 4) x1 y1 x2 y2 in pixels; sizes are (height, width).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsin.errors import RecipeError

Floats = NDArray[np.float32]
CONTEXT = 0.25  # half as much again: enough ground to tell an object from its like
WIDEST = 4.0  # a square nine times as wide as its object


def squares(boxes: NDArray[np.floating], size: tuple[int, int], context: float) -> Floats:
    """Return a square round each box, moved back where it leaves a picture of ``size``.

    >>> squares(np.array([[10, 10, 30, 20]]), (100, 100), 0.25).tolist()
    [[5.0, 0.0, 35.0, 30.0]]
    """
    centre, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    side = np.minimum(sides.max(axis=1, keepdims=True) * widening(context), min(size))  # (N, 1)
    room = np.array([size[1], size[0]]) - side
    corner = np.clip(centre - side / 2, 0, room)
    return np.concatenate([corner, corner + side], axis=1).astype(np.float32)


def objects(windows: NDArray[np.floating], context: float) -> Floats:
    """Return the boxes of objects of which windows (N, 4) show the context, too.

    >>> objects(np.array([[0, 0, 90, 90]]), 0.25).tolist()
    [[15.0, 15.0, 75.0, 75.0]]
    """
    centre, sides = (windows[:, :2] + windows[:, 2:]) / 2, windows[:, 2:] - windows[:, :2]
    half = sides / widening(context) / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def checked(context: float) -> float:
    """Return a context that can be; raise ``RecipeError`` for another."""
    if not 0 <= context <= WIDEST:
        raise RecipeError(f"context={context}", expected=f"a number from 0 to {WIDEST:g}")
    return context


def widening(context: float) -> float:
    """Return how much longer the side of a square is than that of its object."""
    return 1 + 2 * context
