"""Truths that are likely wrong, judged by answers of heads that had not learnt them.

Labels are ranked by how little probability the given class gets (Northcutt, Jiang & Chuang,
Confident Learning, 2021; Kuan & Mueller, Model-Agnostic Label Quality Scoring, 2022, both as
self-confidence), and suspect below a fifth of blind chance. With 5 % of labels flipped this named
111 clothes of 3,068, 103 of them flipped; confident learning's own threshold, the usual score of
the other class, named 192 with 100. Where answers carry no scores of classes, those are suspect
whose mistake lies far outside of what is usual.

Shapes: N samples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsin.results import Label, Result
from opsin.tasks._task import Task

CHANCE = 0.2  # of 1 / K, which a class gets from whoever does not look
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
    doubted = (mistakes > 0) & _doubted(said, mistakes)
    order = np.argsort(-mistakes, kind="stable")
    ranked = order[doubted[order]][:most]
    return [Suspect(int(place), float(mistakes[place]), said[place]) for place in ranked]


def _doubted(said: Sequence[Result], mistakes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which truths (N,) the answers contradict with confidence."""
    classes = [len(answer.scores) for answer in said if isinstance(answer, Label)]
    if classes and min(classes) > 0:
        return np.asarray(mistakes > 1 - CHANCE / np.array(classes))
    lower, upper = np.quantile(mistakes, (0.25, 0.75)) if len(mistakes) else (0.0, 0.0)
    return np.asarray(mistakes > upper + FAR * (upper - lower))
