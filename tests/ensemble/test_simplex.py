"""The least on the simplex, beside scipy's SLSQP and beside what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from opsin.ensemble import choose
from opsin.ensemble.simplex import minimise
from opsin.results import Label, Value
from opsin.tasks.classify import Classify
from opsin.tasks.regress import Regress


def members(m: int, n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw probabilities (M, N, K) of members of different worth, and classes (N,)."""
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, k, n)
    logits = draws.normal(size=(m, n, k)) * 2
    logits[:, np.arange(n), truth] += draws.uniform(0, 3, (m, 1))
    odds = np.exp(logits)
    return odds / odds.sum(-1, keepdims=True), truth


@pytest.mark.parametrize("seed", range(6))
def test_weights_of_classes_lose_what_scipy_loses(seed: int) -> None:
    m = 2 + seed
    each, truth = members(m, 300, 4, seed)
    own = each[:, np.arange(300), truth].T  # (N, M)
    task = Classify(tuple("abcd"))
    found = choose.weights(task, torch.from_numpy(each), [Label("abcd"[k]) for k in truth])
    assert sum(found) == pytest.approx(1) and min(found) >= 0

    def loss(point: np.ndarray) -> float:
        return float(-np.log(own @ point).mean())

    scipy = minimize(
        loss,
        np.full(m, 1 / m),
        jac=lambda point: -(own / (own @ point)[:, None]).mean(0),
        bounds=[(0, 1)] * m,
        constraints={"type": "eq", "fun": lambda point: point.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert loss(np.array(found)) <= scipy.fun + 1e-8
    # What proves it: no member's share of the pooled probability is above 1 (Karush-Kuhn-Tucker).
    assert (own / (own @ np.array(found))[:, None]).mean(0).max() <= 1 + 1e-5
    assert found == choose.weights(task, torch.from_numpy(each), [Label("abcd"[k]) for k in truth])


@pytest.mark.parametrize("seed", range(3))
def test_weights_of_numbers_lose_what_scipy_loses(seed: int) -> None:
    draws = np.random.default_rng(seed)
    truth = draws.normal(100, 10, 200)
    each = (
        truth + draws.normal(0, draws.uniform(1, 8, (5, 1)), (5, 200)) + draws.normal(size=(5, 1))
    )
    task = Regress({"centre": 100.0, "scale": 10.0})
    found = choose.weights(task, torch.from_numpy(each[..., None]), [Value(v) for v in truth])

    def loss(point: np.ndarray) -> float:
        off = np.abs(point @ each - truth) / 10
        return float(np.where(off < 1, off**2 / 2, off - 0.5).mean())

    scipy = minimize(
        loss,
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda point: point.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert loss(np.array(found)) <= scipy.fun + 1e-6


def test_who_adds_nothing_gets_nothing() -> None:
    each, truth = members(3, 400, 3, 1)
    perfect = np.full((1, 400, 3), 0.01)
    perfect[0, np.arange(400), truth] = 0.98
    opinions = torch.from_numpy(np.concatenate([each, perfect]))
    found = choose.weights(Classify(tuple("abc")), opinions, [Label("abc"[k]) for k in truth])
    assert found == [0.0, 0.0, 0.0, 1.0]


def test_twins_have_one_least_value_and_one_alone_has_all() -> None:
    def bowl(point: Tensor) -> Tensor:
        return (point[0] + point[1] - 0.5) ** 2 + point[2] ** 2

    found = minimise(bowl, 3)
    assert float(bowl(torch.from_numpy(found))) == pytest.approx(0.125, abs=1e-9)
    assert minimise(lambda point: point.sum() ** 2, 1).tolist() == [1.0]
