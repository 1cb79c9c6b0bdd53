"""Truths that are likely wrong, judged by answers of heads that had not learnt them.

Confident learning (Northcutt, Jiang & Chuang, Confident Learning: Estimating Uncertainty in Dataset
Labels, 2021): a label is suspect where another class is at least as probable as it usually is for
pictures of that class; the margin between the two ranks them. Where answers carry no scores of
classes, those are suspect whose mistake lies far outside of what is usual.

Shapes: N samples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsin.results import Label, Result
from opsin.tasks._scores import table
from opsin.tasks._task import Task

FAR = 3.0  # quartile ranges above the upper quartile: "far out" (Tukey, 1977)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Is a sample whose truth is doubted: its index, how strongly, and what was said instead."""

    index: int
    score: float
    said: Result


def suspects(
    task: Task, outputs: NDArray[np.float32], truths: Sequence[Result], *, most: int = 100
) -> list[Suspect]:
    """Return the samples whose truth is likely wrong, the likeliest first, at most ``most``.

    ``outputs`` (N, K) are those of ``Head.outputs``: each by a head that had not seen the sample.
    """
    said = task.decode(outputs)
    mistakes = np.array([task.mistake(s, t) for s, t in zip(said, truths, strict=True)])
    doubted = (mistakes > 0) & _doubted(said, truths, mistakes)
    order = np.argsort(-mistakes, kind="stable")
    ranked = order[doubted[order]][:most]
    return [Suspect(int(place), float(mistakes[place]), said[place]) for place in ranked]


def _doubted(
    said: Sequence[Result], truths: Sequence[Result], mistakes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which truths (N,) the answers contradict with confidence."""
    labels = [answer for answer in said if isinstance(answer, Label) and answer.scores]
    if not labels or len(labels) < len(said):
        lower, upper = np.quantile(mistakes, (0.25, 0.75)) if len(mistakes) else (0.0, 0.0)
        return np.asarray(mistakes > upper + FAR * (upper - lower))
    classes = tuple(labels[0].scores)
    columns = {name: place for place, name in enumerate(classes)}
    scores = table(labels, classes)  # (N, K)
    given = np.array([columns.get(t.name, -1) for t in truths if isinstance(t, Label)])
    # What a class's own pictures usually score in it; a class without pictures is never surer.
    usual = np.array(
        [
            scores[given == place, place].mean() if (given == place).any() else np.inf
            for place in range(len(classes))
        ]
    )
    sure = scores >= usual  # (N, K)
    sure[np.arange(len(given)), given] &= given < 0  # only other classes contradict
    return np.asarray(sure.any(axis=1))
