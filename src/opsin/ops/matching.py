"""Which anchor answers for which true box, and which answer for none.

Every rule returns matches (A,) of whole numbers: the index of a true box, ``NEGATIVE`` for
background, or ``UNJUDGED`` for what shall not count. The rules:

    by_iou    thresholds, and a forced best match: Ren et al., Faster R-CNN, 2015, section 3.1.2;
              Liu et al., SSD, 2016, section 2.2
    atss      thresholds from the statistics of near anchors: Zhang et al., Bridging the Gap Between
              Anchor-based and Anchor-free Detection, 2020, algorithm 1
    simota    as many of the cheapest as a box's overlaps sum up to: Ge et al., YOLOX, 2021, 2.4
    by_centre the smallest box a point lies in: Tian et al., FCOS, 2019, section 3.1

Shapes: A anchors or points, T true boxes, C crowds; qualities (T, A), such as IoU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from opsin.ops import boxes as box

NEGATIVE, UNJUDGED = -1, -2


# ── by thresholds ───────────────────────────────────────────────────────────────────────────────


def by_iou(
    quality: Tensor,
    low: float,
    high: float,
    *,
    force: Literal["none", "best", "each"] = "none",
) -> Tensor:
    """Return matches (A,) from qualities (T, A): at least ``high`` is a match, below ``low`` none.

    Between them an anchor is unjudged. ``force`` adds matches of less: "best" gives every anchor
    that is the best of some box to the box that is best for it (Faster R-CNN); "each" gives every
    box one anchor of its own, best pairs first, as far as there are any that overlap it (SSD).

    >>> quality = torch.tensor([[0.8, 0.4, 0.1], [0.0, 0.2, 0.3]])
    >>> by_iou(quality, 0.3, 0.7).tolist(), by_iou(quality, 0.5, 0.5, force="each").tolist()
    ([0, -2, -2], [0, -1, 1])
    """
    if not len(quality):
        return quality.new_full(quality.shape[1:], NEGATIVE, dtype=torch.int64)
    value, best = quality.max(dim=0)  # (A,)
    matches = best.clone()
    matches[value < high] = UNJUDGED
    matches[value < low] = NEGATIVE
    if force == "best" and quality.shape[1]:
        highest = quality.max(dim=1, keepdim=True).values  # (T, 1)
        forced = ((quality == highest) & (highest > 0)).any(dim=0)
        matches[forced] = best[forced]
    elif force == "each":
        truths, anchors = _one_each(quality)
        matches[anchors] = truths
    return matches


def _one_each(quality: Tensor) -> tuple[Tensor, Tensor]:
    """Return pairs of a truth and an anchor, each in one pair at most, greedily by quality.

    Only the T best anchors of a truth can be its own: at most T − 1 of them are taken by others.
    """
    t, a = quality.shape
    values, places = quality.topk(min(t, a), dim=1)  # (T, T)
    order = values.flatten().argsort(descending=True, stable=True).tolist()
    values, places = values.flatten(), places.flatten()
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for at in order:
        truth, anchor = at // min(t, a), int(places[at])
        if truth not in pairs and anchor not in taken and values[at] > 0:
            pairs[truth] = anchor
            taken.add(anchor)
    found = quality.new_tensor([list(pairs), list(pairs.values())], dtype=torch.int64)
    return found[0], found[1]


def spare(matches: Tensor, anchors: Tensor, crowds: Tensor, share: float = 0.5) -> Tensor:
    """Return matches (A,) where background in a crowd, or in a box to ignore, is unjudged.

    An anchor (A, 4) lies in a crowd (C, 4) if at least ``share`` of its area does.

    >>> spare(torch.tensor([-1, -1]), torch.tensor([[0.0, 0, 4, 4], [8, 0, 12, 4]]),
    ...       torch.tensor([[0.0, 0, 9, 9]])).tolist()
    [-2, -1]
    """
    if not len(crowds) or not len(anchors):
        return matches
    inside = box.covered(anchors, crowds).max(dim=1).values >= share  # (A,)
    return torch.where(inside & (matches == NEGATIVE), UNJUDGED, matches)


# ── by points ───────────────────────────────────────────────────────────────────────────────────


def inside(points: Tensor, truths: Tensor) -> Tensor:
    """Return (T, A), whether points (A, 2) lie within true boxes (T, 4), edges not counted.

    >>> inside(torch.tensor([[5.0, 5], [15, 5]]), torch.tensor([[0.0, 0, 10, 10]])).tolist()
    [[True, False]]
    """
    low = points[None] > truths[:, None, :2]
    high = points[None] < truths[:, None, 2:]
    return (low & high).all(dim=2)


def around(truths: Tensor, strides: Tensor, radius: float = 2.5) -> Tensor:
    """Return (T, A, 4), squares of ``radius`` strides (A,) to each side of the boxes' centres.

    YOLOX takes a point as a candidate if it lies in a box or in such a square.

    >>> around(torch.tensor([[0.0, 0, 10, 20]]), torch.tensor([8.0]), 1.0).tolist()
    [[[-3.0, 2.0, 13.0, 18.0]]]
    """
    middle = box.centres(truths)[:, None]  # (T, 1, 2)
    reach = (radius * strides)[None, :, None]  # (1, A, 1)
    return torch.cat([middle - reach, middle + reach], dim=2)  # (T, A, 4)


def near_centre(points: Tensor, truths: Tensor, strides: Tensor, radius: float = 2.5) -> Tensor:
    """Return (T, A), whether points lie within ``radius`` strides (A,) of a box's centre.

    >>> near_centre(torch.tensor([[5.0, 5], [40, 5]]), torch.tensor([[0.0, 0, 10, 10]]),
    ...             torch.tensor([8.0, 8.0])).tolist()
    [[True, False]]
    """
    squares = around(truths, strides, radius)
    return ((points[None] > squares[..., :2]) & (points[None] < squares[..., 2:])).all(dim=2)


def by_centre(points: Tensor, truths: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return matches (A,): each point answers for the smallest true box (T, 4) it lies in.

    ``allowed`` (T, A) may rule pairs out, such as boxes of another level's size.

    >>> by_centre(torch.tensor([[5.0, 5], [20, 20]]),
    ...           torch.tensor([[0.0, 0, 30, 30], [0, 0, 10, 10]])).tolist()
    [1, 0]
    """
    if not len(truths):
        return points.new_full(points.shape[:1], NEGATIVE, dtype=torch.int64)
    may = inside(points, truths) if allowed is None else inside(points, truths) & allowed
    sizes = box.area(truths)[:, None].expand(may.shape).masked_fill(~may, torch.inf)
    smallest, which = sizes.min(dim=0)  # (A,)
    return which.masked_fill(smallest.isinf(), NEGATIVE)


# ── by what is predicted, or by statistics ──────────────────────────────────────────────────────


def simota(iou: Tensor, cost: Tensor, candidates: Tensor, top: int = 10) -> Tensor:
    """Return matches (A,): each true box takes its k cheapest candidates.

    ``iou`` and ``cost`` are (T, A), of predictions with truths; ``candidates`` (T, A) or (A,) says
    which points may answer. k is the sum of a box's ``top`` best IoUs, rounded down, at least 1. A
    point that several boxes take goes to the one of these it costs least for. A box without
    candidates takes none.

    >>> iou = torch.tensor([[0.9, 0.8, 0.5, 0.0]])
    >>> simota(iou, 1 - iou, torch.tensor([True, True, True, False])).tolist()
    [0, 0, -1, -1]
    """
    t, a = cost.shape
    may = candidates.expand(t, a)
    if not t or not a:
        return cost.new_full((a,), NEGATIVE, dtype=torch.int64)
    count = iou.masked_fill(~may, 0.0).topk(min(top, a), dim=1).values.sum(dim=1).int()
    limited = cost.masked_fill(~may, torch.inf)
    places = limited.argsort(dim=1, stable=True).argsort(dim=1)  # (T, A), 0 the cheapest
    taken = (places < count.clamp(min=1)[:, None]) & may
    cheapest = limited.masked_fill(~taken, torch.inf).argmin(dim=0)  # (A,)
    return cheapest.masked_fill(~taken.any(dim=0), NEGATIVE)


def atss(anchors: Tensor, levels: Sequence[int], truths: Tensor, top: int = 9) -> Tensor:
    """Return matches (A,) of anchors (A, 4), which lie level after level, ``levels`` of each.

    The ``top`` anchors of each level whose centres are nearest to a box's are candidates; those of
    them match whose IoU is at least the candidates' mean plus standard deviation and whose centre
    lies in the box. Of several boxes the one of the highest IoU counts.

    >>> anchors = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8], [16, 0, 24, 8]])
    >>> atss(anchors, [3], torch.tensor([[7.0, 0, 16, 8]])).tolist()
    [-1, 0, -1]
    """
    if not len(truths) or not len(anchors):
        return anchors.new_full(anchors.shape[:1], NEGATIVE, dtype=torch.int64)
    quality = box.overlap(truths, anchors)  # (T, A)
    middles = box.centres(anchors)
    distance = torch.cdist(box.centres(truths).double(), middles.double())  # (T, A)
    near = torch.zeros_like(quality, dtype=torch.bool)
    start = 0
    for many in levels:
        part = distance[:, start : start + many]
        close = part.topk(min(top, many), dim=1, largest=False).indices
        near[:, start : start + many].scatter_(1, close, True)
        start += many
    inner = quality[near].reshape(len(truths), -1)  # (T, candidates): as many for each
    least = inner.mean(dim=1) + (inner.std(dim=1) if inner.shape[1] > 1 else 0.0)
    may = near & (quality >= least[:, None]) & inside(middles, truths)
    value, best = quality.masked_fill(~may, -1.0).max(dim=0)  # (A,)
    return best.masked_fill(value < 0, NEGATIVE)
