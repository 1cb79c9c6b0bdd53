"""How the settings of a study learnt: validation score over epochs, mean and spread over seeds."""

from __future__ import annotations

from opsin.report.study_story import Curve, Setting
from opsin.study.rows import Row, Study, named


def curves(study: Study) -> tuple[Curve, ...]:
    """Return the curve of every setting that learnt in epochs, in grid order.

    Seeds may end at different epochs; only epochs that all of them reached are averaged, or the
    mean would jump where one drops out.
    """
    groups: dict[Setting, list[Row]] = {}
    for row in study.done:
        if row.curve:
            groups.setdefault(row.setting, []).append(row)
    return tuple(Curve(setting, named(setting), _points(rows)) for setting, rows in groups.items())


def _points(rows: list[Row]) -> tuple[tuple[float, float, float, float, float], ...]:
    """Return (epoch, mean seconds, mean score, lowest, highest) at the epochs all rows have."""
    tables = [{epoch: (seconds, score) for epoch, seconds, score in row.curve} for row in rows]
    common = sorted(set.intersection(*(set(table) for table in tables)))
    points = []
    for epoch in common:
        seconds = [table[epoch][0] for table in tables]
        scores = [table[epoch][1] for table in tables]
        mean = sum(scores) / len(scores)
        points.append((epoch, sum(seconds) / len(rows), mean, min(scores), max(scores)))
    return tuple(points)
