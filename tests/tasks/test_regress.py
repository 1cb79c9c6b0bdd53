"""Giving a number: units, intervals, robustness."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.recipe import Recipe
from opsin.results import Label, Value
from opsin.tasks.regress import Regress


def values(numbers):
    return [Value(float(number)) for number in numbers]


def task_of(numbers):
    return Regress.of(Dataset(tuple(Sample(b"", value) for value in values(numbers))))


def test_what_is_encoded_is_decoded():
    numbers = [120.0, 80.0, 1e4, -3.0]
    task = task_of(numbers)
    targets = task.encode(values(numbers))
    assert targets.shape == (4, 1) and targets.dtype == torch.float32
    assert float(targets.mean()) == pytest.approx(0, abs=1e-6)
    said = [answer.value for answer in task.decode(targets.numpy())]
    assert said == pytest.approx(numbers, abs=1e-6 * 1e4)


def test_equal_numbers_are_nothing_to_learn():
    with pytest.raises(DataError, match="all 7"):
        task_of([7.0, 7.0, 7.0])


def test_loss_is_small_for_absurd_numbers():
    task = task_of(range(100))
    targets = torch.tensor([[0.0], [100.0]])
    (loss,) = task.loss(torch.zeros(2, 1), targets, Recipe()).values()
    assert float(loss) == pytest.approx((100 - 0.5) / 2)


def test_intervals_hold_ninety_of_a_hundred():
    draws = np.random.default_rng(0)
    task, held = task_of(range(10)), []
    for _ in range(40):
        truth = draws.normal(4.5, 3, 250)
        outputs = ((truth + draws.standard_t(3, 250) - 4.5) / task.state["scale"])[:, None]
        task.calibrate(outputs[:50].astype(np.float32), values(truth[:50]))
        said = task.decode(outputs[50:].astype(np.float32))
        held += [s.low <= t <= s.high for s, t in zip(said, truth[50:], strict=True)]
    assert 0.88 <= np.mean(held) <= 0.93


def test_eight_pictures_promise_nothing_and_nine_do():
    task, outputs = task_of(range(9)), np.zeros((9, 1), np.float32)
    task.calibrate(outputs[:8], values(range(8)))
    assert task.decode(outputs)[0].low is None
    task.calibrate(outputs, values(range(9)))
    assert task.decode(outputs)[0] == Value(4.0, 0.0, 8.0)
    assert Regress.restore((), json.loads(json.dumps(task.state))).state == task.state


def test_measures_by_hand_in_any_order():
    task = task_of(range(4))
    said, true = values([1, 2, 3, 8]), values([1, 3, 3, 4])
    found = task.measure(said, true)
    expected = {"mae": 5 / 4, "rmse": (17 / 4) ** 0.5, "median_error": 0.5}
    for name, value in expected.items():
        assert found.metrics[name].value == pytest.approx(value)
    assert found.metrics["r2"].value == pytest.approx(1 - 17 / 4.75)
    assert task.measure(said[::-1], true[::-1]) == found
    scatter, histogram = found.figures
    assert scatter.dots and scatter.diagonal and (4.0, 8.0) in scatter.series["pictures"]
    assert sum(histogram.values.values()) == 4 and len(histogram.values) == 15


def test_a_scatter_of_many_is_thinned():
    task = task_of(range(10))
    numbers = values(np.random.default_rng(1).normal(size=5000))
    assert len(task.measure(numbers, numbers).figures[0].series["pictures"]) <= 2000


def test_a_net_that_diverged_is_infinitely_off():
    task = task_of(range(4))
    assert task.score(np.full((2, 1), np.nan, np.float32), values([1, 2])) == float("inf")


@pytest.mark.parametrize("shape", [(3, 50), (300, 5), (2, 1), (40, 40)])
def test_heads_of_all_kinds_of_data(shape):
    draws = np.random.default_rng(2)
    features = draws.normal(size=shape).astype(np.float32)
    features[:, 0] = 5.0  # constant
    truth = 1000 + 50 * features.sum(1) + draws.normal(size=shape[0])
    task = task_of(truth)
    head = task.solve(features, values(truth), Recipe())
    assert head.weight.shape == (1, shape[1]) and head.bias.shape == (1,)
    assert head.outputs.shape == (shape[0], 1)
    assert np.isfinite(head.weight).all() and np.isfinite(head.outputs).all()
    if shape == (300, 5):
        error = task.score(features @ head.weight.T + head.bias, values(truth))
        assert error < 1.1 < task.score(head.outputs, values(truth)) * 1.5


@pytest.mark.parametrize("said", [[], [Value(1.0), Value(2.0)], [Label("a")]])
def test_nothing_to_measure(said):
    with pytest.raises(DataError):
        task_of(range(3)).measure(said, values([1.0]) if said else [])
    with pytest.raises(DataError):
        task_of([1.0])
