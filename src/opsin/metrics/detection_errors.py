"""What a detector does wrong, sorted into six kinds, and what each costs.

Bolya, Foley, Hays & Hoffman, TIDE: A General Toolbox for Identifying Object Detection Errors, 2020,
sections 2.2 and 2.3. Each wrong box is of the first kind that fits, in this order:

    placed      on a truth of its class, but by too little: an IoU between the two bounds
    class       on a truth of another class
    doubled     on a truth that a surer box has found
    background  on nothing: no IoU above the lower bound
    both        wrong class and badly placed

and a truth is missed where nothing found it and no box placed badly or called wrongly was on it.

Shapes: P boxes said, G true, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsin.metrics.average_precision import area_under, mean
from opsin.metrics.detections import Flags, Floats, Indexes, Pairs, Said, Truths, pairs
from opsin.metrics.matches import Matches, match

KINDS = ("placed", "class", "doubled", "background", "both")
PLACED, CLASS, DOUBLED, BACKGROUND, BOTH = range(5)
RIGHT, UNJUDGED = -1, -2


class Errors(NamedTuple):
    """Says of what kind each box said is (P,), and whether a truth is missed (G,).

    A kind is a place in ``KINDS``, or ``RIGHT``, or ``UNJUDGED``. ``of`` is the truth that a badly
    placed or wrongly called box lies on most (P,), −1 for the others.
    """

    kind: Indexes
    missed: Flags
    of: Indexes

    def counted(self) -> dict[str, int]:
        """Return how many there are of each kind, the missed last."""
        many = np.bincount(self.kind[self.kind >= 0], minlength=len(KINDS)).tolist()
        return {**dict(zip(KINDS, many, strict=True)), "missed": int(self.missed.sum())}


def errors(said: Said, truth: Truths, *, low: float = 0.1, high: float = 0.5) -> Errors:
    """Return what is wrong with each box; a right one overlaps its truth by ``high`` or more.

    >>> from opsin.metrics.detections import said, truths
    >>> boxes = [[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 3], [50, 50, 60, 60], [0, 0, 10, 10]]
    >>> one = said([0] * 5, [0, 0, 0, 0, 1], boxes, [0.9, 0.8, 0.7, 0.6, 0.5])
    >>> [KINDS[k] if k >= 0 else "right" for k in errors(one, truths([0], [0], boxes[:1])).kind]
    ['right', 'doubled', 'placed', 'background', 'class']
    """
    matches = match(said, truth, (high,))
    near = pairs(said, truth, low, across=True)
    counts = matches.wanted[near.truth]
    near = near.only(counts)
    same = said.label[near.said] == truth.label[near.truth]
    taken = np.isin(near.truth, matches.truth[0])
    n = len(said.scores)
    (own, of_own), (other, of_other) = (_best(near, chosen, n) for chosen in (same, ~same))
    used, _ = _best(near, same & taken, n)
    kind = np.full(n, BOTH)
    kind[np.maximum(own, other) <= low] = BACKGROUND
    kind[used >= high] = DOUBLED
    kind[other >= high] = CLASS
    kind[(own >= low) & (own <= high)] = PLACED
    kind[matches.hits[0]] = RIGHT
    kind[~matches.judged[0]] = UNJUDGED
    of = np.where(kind == PLACED, of_own, np.where(kind == CLASS, of_other, -1))
    missed = matches.wanted.copy()
    for found in (matches.truth[0], of):
        missed[found[found >= 0]] = False
    return Errors(kind, missed, of)


def _best(near: Pairs, chosen: Flags, n: int) -> tuple[Floats, Indexes]:
    """Return each box's highest IoU among chosen pairs, (P,), 0 if none, and the truth, or −1."""
    one, other, iou = (column[chosen] for column in near)
    order = np.lexsort((-other, iou, one))  # the best last, and of equals the first truth
    highest, which = np.zeros(n), np.full(n, -1)
    highest[one[order]], which[one[order]] = iou[order], other[order]
    return highest, which


def gains(
    said: Said, truth: Truths, classes: int, found: Errors, *, high: float = 0.5
) -> dict[str, float]:
    """Return by how much AP at IoU ``high`` would rise if all errors of one kind were mended.

    Of the badly placed and wrongly called boxes the surest on a truth that nothing found becomes
    right, the others vanish, as do doubled ones and those on background; missed truths are not
    asked for any more. In 20 drawn cases counts were those of tidecv 1.0.1, gains within 0.2: its
    levels of recall are rounded otherwise than COCO's.

    >>> from opsin.metrics.detections import said, truths
    >>> boxes = [[50, 50, 60, 60], [0, 0, 10, 10]]
    >>> one, other = said([0] * 2, [0] * 2, boxes, [0.9, 0.8]), truths([0], [0], boxes[1:])
    >>> gains(one, other, 1, errors(one, other))["background"]
    0.5
    """
    matches = match(said, truth, (high,))
    right, judged = matches.hits[0], found.kind >= RIGHT
    wanted = _wanted(truth, matches.wanted, classes)
    now = _mean_precision(said.label, said, right, judged, wanted)
    surest = _surest(said, found, matches)
    then = {}
    for kind, name in enumerate(KINDS):
        wrong = found.kind == kind
        mended = surest & wrong
        label = np.where(mended, truth.label[found.of], said.label) if mended.any() else said.label
        kept = judged & (~wrong | mended)
        then[name] = _mean_precision(label, said, right | mended, kept, wanted)
    fewer = _wanted(truth, matches.wanted & ~found.missed, classes)
    then["missed"] = _mean_precision(said.label, said, right, judged, fewer)
    return {name: max(value - now, 0.0) for name, value in then.items()}


def _surest(said: Said, found: Errors, matches: Matches) -> Flags:
    """Return which badly placed or wrongly called boxes are the surest on truths unfound, (P,)."""
    free = (found.of >= 0) & ~np.isin(found.of, matches.truth[0])
    places = np.flatnonzero(free)
    order = places[np.lexsort((-said.scores[places], found.of[places]))]
    first = np.diff(found.of[order], prepend=-1) > 0
    surest = np.zeros(len(free), np.bool_)
    surest[order[first]] = True
    return surest


def _wanted(truth: Truths, chosen: Flags, classes: int) -> Indexes:
    """Return how many of the chosen truths each class has, (K,)."""
    return np.bincount(truth.label[chosen], minlength=classes)


def _mean_precision(
    label: NDArray[np.int64], said: Said, hits: Flags, kept: Flags, wanted: Indexes
) -> float:
    """Return the mean AP over classes of the boxes that are kept."""
    order = np.lexsort((said.image, -said.scores))
    order = order[kept[order]]
    found = []
    for k, many in enumerate(wanted):
        own = hits[order[label[order] == k]]
        places = np.flatnonzero(own)
        right = np.arange(1, len(places) + 1)
        found.append(area_under(right, places + 1, np.asarray(many)))
    value = mean(np.array(found))
    return 0.0 if np.isnan(value) else value
