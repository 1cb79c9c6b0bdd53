"""Truths of boxes as one tensor for all pictures: what detectors learn from.

Shapes: N pictures, P boxes of the picture that has most; targets (N, P, 6) as in
``nets/detectors/_detector.py``: x1 y1 x2 y2 class flag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.errors import DataError
from opsin.nets.detectors._detector import CLASS, PADDING, PROPOSAL
from opsin.nets.detectors._given import searched
from opsin.results import Boxes, Result


def boxes_of(results: Sequence[Result]) -> list[Boxes]:
    """Return results as boxes; raise ``DataError`` for anything else."""
    found = [result for result in results if isinstance(result, Boxes)]
    if len(found) < len(results):
        other = next(result for result in results if not isinstance(result, Boxes))
        raise DataError(f"{other!r}", expected="boxes, what objects there are and where")
    return found


def encoded(truths: Sequence[Boxes], columns: Mapping[str, int]) -> Tensor:
    """Return targets (N, P, 6) of truths; ``columns`` are the numbers of the classes.

    Raises ``DataError`` for a class without a number.

    >>> one = Boxes(np.array([[0, 0, 4, 4]]), ("bee",))
    >>> encoded([one, Boxes(np.zeros((0, 4)))], {"ant": 0, "bee": 1}).tolist()
    [[[0.0, 0.0, 4.0, 4.0, 1.0, 0.0]], [[0.0, 0.0, 0.0, 0.0, -1.0, 0.0]]]
    """
    targets = _padded(len(truths), max((len(truth) for truth in truths), default=0))
    for row, truth in zip(targets, truths, strict=True):
        if unknown := [name for name in truth.names if name not in columns]:
            raise DataError(
                f"the class {unknown[0]!r}",
                expected=f"one of the classes that are learnt ({len(columns)})",
                remedy="Give the training data an object of each class.",
            )
        numbers = [columns[name] for name in truth.names]
        row[: len(truth), :4] = torch.from_numpy(truth.boxes.copy())
        row[: len(truth), 4] = torch.tensor(numbers, dtype=torch.float32)
        row[: len(truth), 5] = torch.from_numpy(truth.ignored.astype(np.float32))
    return targets


def proposed(pixels: NDArray[np.uint8], way: str) -> Tensor:
    """Return what a way proposes in pictures (N, C, H, W), as targets (N, Q, 6)."""
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda picture: searched(picture, way), pixels))
    targets = _padded(len(pixels), max((len(boxes) for boxes in found), default=0))
    for row, boxes in zip(targets, found, strict=True):
        row[: len(boxes), :4] = boxes
        row[: len(boxes), CLASS] = PROPOSAL
    return targets


def both(targets: Tensor, others: Tensor) -> Tensor:
    """Return targets (N, P, 6) and others (N, P', 6) as one, (N, P + P', 6)."""
    return torch.cat([targets, others], dim=1)


def _padded(n: int, most: int) -> Tensor:
    """Return targets (n, P, 6) that say nothing; P is at least 1, so that there is a last axis."""
    targets = torch.zeros(n, max(1, most), 6)
    targets[..., CLASS] = PADDING
    return targets
