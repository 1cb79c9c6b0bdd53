"""Right, wrong and missed boxes at a threshold of the score, and what follows from these counts.

A box has no true negatives: nobody counts the places where nothing was said. A picture has: one
without objects of which nothing was said.

Shapes: P boxes said, G true, I pictures or K classes that counts are kept of.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics import bootstrap, wilson
from opsin.metrics.detections import Said, Truths
from opsin.metrics.matches import Matches


class Counts(NamedTuple):
    """Holds numbers, or columns of them: right (TP), wrong (FP), missed (FN), rightly silent (TN).

    A share of nothing is 0. The handguns of 608 pictures, by sliding window and by Faster R-CNN:

    >>> for counts in (Counts(97, 6, 207, 298), Counts(304, 57, 0, 247)):
    ...     print([round(100 * float(s), 2) for s in (counts.precision, counts.recall, counts.f1)])
    [94.17, 31.91, 47.67]
    [84.21, 100.0, 91.43]
    """

    right: Any
    wrong: Any
    missed: Any
    silent: Any = 0

    @property
    def precision(self) -> Any:
        """Return the share of what was said that is right."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> Any:
        """Return the share of what is true that was said."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> Any:
        """Return the harmonic mean of both."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)

    def total(self) -> Counts:
        """Return the sums of columns."""
        return Counts(*(np.sum(column) for column in self))


def _share(part: Any, whole: Any) -> Any:
    """Return part / whole, 0 where the whole is 0."""
    return np.where(whole == 0, 0.0, part / np.maximum(whole, 1))


def counts(
    matches: Matches,
    said: Said,
    truth: Truths,
    size: int,
    *,
    threshold: float = 0.0,
    by: Literal["image", "label"] = "image",
    at: int = 0,
) -> Counts:
    """Return the counts of boxes in each picture, or of each class, columns of ``size``.

    Only boxes of a score of ``threshold`` or more were said; ``at`` is which of the matches'
    thresholds of IoU. Truths are found by the surest box first, so that leaving out unsure ones
    changes no other match.

    >>> from opsin.metrics.detections import said, truths
    >>> from opsin.metrics.matches import match
    >>> one = said([0, 1], [0, 0], [[0, 0, 4, 4]] * 2, [0.9, 0.3])
    >>> other = truths([0], [0], [[0, 0, 4, 4]])
    >>> [counts(match(one, other), one, other, 2, threshold=t).wrong.tolist() for t in (0, 0.5)]
    [[0, 1], [0, 0]]
    """
    of_said, of_truth = getattr(said, by), getattr(truth, by)
    heard = matches.judged[at] & (said.scores >= threshold)
    right = heard & matches.hits[at]
    hits, wrong = (np.bincount(of_said[c], minlength=size) for c in (right, heard & ~right))
    wanted = np.bincount(of_truth[matches.wanted], minlength=size)
    return Counts(hits, wrong, wanted - hits)


def presence(
    said: Said, truth: Truths, images: int, *, threshold: float = 0.0, label: int | None = None
) -> Counts:
    """Return for each picture, (I,) columns of 0 and 1, whether it was said that it has an object.

    Where the objects are said to be does not count. A picture whose only truths are crowds, or to
    be ignored, counts for nothing. ``label`` asks for one class.

    >>> from opsin.metrics.detections import said, truths
    >>> print(*presence(said([0], [0], [[0, 0, 1, 1]], [1]), truths([], [], []), 2).total())
    0 1 0 1
    """
    own, their = (np.full(len(c.label), True) if label is None else c.label == label
                  for c in (said, truth))  # fmt: skip
    heard = _some(said.image[own & (said.scores >= threshold)], images)
    spared = truth.crowd | truth.ignored
    there = _some(truth.image[their & ~spared], images)
    known = there | ~_some(truth.image[their & spared], images)
    cells = (heard & there, heard & ~there, ~heard & there, ~heard & ~there)
    return Counts(*((cell & known).astype(np.int64) for cell in cells))


def _some(images: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """Return whether each picture is named, (I,)."""
    return np.bincount(images, minlength=size) > 0


# ── with intervals ──────────────────────────────────────────────────────────────────────────────


def of_boxes(counts: Counts, seed: int = 0) -> dict[str, Metric]:
    """Return precision, recall and F1 of boxes counted a picture, intervals by resampled pictures.

    Boxes of one picture are alike, so pictures are drawn, not boxes.

    >>> columns = [np.array(c) for c in ([3, 1, 0, 2], [0, 1, 1, 0], [0, 1, 0, 0])]
    >>> print(of_boxes(Counts(*columns))["precision"])
    0.750 (0.333–1.000, n=4)
    """
    columns = tuple(np.asarray(c, np.float64) for c in counts[:3])

    def of(name: str) -> bootstrap.Statistic:
        return lambda *rows: np.asarray(
            getattr(Counts(*(r.sum(-1) for r in rows)), name), np.float64
        )

    names = ("precision", "recall", "f1")
    return {name: bootstrap.metric(of(name), *columns, seed=seed) for name in names}


def of_pictures(counts: Counts) -> dict[str, Metric]:
    """Return precision and recall of pictures, Wilson's intervals; what has no n is left out.

    >>> print(of_pictures(Counts(97, 6, 207, 298))["recall"])
    0.319 (0.269–0.373, n=304)
    """
    right, wrong, missed, _ = (int(c) for c in counts.total())
    wholes = {"precision": right + wrong, "recall": right + missed}
    return {
        name: Metric(right / n, *wilson.interval(right, n), n) for name, n in wholes.items() if n
    }
