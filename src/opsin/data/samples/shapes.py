"""Drawn pictures of five shapes in any colour, place, size and turn: a quick, clean first run."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Label

CORNERS = {"circle": 48, "pentagon": 5, "square": 4, "star": 10, "triangle": 3}
SMOOTH = 4  # drawn this much larger, then reduced, so that edges are soft


def read(n: int = 500, seed: int = 0, side: int = 64) -> Dataset:
    """Return ``n`` pictures (3, side, side), as many of each shape as of any other.

    >>> data = read(10, side=16)
    >>> data.classes, data.samples[0].image.shape
    (('circle', 'pentagon', 'square', 'star', 'triangle'), (3, 16, 16))
    """
    kinds = list(CORNERS)
    samples = (
        Sample(_draw(kinds[i % 5], i, seed, side), Label(kinds[i % 5]), name=f"shapes/{i}")
        for i in range(n)
    )
    return Dataset(tuple(samples), "shapes")


def _draw(
    kind: str, index: int, seed: int, side: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw one shape as (3, side, side); its draws depend on (seed, index) alone."""
    draws = np.random.default_rng((seed, index))
    paper, ink = _colours(draws)
    big = side * SMOOTH
    canvas = Image.new("RGB", (big, big), paper)
    radius = draws.uniform(0.22, 0.42) * big
    x, y = draws.uniform(radius, big - radius, 2)
    turn, corners = draws.uniform(0, 2 * math.pi), CORNERS[kind]
    points = []
    for corner in range(corners):
        reach = radius * (0.4 if kind == "star" and corner % 2 else 1.0)
        angle = turn + 2 * math.pi * corner / corners
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    ImageDraw.Draw(canvas).polygon(points, fill=ink)
    pixels = np.asarray(canvas.reduce(SMOOTH)).astype(np.int16)
    noisy = pixels + draws.normal(0, 6, pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8).transpose(2, 0, 1).copy()  # (3, side, side)


def _colours(draws: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two colours that can be told apart."""
    while True:
        paper, ink = draws.integers(0, 256, (2, 3)).tolist()
        if math.dist(paper, ink) > 120:
            return tuple(paper), tuple(ink)
