"""Drawn letters X and O, shifted, scaled, turned, heavy and light: what a linear classifier misses.

The harder pictures of the lecture's first net, which must say X or O whatever the hand did. Both
letters draw place, size, turn, pen, light and noise from the same ranges, so that none of them
tells which it is. A sum of weighted pixels gets nine of ten right; a small convolutional net all
but a few of a thousand, because it sees strokes and crossings wherever they are.

Shapes: a picture is (side, side), grey; points are (x, y) in pixels from the middle of the letter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LETTERS = ("O", "X")
HELD_OUT = 5  # one of five, in turn, is in the test split
CORNERS = np.array([(-1, -1), (1, 1), (1, -1), (-1, 1)])  # where an X begins and ends its strokes


def read(n: int = 3000, seed: int = 0, side: int = 28) -> Dataset:
    """Return ``n`` grey pictures (side, side), every second one an X, every fifth pair for testing.

    >>> data = read(20)
    >>> data.counts(), data.samples[0].image.shape
    ({'O': {'train': 8, 'test': 2}, 'X': {'train': 8, 'test': 2}}, (28, 28))
    """
    samples = (
        Sample(
            letter(LETTERS[i % 2], i, seed, side),
            Label(LETTERS[i % 2]),
            "test" if i // 2 % HELD_OUT == HELD_OUT - 1 else "train",
            name=f"x_or_o/{i}",
        )
        for i in range(n)
    )
    return Dataset(tuple(samples), "x_or_o")


def letter(name: str, index: int, seed: int = 0, side: int = 28) -> NDArray[np.uint8]:
    """Draw one letter, "X" or "O", as grey (side, side); its draws depend on (seed, index) alone.

    >>> picture = letter("O", 1)
    >>> picture.shape, picture.dtype.name
    ((28, 28), 'uint8')
    """
    draws = np.random.default_rng((seed, index))
    high = draws.uniform(0.2, 0.38) * side  # half the letter's height
    wide = high * draws.uniform(0.7, 1.0)
    pen = max(0.7, high * draws.uniform(0.08, 0.25))  # half a stroke; never thinner than a pixel
    room = max(0.0, side / 2 - math.hypot(high, wide))
    place = side / 2 + draws.uniform(-room, room, 2)
    turn = draws.uniform(-math.pi / 6, math.pi / 6)
    middles = np.arange(side) + 0.5
    x, y = middles - place[0], middles[:, None] - place[1]
    u, v = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    slips = draws.uniform(-0.15, 0.15, (4, 2))  # no hand ends a stroke where it meant to
    distance = _to_ring(u, v, wide, high)
    if name == "X":
        ends = (CORNERS + slips) * (wide, high)  # (4, 2)
        distance = np.minimum(_to_stroke(u, v, *ends[:2]), _to_stroke(u, v, *ends[2:]))
    inked = np.clip(pen - distance + 0.5, 0, 1)  # soft edge, (side, side)
    paper, ink = draws.uniform(0, 60), draws.uniform(150, 255)
    noise = draws.normal(0, draws.uniform(5, 25), (side, side))
    return np.clip(paper + (ink - paper) * inked + noise, 0, 255).astype(np.uint8)


def _to_stroke(x: Floats, y: Floats, start: Floats, end: Floats) -> Floats:
    """Return how far points are from the straight stroke between two others."""
    along = end - start
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    return np.asarray(np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1]))


def _to_ring(x: Floats, y: Floats, wide: float, high: float) -> Floats:
    """Return how far points are from an ellipse, to first order: |f| over the length of its slope.

    G. Taubin, "Estimation of Planar Curves, Surfaces, and Nonplanar Space Curves" (1991), eq. 2.
    """
    level = np.hypot(x / wide, y / high)
    slope = np.hypot(x / wide**2, y / high**2) / np.maximum(level, 1e-9)
    return np.asarray(np.abs(level - 1) / np.maximum(slope, 1e-9))
