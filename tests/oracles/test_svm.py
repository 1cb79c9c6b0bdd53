"""The linear support vector machine against scikit-learn's, on the same strength."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.svm import LinearSVC

from opsin.tasks import _svm
from opsin.tasks._lbfgs import alone, descend


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    features, truth = load_digits(return_X_y=True)
    return features[:n].astype(np.float32), truth[:n]


@pytest.mark.parametrize("balanced", [False, True])
def test_same_minimum_as_linear_svc(balanced: bool) -> None:
    features, truth = digits(300)
    if balanced:  # some classes are rare
        some = (truth > 3) | (np.arange(300) % 4 == 0)
        features, truth = features[some], truth[some]
    weights = len(truth) / (10 * np.bincount(truth)) if balanced else np.ones(10)
    centre, length = _svm.scale(features)
    scaled = (features - centre) / length
    counts = torch.from_numpy(weights[truth].astype(np.float32))
    problem = _svm._Problem.of(torch.from_numpy(scaled), truth, counts, 10)
    problem = problem.split(truth, 3, 0, whole=True)
    strength = 300.0
    with alone():
        point = descend(problem, problem.start, problem.ridge(strength), steps=600, rest=1e-8)
    for column in (0, 3):  # one fold, and all samples
        seen = (problem.fold != column).numpy()
        total = float(counts[torch.from_numpy(seen)].sum())
        # Theirs holds the constant back as well; a large scale of its input makes that harmless.
        theirs = LinearSVC(
            C=strength / total, intercept_scaling=100, tol=1e-8, max_iter=100_000, dual=False
        )
        theirs.fit(scaled[seen], truth[seen], sample_weight=weights[truth[seen]])
        mine = point[:-1, column].T.numpy()
        np.testing.assert_allclose(mine, theirs.coef_, atol=0.01 * np.abs(theirs.coef_).max())
        np.testing.assert_allclose(point[-1, column].numpy(), theirs.intercept_, atol=0.02)


def test_chosen_machine_is_as_good_as_scikit_learns_best() -> None:
    features, truth = digits(1797)
    held = np.arange(len(truth)) % 3 == 0
    head = _svm.solve(features[~held], truth[~held], k=10, seed=0)
    mine = ((features[held] @ head.weight.T + head.bias).argmax(1) == truth[held]).mean()
    centre, length = _svm.scale(features[~held])
    best = 0.0
    for strength in (0.1, 1.0, 10.0):
        theirs = LinearSVC(C=strength, dual=False)
        theirs.fit((features[~held] - centre) / length, truth[~held])
        best = max(best, theirs.score((features[held] - centre) / length, truth[held]))
    assert mine >= best - 0.01
    honest = (head.outputs.argmax(1) == truth[~held]).mean()
    assert mine - 0.04 < honest < mine + 0.04


def test_without_folds_the_head_is_the_same_and_says_nothing_of_its_samples() -> None:
    features, truth = digits(400)
    whole = _svm.solve(features, truth, k=10, seed=0)
    alone = _svm.solve(features, truth, k=10, seed=0, folds=0)
    assert alone.outputs.shape == (0, 10)
    mine, other = (features @ head.weight.T + head.bias for head in (whole, alone))
    assert (mine.argmax(1) == other.argmax(1)).mean() > 0.99


def test_narrowed_rows_have_the_same_angles() -> None:
    rows = torch.randn(20, 300, generator=torch.Generator().manual_seed(0))
    rows[7] = rows[3]  # one less than there are
    few, axes = _svm.narrowed(rows)
    assert few.shape == (20, 19)
    torch.testing.assert_close(few @ few.T, rows @ rows.T, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(axes.T @ axes, torch.eye(19), atol=1e-4, rtol=0)


def test_wide_rows_have_the_head_of_narrow_ones() -> None:
    """More features than samples: turned onto fewer axes, the machine is the same."""
    features, truth = digits(60)
    wide = np.concatenate([features, features[:, ::-1] ** 2 / 16], 1)
    head = _svm.solve(wide, truth, k=10, seed=0, folds=0)
    centre, length = _svm.scale(wide)
    strength = float(head.note.split("C=")[1].split(" ")[0])
    theirs = LinearSVC(C=strength, intercept_scaling=100, tol=1e-8, dual=False)
    theirs.fit((wide - centre) / length, truth)
    mine = wide @ head.weight.T + head.bias
    wanted = theirs.decision_function((wide - centre) / length)
    assert np.corrcoef(mine.ravel(), wanted.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("n", [2, 3, 7])
def test_few_samples_and_missing_classes(n: int) -> None:
    features = np.random.default_rng(0).normal(size=(n, 50)).astype(np.float32)
    truth = np.arange(n) % 3
    features[np.arange(n), truth] += 9
    head = _svm.solve(features, truth, k=5, seed=0)
    said = features @ head.weight.T + head.bias
    assert np.isfinite(said).all() and head.outputs.shape == (n, 5)
    assert (said.argmax(1) == truth).all()


def test_samples_that_are_all_alike() -> None:
    head = _svm.solve(np.ones((6, 4), np.float32), np.arange(6) % 2, k=2, seed=0)
    assert np.isfinite(head.weight).all() and np.isfinite(head.bias).all()
