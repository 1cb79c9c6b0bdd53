"""Drawn discs and how much of the picture they cover, in per cent: a first run with numbers."""

from __future__ import annotations

import math

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Value


def read(n: int = 500, seed: int = 0, side: int = 64) -> Dataset:
    """Return ``n`` pictures (3, side, side) of one disc each; the number is 2..50 (% covered).

    >>> data = read(3, side=32)
    >>> [round(sample.truth.value) for sample in data.samples], data.samples[0].image.shape
    ([33, 45, 6], (3, 32, 32))
    """
    return Dataset(tuple(_sample(i, seed, side) for i in range(n)), "discs")


def _sample(index: int, seed: int, side: int) -> Sample:
    """Draw one disc; its draws depend on (seed, index) alone."""
    draws = np.random.default_rng((seed, index))
    share = draws.uniform(2, 50)
    radius = side * math.sqrt(share / 100 / math.pi)
    x, y = draws.uniform(radius, side - radius, 2)
    across, down = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
    inside = np.clip(radius - np.hypot(across - x, down - y) + 0.5, 0, 1)  # soft edge, (side, side)
    paper, ink = draws.uniform(0, 110, (3, 1, 1)), draws.uniform(145, 255, (3, 1, 1))
    if draws.random() < 0.5:
        paper, ink = ink, paper
    picture = paper + (ink - paper) * inside + draws.normal(0, 6, (3, side, side))
    pixels = np.clip(picture, 0, 255).astype(np.uint8)  # (3, side, side)
    return Sample(pixels, Value(share), name=f"discs/{index}")
