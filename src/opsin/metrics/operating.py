"""From which score on a box is said: chosen on validation data, for what the user wishes.

Shapes: n boxes; R points of a curve, one for each different score.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from opsin.errors import RecipeError
from opsin.metrics.detections import Flags, Floats


class Curve(NamedTuple):
    """Holds precision and recall, (R,), of saying all boxes from each score on, highest first."""

    scores: Floats
    precision: Floats
    recall: Floats


class Point(NamedTuple):
    """Is where a detector works: say boxes whose score is ``threshold`` or more.

    ``met`` is whether the wish can be had at all; if not, the point comes nearest to it.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    met: bool


def wished(wish: str) -> dict[str, float]:
    """Return what ``choose`` is to be given for a wish in words.

    >>> wished("f1"), wished("precision 0.95")
    ({}, {'precision': 0.95})
    >>> wished("precission 0.95")
    Traceback (most recent call last):
    opsin.errors.RecipeError: received operating='precission 0.95'; expected f1, or precision or \
recall with a share, as 'precision 0.95'.
    """
    name, _, share = wish.partition(" ")
    try:
        value = float(share or "nan")
    except ValueError:
        value = float("nan")
    if wish == "f1":
        return {}
    if name in ("precision", "recall") and 0 <= value <= 1:
        return {name: value}
    raise RecipeError(
        f"operating={wish!r}",
        expected="f1, or precision or recall with a share, as 'precision 0.95'",
    )


def curve(scores: Floats, hits: Flags, judged: Flags, wanted: int) -> Curve:
    """Return the curve of boxes (n,) in any order, of which ``wanted`` truths were to be found.

    >>> sure = np.array([0.9, 0.5, 0.5, 0.2])
    >>> found = curve(sure, np.array([True, True, False, False]), np.ones(4, bool), 2)
    >>> found.scores.tolist(), found.precision.round(2).tolist(), found.recall.tolist()
    ([0.9, 0.5, 0.2], [1.0, 0.67, 0.5], [0.5, 1.0, 1.0])
    """
    order = np.argsort(-scores[judged], kind="stable")
    ordered, right = scores[judged][order], hits[judged][order]
    last = np.flatnonzero(np.diff(ordered, append=-np.inf))  # the last of each score
    found = np.cumsum(right)[last]
    return Curve(ordered[last], found / (last + 1), found / max(wanted, 1))


def choose(curve: Curve, *, precision: float | None = None, recall: float | None = None) -> Point:
    """Return the point of the best F1, or of what is best once a wish is met.

    Of points with at least ``precision`` the one of the highest recall is taken; with at least
    ``recall`` that of the highest precision; with both, or neither, that of the best F1. The
    threshold lies halfway to the next lower score, so that a box a little less sure is still said.
    Raises ``RecipeError`` for a wish outside 0..1.

    >>> some = Curve(np.array([0.9, 0.5, 0.2]), np.array([1.0, 0.75, 0.5]), np.array([0.3, 0.6, 1]))
    >>> choose(some).threshold, choose(some, precision=0.7).recall
    (0.2, 0.6)
    >>> choose(some, precision=0.99, recall=0.9).met
    False
    """
    for name, wish in {"precision": precision, "recall": recall}.items():
        if wish is not None and not 0 <= wish <= 1:
            raise RecipeError(f"{name}={wish}", expected="a share from 0 to 1")
    if not len(curve.scores):
        return Point(0.0, 0.0, 0.0, 0.0, met=False)
    sums = curve.precision + curve.recall
    f1 = 2 * curve.precision * curve.recall / np.where(sums > 0, sums, 1)
    lacks = np.zeros(len(f1))  # how much of the wishes each point leaves open
    for wish, column in ((precision, curve.precision), (recall, curve.recall)):
        if wish is not None:
            lacks += np.maximum(wish - column, 0)
    aim = f1
    if (precision is None) != (recall is None):
        aim = curve.recall if recall is None else curve.precision
    best = int(np.lexsort((-curve.scores, -f1, -aim, lacks))[0])
    lower = curve.scores[best + 1] if best + 1 < len(f1) else curve.scores[best]
    threshold = float((curve.scores[best] + lower) / 2)
    p, r = float(curve.precision[best]), float(curve.recall[best])
    return Point(threshold, p, r, float(f1[best]), met=bool(lacks[best] == 0))
