"""From candidates to boxes: the sure ones, each object said once.

Shapes: N pictures, M candidates (N, M, 4 + K): x1 y1 x2 y2 and a score for each of K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from opsin.ops import suppress
from opsin.results import Boxes

LEAST = 0.01  # score below which nothing counts: it would only lengthen the tail of a curve
LOOKED_AT = 1000  # candidates, box and class, that may suppress each other
OVERLAP = 0.5  # IoU above which two boxes of one class are one object
MOST = 100  # boxes a picture, as in COCO


def boxes(candidates: NDArray[np.float32], classes: Sequence[str]) -> list[Boxes]:
    """Return the boxes of each picture, the surest first.

    >>> found = np.zeros((1, 3, 6), np.float32)
    >>> found[0] = [[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 9, 0.8, 0.3], [5, 5, 9, 9, 0, 0]]
    >>> [(row["label"], row["score"]) for row in boxes(found, ("ant", "bee"))[0].rows()]
    [('ant', 0.9), ('bee', 0.3)]
    """
    return [_picture(rows, classes) for rows in candidates]


def _picture(rows: NDArray[np.float32], classes: Sequence[str]) -> Boxes:
    """Return the boxes of one picture from its candidates (M, 4 + K)."""
    place, label = np.nonzero(rows[:, 4:] > LEAST)
    score, corners = rows[place, 4 + label], rows[place, :4]
    real = (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    real &= np.isfinite(corners).all(1) & np.isfinite(score)
    corners, label, score = corners[real], label[real], np.minimum(score[real], 1)
    if len(score) > LOOKED_AT:
        top = np.sort(np.argsort(-score, kind="stable")[:LOOKED_AT])
        corners, label, score = corners[top], label[top], score[top]
    found = torch.from_numpy(corners), torch.from_numpy(score)
    several = torch.from_numpy(label) if len(classes) > 1 else None
    kept = suppress.nms(*found, OVERLAP, classes=several, most=MOST).numpy()
    names = tuple(classes[number] for number in label[kept].tolist())
    return Boxes(corners[kept], names, score[kept])
