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
    return [_picture(torch.from_numpy(rows), classes) for rows in candidates]


def _picture(rows: torch.Tensor, classes: Sequence[str]) -> Boxes:
    """Return the boxes of one picture from its candidates (M, 4 + K)."""
    place, label = torch.nonzero(rows[:, 4:] > LEAST, as_tuple=True)
    finite = torch.isfinite(rows[place]).all(1)
    place, label = place[finite], label[finite]
    score = rows[place, 4 + label].clamp(max=1)
    if len(score) > LOOKED_AT:
        top = score.topk(LOOKED_AT).indices.sort().values
        place, label, score = place[top], label[top], score[top]
    corners = rows[place, :4]
    real = (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    corners, label, score = corners[real], label[real], score[real]
    kept = suppress.nms(corners, score, OVERLAP, classes=label, most=MOST)
    names = tuple(classes[number] for number in label[kept].tolist())
    return Boxes(corners[kept].numpy(), names, score[kept].numpy())
