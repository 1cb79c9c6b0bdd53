"""How differently several models err: what an average can gain from.

The numbers are those of Kuncheva & Whitaker, Measures of Diversity in Classifier Ensembles and
Their Relationship with the Ensemble Accuracy, 2003, section 3, each the mean over all pairs.

Shapes: M members, P pairs of them, n pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics import bootstrap, wilson
from opsin.results import Result, Value
from opsin.tasks import Task

Answers = NDArray[np.int64]
Rights = NDArray[np.bool_]


@dataclass(frozen=True)
class Diversity:
    """Holds named numbers: with an interval where there is one, and None where it is undefined."""

    intervals: Mapping[str, Metric]
    means: Mapping[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: each.to_dict() for name, each in self.intervals.items()} | dict(self.means)

    def words(self) -> str:
        """Return the numbers in a line."""
        told = [f"{name.replace('_', ' ')} {each}" for name, each in self.intervals.items()]
        told += [
            f"{name.replace('_', ' ')} {'undefined' if value is None else f'{value:.3f}'}"
            for name, value in self.means.items()
        ]
        return "; ".join(told)


def diversity(task: Task, said: Sequence[Sequence[Result]], truths: Sequence[Result]) -> Diversity:
    """Return how differently M members err on n pictures; nothing of one alone.

    For tasks with classes that are the measures below; for numbers it is how alike their errors
    are, the correlation: 1 where averaging gains nothing.
    """
    if len(said) < 2:
        return Diversity({}, {})
    if not task.classes:
        errors = np.array([_values(each) for each in said]) - np.array(_values(truths))  # (M, n)
        return Diversity({}, {"error_correlation": correlation(errors)})
    right = np.array([task.each(each, truths) for each in said]) > 0  # (M, n)
    names = sorted({answer.words() for each in said for answer in each})
    place = {name: index for index, name in enumerate(names)}
    answers = np.array([[place[answer.words()] for answer in each] for each in said])
    return Diversity(
        {
            "disagreement": bootstrap.metric(_mean, disagreement(right)),
            "double_fault": bootstrap.metric(_mean, double_fault(right)),
            "missed_by_all": wilson.proportion(np.asarray(~right.any(0))),
        },
        {"q": q_statistic(right), "kappa": kappa(answers)},
    )


def disagreement(right: Rights) -> NDArray[np.float64]:
    """Return for each picture the share of pairs of which one is right, (n,), from (M, n).

    >>> disagreement(np.array([[True, True], [True, False], [True, False]])).round(3).tolist()
    [0.0, 0.667]
    """
    m, hits = len(right), right.sum(0)
    return np.asarray(hits * (m - hits) / (m * (m - 1) / 2), np.float64)


def double_fault(right: Rights) -> NDArray[np.float64]:
    """Return for each picture the share of pairs that are both wrong, (n,), from (M, n).

    >>> double_fault(np.array([[True, False], [True, False], [True, True]])).round(3).tolist()
    [0.0, 0.333]
    """
    m, misses = len(right), (~right).sum(0)
    return np.asarray(misses * (misses - 1) / (m * (m - 1)), np.float64)


def q_statistic(right: Rights) -> float | None:
    """Return Yule's Q of who is right, (M, n): 0 if independent, 1 if they fail on the same.

    >>> q_statistic(np.array([[True, True, False, True], [True, False, False, True]]))
    1.0
    """
    found = []
    for one, other in combinations(right, 2):
        alike = float((one & other).sum()) * float((~one & ~other).sum())
        unlike = float((one & ~other).sum()) * float((~one & other).sum())
        if alike + unlike:
            found.append((alike - unlike) / (alike + unlike))
    return float(np.mean(found)) if found else None


def kappa(answers: Answers) -> float | None:
    """Return Cohen's kappa of answers (M, n): 1 where all say the same, 0 where by chance.

    Cohen, A Coefficient of Agreement for Nominal Scales, 1960, equation 1.

    >>> kappa(np.array([[0, 1, 1, 0], [0, 1, 0, 0]]))
    0.5
    """
    many, found = int(answers.max()) + 1, []
    shares = np.array([np.bincount(row, minlength=many) for row in answers]) / answers.shape[1]
    for one, other in combinations(range(len(answers)), 2):
        chance = float(shares[one] @ shares[other])
        if chance < 1:
            same = float((answers[one] == answers[other]).mean())
            found.append((same - chance) / (1 - chance))
    return float(np.mean(found)) if found else None


def correlation(errors: NDArray[np.float64]) -> float | None:
    """Return how alike errors (M, n) are: the mean correlation of pairs.

    >>> correlation(np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))
    1.0
    """
    found = [
        float(np.corrcoef(one, other)[0, 1])
        for one, other in combinations(errors, 2)
        if one.std() > 0 and other.std() > 0
    ]
    return round(float(np.mean(found)), 12) if found else None


def _values(results: Sequence[Result]) -> list[float]:
    return [result.value for result in results if isinstance(result, Value)]


def _mean(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(column.mean(-1), np.float64)
