"""Every metric against scikit-learn's of the same name."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from opsin.metrics import accuracy, balanced, confusion, logloss, prf, regression


@pytest.fixture(params=range(5))
def answers(request):
    draws = np.random.default_rng(request.param)
    n, k = int(draws.integers(5, 400)), int(draws.integers(2, 12))
    truth = np.minimum(draws.geometric(0.4, n) - 1, k - 1)  # rare classes, some absent
    scores = draws.dirichlet(np.ones(k), n)
    scores[np.arange(n), truth] += 0.3
    scores /= scores.sum(1, keepdims=True)
    return truth.astype(np.int64), scores, k


def test_labels(answers):
    truth, scores, k = answers
    said = scores.argmax(1)
    every = np.arange(k)
    assert accuracy.accuracy(truth, said).value == sk.accuracy_score(truth, said)
    top = sk.top_k_accuracy_score(truth, scores, k=2, labels=every) if k > 2 else None
    if top is not None:
        assert accuracy.top(2, scores, truth).value == pytest.approx(top, abs=1e-12)
    recall = sk.recall_score(truth, said, labels=np.unique(truth), average="macro")
    assert balanced.balanced_accuracy(truth, said, k).value == pytest.approx(recall, abs=1e-12)
    f1 = sk.f1_score(truth, said, average="macro")
    assert prf.macro_f1(truth, said, k).value == pytest.approx(f1, abs=1e-12)
    theirs = sk.precision_recall_fscore_support(truth, said, labels=every, zero_division=0)
    for mine, their in zip(prf.per_class(truth, said, k), theirs, strict=True):
        np.testing.assert_allclose(mine, their, atol=1e-12)
    counts = sk.confusion_matrix(truth, said, labels=every)
    assert (confusion.confusion(truth, said, k) == counts).all()
    loss = sk.log_loss(truth, scores, labels=every)
    assert logloss.log_loss(logloss.costs(scores, truth)) == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_numbers(seed):
    draws = np.random.default_rng(seed)
    truth = draws.normal(50, 20, 200)
    said = truth + draws.normal(0, 9, 200)
    assert regression.mae(said, truth) == pytest.approx(sk.mean_absolute_error(truth, said))
    rmse = sk.root_mean_squared_error(truth, said)
    assert regression.rmse(said, truth) == pytest.approx(rmse)
    assert regression.r2(said, truth) == pytest.approx(sk.r2_score(truth, said))
    median = sk.median_absolute_error(truth, said)
    assert regression.median_error(said, truth) == pytest.approx(median)


@pytest.mark.parametrize("said", [[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
def test_r2_of_equal_truths(said):
    truth = np.array([2.0, 2.0, 2.0])
    assert regression.r2(np.array(said), truth) == sk.r2_score(truth, said)


def test_statistics_take_rows_of_samples():
    draws = np.random.default_rng(9)
    truth, said = draws.normal(0, 1, (2, 7, 60))
    for statistic in (regression.mae, regression.rmse, regression.r2, regression.median_error):
        rows = [float(statistic(s, t)) for t, s in zip(truth, said, strict=True)]
        assert statistic(said, truth).tolist() == rows
