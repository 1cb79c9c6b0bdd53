"""Who takes part, and how much each counts: decided on validation data, never on test data.

Shapes: M candidates, N pictures, K outputs; opinions are float64 (M, N, K).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from opsin.ensemble.simplex import minimise
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.tasks import Task

BAG = 0.5  # of the candidates that a bag holds
NOTHING = 1e-6  # of all votes, below which a member is left out


def scores(task: Task, opinions: Tensor, truths: Sequence[Result]) -> list[float]:
    """Return the task's own score of each candidate, signed so that more is better."""
    return [_score(task, each, truths) for each in opinions]


def best(task: Task, opinions: Tensor, truths: Sequence[Result], size: int) -> list[int]:
    """Return a vote for each of the ``size`` candidates with the best scores, (M,)."""
    order = _order(scores(task, opinions, truths))[:size]
    return [int(place in order) for place in range(len(opinions))]


def greedy(
    task: Task,
    opinions: Tensor,
    truths: Sequence[Result],
    size: int,
    *,
    bags: int = 1,
    seed: int = 0,
) -> list[int]:
    """Return how often each candidate was chosen, (M,), ``size`` times for each bag.

    Whoever improves the mean of those chosen so far most is added, and may be chosen again, which
    keeps the choice from following chance. It begins with as many of the best, half of all at most,
    as are best together. Several bags choose from half of the candidates each, drawn from ``seed``,
    and their votes are added up (Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble Selection from
    Libraries of Models, 2004, sections 2.1 to 2.3).
    """
    counts = np.zeros(len(opinions), np.int64)
    for bag in range(bags):
        places = np.arange(len(opinions))
        if bags > 1:
            draws = np.random.default_rng((seed, bag))
            many = max(1, round(BAG * len(places)))
            places = np.sort(draws.permutation(places)[:many])
        for chosen in _climb(task, opinions[torch.from_numpy(places)], truths, size):
            counts[places[chosen]] += 1
    return [int(count) for count in counts]


def _climb(task: Task, opinions: Tensor, truths: Sequence[Result], size: int) -> list[int]:
    """Return the places of ``size`` candidates, some of them more than once."""
    order = _order(scores(task, opinions, truths))
    starts = [order[: many + 1] for many in range(max(1, min(size // 2, len(order))))]
    chosen = max(starts, key=lambda few: _score(task, opinions[few].mean(0), truths))
    total = opinions[chosen].sum(0)
    while len(chosen) < size:
        many = len(chosen) + 1
        tried = [_score(task, (total + each) / many, truths) for each in opinions]
        chosen.append(_order(tried)[0])
        total = total + opinions[chosen[-1]]
    return chosen


def weights(task: Task, opinions: Tensor, truths: Sequence[Result]) -> list[float]:
    """Return the weights (M,), together 1, whose mean has the least loss; 0 for who adds nothing.

    The loss is the task's own (log loss, Huber's), without smoothing; it is convex in the weights,
    so there is one least value and it is found (Breiman, Stacked Regressions, 1996, section 2).
    """
    targets = task.encode(truths)
    targets = targets.to(opinions) if targets.is_floating_point() else targets
    plain = Recipe(smoothing=0.0)

    def loss(point: Tensor) -> Tensor:
        pooled = torch.tensordot(point, opinions, 1)  # (N, K)
        return torch.stack([*task.loss(task.outputs_of(pooled), targets, plain).values()]).sum()

    found = minimise(loss, len(opinions))
    found = np.where(found < NOTHING, 0.0, found)
    return [float(weight) for weight in found / found.sum()]


def _score(task: Task, opinions: Tensor, truths: Sequence[Result]) -> float:
    return task.sign * task.score(task.outputs_of(opinions).numpy(), truths)


def _order(found: Sequence[float]) -> list[int]:
    """Return the places of scores, the best first; of equals the first comes first."""
    return sorted(range(len(found)), key=lambda place: (-found[place], place))
