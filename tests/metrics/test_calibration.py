"""Reliability, calibration error and temperature."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.metrics.calibration import calibration_error, reliability, temperature


def test_error_by_hand():
    sure = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    # 4/6 |0.95 - 0.75| + 2/6 |0.55 - 0.5|
    assert calibration_error(sure, right, bins=10) == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.05)


def test_bins_close_above_as_in_the_paper():
    table = reliability(np.array([0.0, 0.5, 0.5 + 1e-9, 1.0]), np.ones(4, bool), bins=2)
    assert table.samples.tolist() == [2, 2]


def test_rows_of_samples_are_judged_apart():
    draws = np.random.default_rng(0)
    sure, right = draws.random((3, 40)), draws.random((3, 40)) < 0.5
    found = calibration_error(sure, right)
    assert found.tolist() == [
        float(calibration_error(*row)) for row in zip(sure, right, strict=True)
    ]


def test_the_temperature_that_made_the_data_is_found():
    draws = np.random.default_rng(1)
    logits = draws.normal(0, 2, (20_000, 5))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (chances.cumsum(1) < draws.random((20_000, 1))).sum(1)
    for times in (0.5, 1.0, 3.0):
        assert temperature(logits * times, truth) == pytest.approx(times, rel=0.05)


def test_temperature_as_torch_finds_it():
    torch = pytest.importorskip("torch")
    draws = np.random.default_rng(2)
    logits, truth = draws.normal(0, 3, (4000, 4)), draws.integers(0, 4, 4000)
    logits[np.arange(4000), truth] += 2
    log = torch.zeros((), dtype=torch.float64, requires_grad=True)
    tuner = torch.optim.LBFGS([log], max_iter=200, line_search_fn="strong_wolfe")

    def cost():
        tuner.zero_grad()
        outputs = torch.from_numpy(logits) / log.exp()
        loss = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(truth))
        loss.backward()
        return loss

    tuner.step(cost)
    # Softened truths (n + 1) / (n + 2) move it by about 1 / n.
    assert temperature(logits, truth) == pytest.approx(float(log.detach().exp()), rel=2e-3)


def test_few_right_answers_do_not_claim_certainty():
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    found = temperature(logits, np.array([0, 1, 0]))
    chance = 1 / (1 + np.exp(-2.0 / found))
    assert chance < 0.95


def test_nothing_to_learn_from():
    assert temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) == 1.0
    assert temperature(np.zeros((4, 3)), np.zeros(4, np.int64)) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_it_never_costs_likelihood(seed):
    draws = np.random.default_rng(seed)
    n = int(draws.integers(1, 30))
    logits, truth = draws.normal(0, draws.uniform(0.1, 9), (n, 3)), draws.integers(0, 3, n)
    found = temperature(logits, truth)

    def loss(by):
        scaled = logits / by
        return np.mean(np.log(np.exp(scaled).sum(1)) - scaled[np.arange(n), truth])

    assert loss(found) <= loss(1.0)
