"""Every number and figure of boxes against true ones, from results alone.

Shapes: I pictures, P boxes said, G true, K classes; classes that only truths have come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.figures import Bars, Lines, Matrix, Measures, Metric
from opsin.metrics import average_precision as ap
from opsin.metrics import bootstrap, operating
from opsin.metrics.detection_counts import Counts, counts, of_boxes, presence
from opsin.metrics.detection_errors import errors, gains
from opsin.metrics.detections import Said, Truths, pairs, said, truths
from opsin.metrics.matches import AREAS, MOST, Matches, match
from opsin.results import Boxes

IOU50, IOU75 = 0.5, 0.75
CURVES, POINTS = 8, 200  # classes drawn each by itself; points of a curve


class Found:
    """Is what was said of pictures beside what is true of them, matched once for all numbers.

    Of a class in a picture the ``most`` surest boxes count.
    """

    def __init__(
        self,
        known: Sequence[str],
        results: Sequence[Boxes],
        true: Sequence[Boxes],
        *,
        most: int = MOST,
    ) -> None:
        if len(results) != len(true) or not results:
            raise DataError(
                f"{len(results)} answers and {len(true)} truths",
                expected="one of each for every one of at least one picture",
            )
        named = {name for boxes in (*results, *true) for name in boxes.names}
        self.classes = (*known, *sorted(named.difference(known)))
        self.images, self.most = len(true), most
        columns = {name: place for place, name in enumerate(self.classes)}
        self.said, self.truth = _said(results, columns), _truths(true, columns)

    @cached_property
    def matches(self) -> Matches:
        """Return the matches at an IoU of 0.5."""
        return match(self.said, self.truth, (IOU50,), most=self.most)

    @cached_property
    def ranked(self) -> list[ap.Ranked]:
        """Return the boxes of each class by score, judged at an IoU of 0.5."""
        k = len(self.classes)
        return ap.ranked(self.matches, self.said, self.truth, self.images, k, self.most)

    def ap50(self) -> Metric:
        """Return the mean AP over classes at an IoU of 0.5, with its interval."""
        return _sound(ap.mean_precision(self.ranked))

    def plain(self) -> float:
        """Return the same without an interval, at once."""
        value = ap.mean(ap.precisions(self.ranked))
        return 0.0 if np.isnan(value) else value

    def each(self) -> NDArray[np.float64]:
        """Return what each picture adds to AP50, (I,): jackknife values, whose mean is AP50.

        A picture's value is AP50 + (I − 1) · (mean of all APs without one − AP without this one)
        (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 11.5, centred).
        """
        without = np.nan_to_num(ap.without_each(self.ranked))  # (I,)
        found: NDArray[np.float64] = self.plain() + (self.images - 1) * (without.mean() - without)
        return found

    def point(self, wish: str) -> operating.Point:
        """Return the operating point that a wish asks for: f1, precision 0.95 or recall 0.9."""
        hits, judged = self.matches.hits[0], self.matches.judged[0]
        wanted = int(self.matches.wanted.sum())
        curve = operating.curve(self.said.scores, hits, judged, wanted)
        return operating.choose(curve, **operating.wished(wish))

    def counts(self, threshold: float) -> Counts:
        """Return TP, FP and FN of each picture, (I,) columns."""
        return counts(self.matches, self.said, self.truth, self.images, threshold=threshold)

    def at(self, threshold: float) -> Measures:
        """Return AP50, and what is right and wrong for boxes of ``threshold`` or more."""
        metrics = {"ap50": self.ap50()} | of_boxes(self.counts(threshold))
        return Measures(metrics, self._classes(threshold), (), (), (self._curves(),))

    def measure(self, threshold: float) -> Measures:
        """Return all numbers; those of an operating point for boxes of ``threshold`` or more."""
        metrics = {"ap50": self.ap50()} | self._over_ious()
        metrics |= of_boxes(self.counts(threshold))
        there = presence(self.said, self.truth, self.images, threshold=threshold)
        metrics["pictures_right"] = bootstrap.metric(
            lambda right: right.mean(-1), (there.right + there.silent).astype(np.float64)
        )
        figures = (self._curves(), self._pictures(there), self._errors())
        return Measures(metrics, self._classes(threshold), (), (), figures)

    def _over_ious(self) -> dict[str, Metric]:
        """Return COCO's AP, AP at 0.75 and AP of truths by size, of those sizes there are."""
        near = pairs(self.said, self.truth, ap.IOUS[0])
        found: dict[str, Metric] = {}
        for name, area in AREAS.items():
            matches = match(self.said, self.truth, ap.IOUS, area=area, near=near)
            table = ap.ranked(matches, self.said, self.truth, self.images, len(self.classes))
            if name == "all":
                found |= {"ap": _sound(ap.mean_precision(table)), "ap75": self._ap75(table)}
            elif matches.wanted.any():
                found[f"ap_{name}"] = _sound(ap.mean_precision(table))
        return found

    def _ap75(self, table: list[ap.Ranked]) -> Metric:
        at = ap.IOUS.index(IOU75)
        rows = slice(at, at + 1)
        few = [r._replace(hits=r.hits[rows], judged=r.judged[rows]) for r in table]
        return _sound(ap.mean_precision(few))

    def _classes(self, threshold: float) -> dict[str, dict[str, float]]:
        """Return a row for each class that something was said of, or is true."""
        k = len(self.classes)
        by = counts(self.matches, self.said, self.truth, k, threshold=threshold, by="label")
        each = ap.precisions(self.ranked)[:, 0]
        rows = {}
        for place, name in enumerate(self.classes):
            own = Counts(*(int(column[place]) for column in by[:3]))
            if own.right or own.missed or own.wrong:
                rows[name] = {
                    "ap50": 0.0 if np.isnan(each[place]) else float(each[place]),
                    "precision": float(own.precision),
                    "recall": float(own.recall),
                    "f1": float(own.f1),
                    "right": own.right,
                    "wrong": own.wrong,
                    "missed": own.missed,
                    "objects": own.right + own.missed,
                }
        return rows

    def _curves(self) -> Lines:
        """Return precision against recall, of each class if they are few."""
        series = {}
        commonest = sorted(
            range(len(self.classes)), key=lambda k: -int(self.ranked[k].wanted.sum())
        )
        for k in commonest[:CURVES]:
            table = self.ranked[k]
            wanted = int(table.wanted.sum())
            if not wanted or not table.judged.any():
                continue
            curve = operating.curve(table.scores, table.hits[0], table.judged[0], wanted)
            some = np.unique(np.linspace(0, len(curve.scores) - 1, POINTS).astype(int))
            points = zip(curve.recall[some].tolist(), curve.precision[some].tolist(), strict=True)
            series[self.classes[k]] = tuple(points)
        return Lines("Precision and recall", "recall", "precision", series)

    def _pictures(self, there: Counts) -> Matrix:
        """Return how many pictures have something and were said to, and the other three."""
        total = [int(np.sum(column)) for column in there]
        right, wrong, missed, silent = total
        names = ("something", "nothing")
        return Matrix("Pictures, true and said", names, names, ((right, missed), (wrong, silent)))

    def _errors(self) -> Bars:
        """Return what AP50 would gain if each kind of error were mended (TIDE)."""
        kinds = gains(self.said, self.truth, len(self.classes), errors(self.said, self.truth))
        return Bars("AP50 that each kind of error costs", "", kinds)


class _Columns(NamedTuple):
    """Holds boxes of all pictures side by side."""

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    boxes: NDArray[np.float64]


def _columns(each: Sequence[Boxes], columns: dict[str, int]) -> _Columns:
    """Return picture, class and box of all boxes."""
    image = np.repeat(np.arange(len(each)), [len(boxes) for boxes in each])
    label = np.array([columns[name] for boxes in each for name in boxes.names], np.int64)
    corners = np.concatenate([boxes.boxes for boxes in each]).astype(np.float64)
    return _Columns(image, label, corners)


def _said(results: Sequence[Boxes], columns: dict[str, int]) -> Said:
    return said(*_columns(results, columns), np.concatenate([r.scores for r in results]))


def _truths(true: Sequence[Boxes], columns: dict[str, int]) -> Truths:
    flags = [flag for boxes in true for flag in boxes.flags]
    return truths(
        *_columns(true, columns),
        crowd=[flag == "crowd" for flag in flags],
        ignored=[flag in ("difficult", "ignore") for flag in flags],
    )


def _sound(metric: Metric) -> Metric:
    """Return a metric as it is; where there was nothing to find it could be anything."""
    return Metric(0.0, 0.0, 1.0, metric.n) if np.isnan(metric.value) else metric
