"""Greedy selection beside the same rule written out, step by step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from opsin.ensemble import choose
from opsin.results import Label, Value
from opsin.tasks.classify import Classify
from opsin.tasks.regress import Regress

TASK = Classify(tuple("abcd"))


def library(m: int = 12, n: int = 150, seed: int = 0) -> tuple[torch.Tensor, list[Label]]:
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, 4, n)
    logits = draws.normal(size=(m, n, 4)) * 1.5
    logits[:, np.arange(n), truth] += draws.uniform(0.2, 1.5, (m, 1))
    return torch.from_numpy(logits).softmax(-1), [Label("abcd"[k]) for k in truth]


def accuracy(opinion: torch.Tensor, truths: list[Label]) -> float:
    pairs = zip(opinion.argmax(1), truths, strict=True)
    return float(np.mean([TASK.classes[k] == truth.name for k, truth in pairs]))


def test_each_step_takes_who_improves_the_mean_most() -> None:
    opinions, truths = library()
    found = choose.greedy(TASK, opinions, truths, 6)
    alone = [TASK.score(np.log(each.numpy()), truths) for each in opinions]
    order = sorted(range(12), key=lambda place: -alone[place])

    def score(chosen: list[int]) -> float:
        return TASK.score(np.log(opinions[chosen].mean(0).numpy()), truths)

    chosen = max((order[:many] for many in (1, 2, 3)), key=score)
    while len(chosen) < 6:
        chosen = [*chosen, max(range(12), key=lambda place: score([*chosen, place]))]
    assert found == [chosen.count(place) for place in range(12)]
    assert accuracy(opinions[chosen].mean(0), truths) >= accuracy(opinions[order[0]], truths)


def test_the_best_are_the_best() -> None:
    opinions, truths = library()
    found = choose.best(TASK, opinions, truths, 3)
    scores = choose.scores(TASK, opinions, truths)
    assert sum(found) == 3
    assert min(s for s, v in zip(scores, found, strict=True) if v) >= max(
        s for s, v in zip(scores, found, strict=True) if not v
    )
    assert choose.best(TASK, opinions, truths, 99) == [1] * 12


def test_bags_add_their_votes_and_depend_on_the_seed_alone() -> None:
    opinions, truths = library()
    one = choose.greedy(TASK, opinions, truths, 4, bags=5, seed=3)
    assert sum(one) == 20
    assert one == choose.greedy(TASK, opinions, truths, 4, bags=5, seed=3)
    assert one != choose.greedy(TASK, opinions, truths, 4, bags=5, seed=4)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_numbers_are_chosen_by_their_error(size: int) -> None:
    draws = np.random.default_rng(0)
    truth = draws.normal(50, 5, 100)
    each = truth + draws.normal(size=(6, 100)) * np.array([9, 2, 8, 2, 9, 9])[:, None]
    task = Regress({"centre": 50.0, "scale": 5.0})
    found = choose.greedy(task, torch.from_numpy(each[..., None]), [Value(v) for v in truth], size)
    assert sum(found) == size
    assert found[1] + found[3] == size or size == 5
    assert found[1] + found[3] >= size - 2
