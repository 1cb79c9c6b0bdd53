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

from opsin import proposals
from opsin.errors import DataError
from opsin.nets.detectors._detector import CLASS, PADDING, PROPOSAL
from opsin.results import Boxes, Result

MOST = 300  # proposals a picture


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
                expected=f"one of the {len(columns)} classes that are learnt",
                remedy="Give the training data an object of each class.",
            )
        numbers = [columns[name] for name in truth.names]
        row[: len(truth), :4] = torch.from_numpy(truth.boxes.copy())
        row[: len(truth), 4] = torch.tensor(numbers, dtype=torch.float32)
        row[: len(truth), 5] = torch.from_numpy(truth.ignored.astype(np.float32))
    return targets


def with_proposals(targets: Tensor, pixels: NDArray[np.uint8], way: str) -> Tensor:
    """Return targets (N, P + Q, 6) with what a way proposes in pictures (N, C, H, W)."""

    def propose(place: int) -> NDArray[np.float32]:
        picture = np.ascontiguousarray(pixels[place])
        rgb = np.repeat(picture, 3, 0) if len(picture) == 1 else picture
        return proposals.propose(way, rgb).boxes[:MOST]

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(propose, range(len(pixels))))
    more = _padded(len(pixels), max((len(boxes) for boxes in found), default=0))
    for row, boxes in zip(more, found, strict=True):
        row[: len(boxes), :4] = torch.from_numpy(boxes)
        row[: len(boxes), 4] = PROPOSAL
    return torch.cat([targets, more], dim=1)


def both(targets: Tensor, others: Tensor) -> Tensor:
    """Return the targets of pictures laid over others: all objects of both, (N, P + P', 6)."""
    return torch.cat([targets, others], dim=1)


def sides(targets: Tensor) -> NDArray[np.float64]:
    """Return the widths and heights (n, 2) of all objects that are not to be ignored."""
    rows = targets.reshape(-1, 6)
    rows = rows[(rows[:, CLASS] >= 0) & (rows[:, 5] == 0)]
    return (rows[:, 2:4] - rows[:, :2]).double().numpy()


def _padded(n: int, most: int) -> Tensor:
    """Return targets (n, P, 6) that say nothing; P is at least 1, so that there is a last axis."""
    targets = torch.zeros(n, max(1, most), 6)
    targets[..., CLASS] = PADDING
    return targets
