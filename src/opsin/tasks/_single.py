"""Truths and answers that are one box a picture: beside each other, and as linear heads give them.

Shapes: N pictures, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.results import Boxes, Result
from opsin.tasks._task import Head

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

UNIT = 100.0  # pixels that a box's numbers are learnt in


def alone(truth: Result | None) -> bool:
    """Say whether a truth is one box."""
    return isinstance(truth, Boxes) and len(truth) == 1


def one(truth: Result | None, called: str = "") -> Boxes:
    """Return a truth that is one box; raise ``DataError`` for any other, of a picture so called."""
    if not isinstance(truth, Boxes) or len(truth) != 1:
        found = f"{len(truth)} boxes" if isinstance(truth, Boxes) else f"{truth!r}"
        raise DataError(
            f"{found} in {called or 'a picture'}",
            expected="one object a picture",
            remedy="Use --task detect, which finds any number of objects.",
        )
    return truth


def corners(ones: Sequence[Boxes]) -> Array:
    """Return the boxes (N, 4)."""
    return np.concatenate([np.zeros((0, 4), np.float32), *(one.boxes for one in ones)])


def judged(results: Sequence[Result], truths: Sequence[Result]) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each class is right, and the IoU of each box with the true one, (N,)."""
    said, true = [one(result) for result in results], [one(truth) for truth in truths]
    if not len(said) == len(true) > 0:
        raise DataError(
            f"{len(said)} answers and {len(true)} truths",
            expected="a box and its truth for each of at least one picture",
        )
    right = np.array([a.names == b.names for a, b in zip(said, true, strict=True)])
    a, b = corners(said).astype(np.float64), corners(true).astype(np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    whole = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared
    return right, np.where(whole > 0, shared / np.maximum(whole, 1e-9), 0.0)


def ridges(features: Array, ones: Sequence[Boxes]) -> list[Head]:
    """Return a ridge regression for each of the four numbers of a box."""
    from opsin.tasks import _ridge

    box = corners(ones).astype(np.float64)
    middle, sides = (box[:, :2] + box[:, 2:]) / 2, box[:, 2:] - box[:, :2]
    numbers = np.concatenate([middle, sides], axis=1) / UNIT  # (N, 4)
    return [_ridge.solve(features, column) for column in numbers.T]


def joined(heads: Sequence[Head], k: int) -> Head:
    """Return heads as one; where there is one class alone, its score is always 0."""
    weight = np.concatenate([head.weight for head in heads])
    bias = np.concatenate([head.bias for head in heads])
    outputs = np.concatenate([head.outputs for head in heads if len(head.outputs)], axis=1)
    if k == 1:
        weight, bias = np.pad(weight, ((1, 0), (0, 0))), np.pad(bias, (1, 0))
        outputs = np.pad(outputs, ((0, 0), (1, 0)))
    return Head(weight, bias, outputs, "; ".join(dict.fromkeys(head.note for head in heads)))
