"""Anchors: boxes laid out over a picture before anything is known of it.

Three ways to choose their shapes: scales times ratios (Ren et al., Faster R-CNN, 2015, section
3.1.1), scales that grow from level to level (Liu et al., SSD, 2016, section 2.2), and clusters of a
user's own boxes (Redmon & Farhadi, YOLO9000, 2017, section 2, "Dimension Clusters").

Shapes: a map of h x w places, A shapes (A, 2) of width and height at each, n boxes of a user.
Anchors lie row by row, place by place, shape by shape: (h·w·A, 4), as a head's output
(B, A·4, h, w) reads once its channels are last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.errors import DataError
from opsin.ops import seeding

Floats = NDArray[np.float64]

STARTS = 4  # draws of first clusters; the best end counts
ROUNDS = 100  # at most, of moving clusters; they have come to rest before
MOST_BOXES = 20_000  # boxes that clusters are fitted to: more move them by less than a pixel


# ── fixed shapes ────────────────────────────────────────────────────────────────────────────────


def shapes(scales: Sequence[float], ratios: Sequence[float] = (0.5, 1.0, 2.0)) -> Tensor:
    """Return (A, 2), the width and height of anchors of area scale² and height / width ratio.

    >>> shapes([64], [1.0, 4.0]).tolist()
    [[64.0, 64.0], [32.0, 128.0]]
    """
    roots = torch.tensor([ratio**0.5 for ratio in ratios], dtype=torch.float64)
    sides = torch.tensor(list(scales), dtype=torch.float64)
    wide, high = sides[:, None] / roots, sides[:, None] * roots  # (scales, ratios)
    return torch.stack([wide, high], dim=-1).reshape(-1, 2).float()  # (A, 2)


def ssd_shapes(
    ratios: Sequence[Sequence[float]], smallest: float = 0.2, largest: float = 0.9
) -> list[Tensor]:
    """Return for each level the default boxes (A, 2) of SSD, as shares of the picture's sides.

    Level k has scale s_k between ``smallest`` and ``largest``: a square of s_k, one of
    √(s_k·s_{k+1}) (the last level's next scale is 1), and for each of its ``ratios`` a box with
    that width / height and one turned round.

    >>> [[round(side, 3) for side in box] for box in ssd_shapes([[2], []])[0].tolist()]
    [[0.2, 0.2], [0.424, 0.424], [0.283, 0.141], [0.141, 0.283]]
    """
    levels = len(ratios)
    steps = [smallest + (largest - smallest) * k / max(levels - 1, 1) for k in range(levels)]
    found = []
    for scale, larger, wanted in zip(steps, [*steps[1:], 1.0], ratios, strict=True):
        between = (scale * larger) ** 0.5
        boxes = [(scale, scale), (between, between)]
        for ratio in wanted:
            wide, high = scale * ratio**0.5, scale / ratio**0.5
            boxes += [(wide, high), (high, wide)]
        found.append(torch.tensor(boxes, dtype=torch.float32))
    return found


# ── laid out ────────────────────────────────────────────────────────────────────────────────────


def points(size: tuple[int, int], stride: float, offset: float = 0.5) -> Tensor:
    """Return (h·w, 2), x and y in pixels, of the places of a map; 0.5 is the middle of a cell.

    >>> points((1, 2), 16).tolist()
    [[8.0, 8.0], [24.0, 8.0]]
    """
    rows, columns = (torch.arange(n) + offset for n in size)
    y, x = torch.meshgrid(rows * stride, columns * stride, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)  # (h·w, 2)


def grid(shapes: Tensor, size: tuple[int, int], stride: float, offset: float = 0.5) -> Tensor:
    """Return anchors (h·w·A, 4) of ``shapes`` (A, 2) in pixels round each place of a map.

    >>> grid(torch.tensor([[32.0, 16.0]]), (1, 2), 16).tolist()
    [[-8.0, 0.0, 24.0, 16.0], [8.0, 0.0, 40.0, 16.0]]
    """
    middle = points(size, stride, offset).to(shapes)[:, None]  # (h·w, 1, 2)
    half = shapes[None] / 2  # (1, A, 2)
    return torch.cat([middle - half, middle + half], dim=-1).reshape(-1, 4)  # (h·w·A, 4)


# ── clusters ────────────────────────────────────────────────────────────────────────────────────


class Clusters(NamedTuple):
    """Holds shapes (k, 2), width and height, from the smallest area up, and how well they fit.

    ``fit`` is the mean over boxes of the IoU with the best shape, both laid on one corner.
    """

    shapes: Floats
    fit: float


def average_iou(sides: Floats, shapes: Floats) -> float:
    """Return the mean IoU of boxes (n, 2) with the best of shapes (k, 2), laid on one corner.

    >>> average_iou(np.array([[10.0, 10], [20, 10]]), np.array([[10.0, 10]]))
    0.75
    """
    return float(_likeness(sides, shapes).max(axis=1).mean())


def clusters(sides: Floats, k: int, *key: int) -> Clusters:
    """Return ``k`` shapes found among the widths and heights (n, 2) of a user's boxes.

    k-means with the distance 1 − IoU, so that large boxes do not count for more than small ones;
    the start is drawn by ``key`` as in k-means++ (Arthur & Vassilvitskii, 2007), the best of four
    taken. Raises ``DataError`` where there are fewer kinds of boxes than ``k``.

    >>> sides = np.array([[10.0, 10], [11, 11], [50, 100], [52, 98]])
    >>> clusters(sides, 2).shapes.tolist()
    [[10.0, 10.0], [52.0, 98.0]]
    """
    sides = _some(sides, *key)
    kinds = np.unique(sides, axis=0)
    if not 1 <= k <= len(kinds):
        raise DataError(
            f"{k} anchors wanted of {len(kinds)} different boxes",
            expected="at least 1, and no more than there are widths and heights",
            remedy=f"Take {len(kinds)} anchors, or fixed ones." if len(kinds) else "",
        )
    ends = [_settled(sides, _start(sides, k, *key, start)) for start in range(STARTS)]
    return max(ends, key=lambda end: end.fit)


def fits(sides: Floats, most: int = 9, *key: int) -> list[Clusters]:
    """Return clusters for k = 1 up to ``most``, whose fit never falls: YOLO9000's figure 2.

    Each k also starts from the shapes of k − 1 and the box these fit worst.

    >>> sides = np.array([[10.0, 10], [20, 10], [40, 80]])
    >>> [round(found.fit, 3) for found in fits(sides, 3)]
    [0.51, 0.833, 1.0]
    """
    sides = _some(sides, *key)
    found: list[Clusters] = []
    for k in range(1, min(most, len(np.unique(sides, axis=0))) + 1):
        ends = [clusters(sides, k, *key)]
        if found:
            worst = sides[_likeness(sides, found[-1].shapes).max(axis=1).argmin()]
            ends.append(_settled(sides, np.vstack([found[-1].shapes, worst])))
        found.append(max(ends, key=lambda end: end.fit))
    return found


def _some(sides: Floats, *key: int) -> Floats:
    """Return the sides (n, 2) that are larger than 0, at most so many of them."""
    sides = np.asarray(sides, np.float64)
    sides = sides[(sides > 0).all(axis=1) & np.isfinite(sides).all(axis=1)]
    if len(sides) <= MOST_BOXES:
        return sides
    draws = np.random.default_rng(seeding.number(*key))
    return sides[np.sort(draws.choice(len(sides), MOST_BOXES, replace=False))]


def _likeness(sides: Floats, shapes: Floats) -> Floats:
    """Return (n, k), the IoU of boxes (n, 2) and shapes (k, 2) laid on one corner."""
    shared = np.minimum(sides[:, None], shapes[None]).prod(axis=2)
    whole: Floats = sides.prod(axis=1)[:, None] + shapes.prod(axis=1)[None] - shared
    return np.asarray(shared / whole, np.float64)


def _start(sides: Floats, k: int, *key: int) -> Floats:
    """Draw ``k`` different boxes (k, 2), each likelier the less those before are like it."""
    draws = np.random.default_rng(seeding.number(*key))
    chosen = sides[[draws.integers(len(sides))]]
    while len(chosen) < k:
        far = np.square(1 - _likeness(sides, chosen).max(axis=1))
        far[far < 1e-24] = 0  # what is chosen already, but for the last digit
        if not far.any():
            far = (~(sides[:, None] == chosen[None]).all(axis=2).any(axis=1)).astype(np.float64)
        chosen = np.vstack([chosen, sides[draws.choice(len(sides), p=far / far.sum())]])
    return chosen


def _settled(sides: Floats, shapes: Floats) -> Clusters:
    """Move shapes to the mean of the boxes that are most like them until they rest.

    The mean is not the best of a cluster by IoU, so the best fit seen on the way is returned.
    """
    best, before = Clusters(shapes, -1.0), None
    for _ in range(ROUNDS):
        like = _likeness(sides, shapes)
        own, fit = like.argmax(axis=1), float(like.max(axis=1).mean())
        if fit > best.fit:
            best = Clusters(shapes, fit)
        if before is not None and (own == before).all():
            break
        before, count = own, np.bincount(own, minlength=len(shapes))[:, None]
        sums = np.stack([np.bincount(own, s, len(shapes)) for s in sides.T], axis=1)
        shapes = np.where(count > 0, sums / np.maximum(count, 1), shapes)
    order = np.argsort(best.shapes.prod(axis=1), kind="stable")
    return Clusters(best.shapes[order], best.fit)
