"""Which box said found which true box: each truth once, the surest box first.

The rule is COCO's (pycocotools, ``COCOeval.evaluateImg``): in each picture and class boxes are
taken by score, and each finds the free truth it overlaps most, if by the threshold; a truth that
counts is preferred to one to be ignored. Whoever finds a truth that does not count, or finds none
and is of a size that is not asked for, is not judged. VOC's rule (Everingham et al., 2010, section
4.2) looks at the truth it overlaps most only, free or not.

All pictures and classes are matched together: a step for each place in the order of scores, each
step one operation over all that have a box in that place.

Shapes: P boxes said, G true, M pairs of them, T thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from opsin.metrics.detections import Flags, Floats, Indexes, Pairs, Said, Truths, pairs

MOST = 100  # boxes of a class in a picture that are looked at, as in COCO
EVERY_AREA = (0.0, 1e10)
AREAS = {
    "all": EVERY_AREA,
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}  # square pixels, as in COCO


class Matches(NamedTuple):
    """Says at each threshold what each box found, and whether it counts.

    ``truth`` is the index of the truth found, or −1, (T, P); ``judged`` whether the box is right or
    wrong at all, (T, P); ``rank`` its place by score in its picture and class, (P,); ``wanted``
    whether a truth counts, (G,).
    """

    truth: Indexes
    judged: Flags
    rank: Indexes
    wanted: Flags

    @property
    def hits(self) -> Flags:
        """Return whether each box is right, (T, P)."""
        return self.judged & (self.truth >= 0)


def match(
    said: Said,
    truth: Truths,
    thresholds: Sequence[float] = (0.5,),
    *,
    area: tuple[float, float] = EVERY_AREA,
    most: int = MOST,
    rule: Literal["coco", "voc"] = "coco",
    near: Pairs | None = None,
) -> Matches:
    """Return what every box said found; boxes beyond the ``most`` surest are not judged.

    ``near`` are the pairs of one class that overlap by the lowest threshold or more, if they are
    known; an ``area`` makes truths of another size ones to be ignored.

    >>> from opsin.metrics.detections import said, truths
    >>> boxes = [[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]]
    >>> found = match(said([0] * 3, [0] * 3, boxes, [0.8, 0.9, 0.7]), truths([0], [0], boxes[:1]))
    >>> found.truth.tolist(), found.rank.tolist()
    ([[-1, 0, -1]], [1, 0, 2])
    """
    low, high = area
    unwanted = truth.crowd | truth.ignored | (truth.area < low) | (truth.area > high)
    rank = ranks(said)
    near = pairs(said, truth, min(thresholds)) if near is None else near
    # A threshold of 1 would miss equal boxes by a rounding, so pycocotools takes a little less.
    least = np.minimum(np.asarray(thresholds, np.float64), 1 - 1e-10)
    again = truth.crowd | truth.ignored if rule == "voc" else truth.crowd
    near = _surest(near) if rule == "voc" else near
    looked = rank[near.said] < most
    near = near.only(looked)
    taken = _taken(near, rank, unwanted, again, least, len(said.scores))
    own = (said.boxes[:, 2:] - said.boxes[:, :2]).prod(axis=1)
    fits = (own >= low) & (own <= high)
    counts = np.append(~unwanted, False)[taken]  # (T, P); −1 is nothing
    judged = np.where(taken >= 0, counts, fits) & (rank < most)
    return Matches(taken, judged, rank, ~unwanted)


def ranks(said: Said) -> Indexes:
    """Return each box's place by score among those of its picture and class, (P,), 0 the surest.

    >>> from opsin.metrics.detections import said
    >>> ranks(said([0, 0, 1], [3, 3, 3], [[0, 0, 1, 1]] * 3, [0.2, 0.5, 0.1])).tolist()
    [1, 0, 0]
    """
    n = len(said.scores)
    order = np.lexsort((-said.scores, said.label, said.image))
    begins = np.ones(n, np.bool_)
    for column in (said.image[order], said.label[order]):
        begins[1:] &= column[1:] == column[:-1]  # the same as the one before, so far
    begins[1:] = ~begins[1:]
    place = np.arange(n)
    found = np.empty(n, np.int64)
    found[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return found


def _surest(near: Pairs) -> Pairs:
    """Return for each box said the one pair of the highest IoU."""
    order = np.lexsort((near.truth, -near.iou, near.said))
    first = np.concatenate([[True], np.diff(near.said[order]) > 0])[: len(order)]
    return near.only(order[first])


def _taken(
    near: Pairs, rank: Indexes, unwanted: Flags, again: Flags, least: Floats, n: int
) -> Indexes:
    """Return the index of the truth that each box takes, or −1, (T, P).

    A box's pairs are laid in the order it would take them: truths that count, then by IoU; of
    equals the later truth wins, as in pycocotools.
    """
    order = np.lexsort((-near.truth, -near.iou, unwanted[near.truth], near.said, rank[near.said]))
    one, other, iou = (column[order] for column in near)
    steps = np.flatnonzero(np.diff(rank[one], prepend=-1, append=-1))
    used = np.zeros((len(least), len(unwanted)), np.bool_)
    taken = np.full((len(least), n), -1, np.int64)
    for first, last in pairwise(steps):
        own, truth = one[first:last], other[first:last]
        free = (iou[first:last] >= least[:, None]) & (again[truth] | ~used[:, truth])  # (T, m)
        begins = np.flatnonzero(np.diff(own, prepend=-1))
        many = last - first
        place = np.where(free, np.arange(many), many)
        best = np.minimum.reduceat(place, begins, axis=1)  # (T, boxes)
        row, column = np.nonzero(best < many)
        chosen = truth[best[row, column]]
        used[row, chosen] = True
        taken[row, own[begins][column]] = chosen
    return taken
