"""Diversity beside scikit-learn, and beside counts by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from opsin.ensemble import diversity as room
from opsin.results import Label, Value
from opsin.tasks.classify import Classify
from opsin.tasks.regress import Regress


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(0)
    truth = draws.integers(0, 3, 80)
    wrong = draws.random((4, 80)) < 0.3
    return np.where(wrong, draws.integers(0, 3, (4, 80)), truth), truth


def test_kappa_is_scikit_learns(answers: tuple[np.ndarray, np.ndarray]) -> None:
    said, _ = answers
    wanted = [cohen_kappa_score(one, other) for one, other in combinations(said, 2)]
    assert room.kappa(said) == pytest.approx(np.mean(wanted))
    assert room.kappa(np.zeros((2, 5), np.int64)) is None


def test_pairs_are_counted(answers: tuple[np.ndarray, np.ndarray]) -> None:
    said, truth = answers
    right = said == truth
    pairs = list(combinations(right, 2))
    unlike = [float(np.mean(one != other)) for one, other in pairs]
    both = [float(np.mean(~one & ~other)) for one, other in pairs]
    assert room.disagreement(right).mean() == pytest.approx(np.mean(unlike))
    assert room.double_fault(right).mean() == pytest.approx(np.mean(both))
    odds = []
    for one, other in pairs:
        a, b, c, d = (
            sum(x == u and y == v for x, y in zip(one, other, strict=True))
            for u, v in ((1, 1), (1, 0), (0, 1), (0, 0))
        )
        odds.append((a * d - b * c) / (a * d + b * c))
    assert room.q_statistic(right) == pytest.approx(np.mean(odds))
    assert room.q_statistic(np.ones((3, 9), bool)) is None


def test_labels_and_numbers_are_told_apart_by_what_they_are(
    answers: tuple[np.ndarray, np.ndarray],
) -> None:
    said, truth = answers
    labels = [[Label("abc"[k]) for k in row] for row in said]
    found = room.diversity(Classify(tuple("abc")), labels, [Label("abc"[k]) for k in truth])
    missed = (said != truth).all(0).mean()
    assert found.intervals["missed_by_all"].value == pytest.approx(missed)
    assert "kappa" in found.words() and found.to_dict()["disagreement"]["n"] == 80

    draws = np.random.default_rng(1)
    errors = draws.normal(size=(3, 50))
    values = [[Value(float(v)) for v in row + 7] for row in errors]
    task = Regress({"centre": 0.0, "scale": 1.0})
    alike = room.diversity(task, values, [Value(7.0)] * 50).means["error_correlation"]
    wanted = np.corrcoef(errors)[np.triu_indices(3, 1)].mean()
    assert alike == pytest.approx(wanted)
    assert room.diversity(task, values[:1], [Value(7.0)] * 50).words() == ""
