"""The heads' descent and closed form against scikit-learn on the same strength."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from opsin.tasks import _lbfgs, _logistic, _ridge


@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_regression_reaches_the_same_minimum(balanced):
    features, truth = load_digits(return_X_y=True)
    features, truth = features[:400].astype(np.float32), truth[:400]
    if balanced:  # some classes are rare
        some = (truth > 3) | (np.arange(400) % 4 == 0)
        features, truth = features[some], truth[some]
    weights = len(truth) / (10 * np.bincount(truth)) if balanced else np.ones(10)
    centre, spread = _logistic.scale(features)
    scaled = (features - centre) / spread
    inputs = torch.nn.functional.pad(torch.from_numpy(scaled), (0, 1), value=1.0)
    counts = torch.from_numpy(weights.astype(np.float32)[truth])
    problem = _logistic._Problem.of(inputs, truth, counts, k=10, folds=5, seed=0)
    for strength in (1e-3, 1e-2):
        ridge = problem.ridge(strength)
        point = _lbfgs.descend(problem, problem.start, ridge, steps=400, rest=1e-7)
        for column in (0, 5):  # one fold, and all samples
            seen = (problem.fold != column).numpy()
            sklearn = LogisticRegression(
                C=strength, max_iter=2000, tol=1e-8, class_weight=dict(enumerate(weights))
            )
            sklearn.fit(scaled[seen], truth[seen])
            weight = point[:-1, column].T.numpy()
            np.testing.assert_allclose(weight, sklearn.coef_, atol=2e-3)


def test_chosen_head_is_as_good_as_scikit_learns_best():
    features, truth = load_digits(return_X_y=True)
    features, held = features.astype(np.float32), np.arange(len(truth)) % 3 == 0
    head = _logistic.solve(features[~held], truth[~held], k=10, seed=0)
    mine = ((features[held] @ head.weight.T + head.bias).argmax(1) == truth[held]).mean()
    scaler = StandardScaler().fit(features[~held])
    best = 0.0
    for strength in (1e-2, 1e-1):
        theirs = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
        theirs.fit(scaler.transform(features[~held]), truth[~held])
        best = max(best, theirs.score(scaler.transform(features[held]), truth[held]))
    assert mine >= best - 0.01


@pytest.mark.parametrize("width", [10, 200])  # fewer features than samples, and more
def test_ridge_and_its_leave_one_out(width):
    features, target = load_diabetes(return_X_y=True)
    draws = np.random.default_rng(0)
    rows = features[:90] @ draws.normal(0, 1, (10, width)) + 0.1 * draws.normal(0, 1, (90, width))
    rows, target = rows.astype(np.float32), target[:90]
    head = _ridge.solve(rows, target)
    strength = float(head.note.split("strength ")[1].split(" ")[0])
    exact = min(_ridge.STRENGTHS, key=lambda s: abs(s / strength - 1)) * 90
    centre, spread = _logistic.scale(rows)
    scaled = ((rows - centre) / spread).astype(np.float64)
    theirs = Ridge(alpha=exact).fit(scaled, target)
    np.testing.assert_allclose(
        rows @ head.weight[0] + head.bias[0], theirs.predict(scaled), rtol=2e-3
    )
    alone = cross_val_predict(Ridge(alpha=exact), scaled, target, cv=LeaveOneOut())
    np.testing.assert_allclose(head.outputs[:, 0], alone, rtol=2e-3)
