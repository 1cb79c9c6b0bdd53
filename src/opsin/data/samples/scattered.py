"""Drawn pictures of none to three discs and squares each, with boxes: a first run of detectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Boxes

KINDS = ("disc", "square")
MOST = 3  # objects a picture
CLOSE = 0.1  # share of a box that another may cover


def read(n: int = 500, seed: int = 0, side: int = 64) -> Dataset:
    """Return ``n`` pictures (3, side, side) of 0 to 3 objects, an eighth to three eighths wide.

    >>> data = read(3, side=32)
    >>> [sample.truth.words() for sample in data.samples]
    ['nothing', 'nothing', '1 disc, 1 square']
    """
    return Dataset(tuple(_sample(i, seed, side) for i in range(n)), "scattered")


def _sample(index: int, seed: int, side: int) -> Sample:
    """Draw one picture; its draws depend on (seed, index) alone."""
    draws = np.random.default_rng((seed, index))
    picture = np.tile(draws.uniform(0, 90, (3, 1, 1)), (1, side, side))
    boxes: list[NDArray[np.float64]] = []
    names: list[str] = []
    for _ in range(draws.integers(0, MOST + 1)):
        wide = draws.integers(side // 8, 3 * side // 8 + 1)
        corner = draws.integers(0, side - wide + 1, 2)
        box = np.concatenate([corner, corner + wide]).astype(np.float64)
        if any(_covers(other, box) for other in boxes):
            continue
        name = KINDS[draws.integers(len(KINDS))]
        ink = draws.uniform(140, 255, (3, 1, 1))
        inside = _shape(name, box, side)  # (side, side)
        picture = picture + (ink - picture) * inside
        boxes.append(box)
        names.append(name)
    pixels = np.clip(picture + draws.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    truth = Boxes(np.array(boxes, np.float32).reshape(-1, 4), tuple(names), size=(side, side))
    return Sample(pixels, truth, name=f"scattered/{index}")


def _shape(name: str, box: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return how much of each pixel an object covers, (side, side)."""
    across, down = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
    (x, y), radius = (box[:2] + box[2:]) / 2, (box[2] - box[0]) / 2
    if name == "disc":
        return np.asarray(np.clip(radius - np.hypot(across - x, down - y) + 0.5, 0, 1))
    far = np.maximum(np.abs(across - x), np.abs(down - y))
    return np.asarray(np.clip(radius - far + 0.5, 0, 1))


def _covers(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Say whether two boxes share more than a little of the smaller one."""
    shared = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    area = min((box[2:] - box[:2]).prod() for box in (one, other))
    return bool(shared.clip(0).prod() > CLOSE * area)
