"""Pictures that tasks draw themselves, to be tried and tested on without any file.

Shapes: pictures are uint8 (3, 48, 48).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Label, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 48
SIDES = {"disc": 60, "square": 4, "triangle": 3}


def shapes(n: int, seed: int) -> Dataset:
    """Draw ``n`` discs, squares and triangles of any colour, labelled with what they are.

    >>> shapes(6, seed=0).counts()
    {'disc': {'': 2}, 'square': {'': 2}, 'triangle': {'': 2}}
    """
    kinds = list(SIDES)
    samples = []
    for place in range(n):
        draws = np.random.default_rng((seed, place))
        kind = kinds[place % len(kinds)]
        picture = _polygon(draws, SIDES[kind], draws.uniform(11, 20))
        samples.append(Sample(picture, Label(kind), name=f"{kind}-{place}"))
    return Dataset(tuple(samples), name="shapes")


def discs(n: int, seed: int) -> Dataset:
    """Draw ``n`` discs of any colour, each with its diameter in pixels.

    >>> 8 <= discs(1, seed=0).samples[0].truth.value <= 44
    True
    """
    samples = []
    for place in range(n):
        draws = np.random.default_rng((seed, place))
        radius = draws.uniform(4, 22)
        picture = _polygon(draws, SIDES["disc"], radius)
        samples.append(Sample(picture, Value(2 * radius), name=f"disc-{place}"))
    return Dataset(tuple(samples), name="discs")


def _polygon(draws: np.random.Generator, sides: int, radius: float) -> NDArray[np.uint8]:
    """Draw one regular polygon, bright on dark or dark on bright, anywhere it fits, noise on it."""
    from PIL import Image, ImageDraw

    bright, dark = draws.integers(160, 256, 3), draws.integers(0, 96, 3)
    ground, ink = (bright, dark) if draws.random() < 0.5 else (dark, bright)
    middle = draws.uniform(radius + 1, SIDE - radius - 1, 2)
    turn = draws.uniform(0, 2 * math.pi)
    angles = turn + np.arange(sides) * 2 * math.pi / sides
    scale = 4  # drawn larger and reduced, so that edges are smooth and sizes finer than a pixel
    corners = scale * (middle + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    picture = Image.new("RGB", (SIDE * scale, SIDE * scale), tuple(int(c) for c in ground))
    ImageDraw.Draw(picture).polygon(
        [(float(x), float(y)) for x, y in corners], fill=tuple(int(c) for c in ink)
    )
    pixels = np.asarray(picture.reduce(scale), np.float64)
    noisy = pixels + draws.normal(0, 6, pixels.shape)
    return noisy.clip(0, 255).round().astype(np.uint8).transpose(2, 0, 1).copy()
