"""Drawn fields: dark discs to be found on rough ground, and dark squares that are none."""

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Boxes

LINE = "conv 5x5x8, pool 2, conv 3x3x16, pool 2, conv 3x3x24, global, dense 2"


def field(seed, side=160, discs=5, squares=5, radius=(9, 11)):
    """Draw one field with its truth: nothing touches anything else."""
    draws = np.random.default_rng(seed)
    picture = draws.normal(170, 12, (side, side))
    down, across = np.mgrid[:side, :side] + 0.5
    placed, boxes = [], []
    for kind in ["disc"] * discs + ["square"] * squares:
        for _ in range(200):
            r = draws.uniform(*radius)
            x, y = draws.uniform(r + 2, side - r - 2, 2)
            if all(np.hypot(x - a, y - b) > 34 for a, b in placed):
                break
        else:
            continue
        placed.append((x, y))
        far = np.hypot(across - x, down - y)
        if kind == "square":
            far = np.maximum(abs(across - x), abs(down - y))
        else:
            boxes.append([x - r, y - r, x + r, y + r])
        picture[far < r] = draws.normal(60, 8)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(np.stack([pixels, pixels // 2 + 40, pixels]))
    truth = Boxes(np.array(boxes).reshape(-1, 4), ("disc",) * len(boxes), size=(side, side))
    return Sample(image, truth, name=f"field-{seed}")


def fields(n, first=0, **settings):
    """Draw a data set of fields."""
    return Dataset(tuple(field(first + i, **settings) for i in range(n)), "fields")
