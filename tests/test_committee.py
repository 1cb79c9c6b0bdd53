"""Ways of voting, beside scikit-learn's VotingClassifier; ties by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from opsin.committee import called, majority, mean


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, ...]:
    data = load_digits()
    return data.data[:600], data.target[:600], data.data[600:], data.target[600:]


def fitted(digits: tuple[np.ndarray, ...], **settings: object) -> VotingClassifier:
    """Return scikit-learn's committee of three quick classifiers of different kinds."""
    each = [
        ("bayes", GaussianNB(var_smoothing=1e-2)),
        ("near", KNeighborsClassifier(9)),
        ("tree", DecisionTreeClassifier(max_depth=6, random_state=0)),
    ]
    return VotingClassifier(each, **settings).fit(digits[0], digits[1])


def opinions(each: VotingClassifier, pictures: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(one.predict_proba(pictures)) for one in each.estimators_]


@pytest.mark.parametrize("weights", [None, [1, 2, 5]])
def test_the_mean_is_scikit_learns_soft_vote(
    digits: tuple[np.ndarray, ...], weights: list[int] | None
) -> None:
    theirs = fitted(digits, voting="soft", weights=weights)
    ours = mean(opinions(theirs, digits[2]), weights or [1, 1, 1])
    np.testing.assert_allclose(ours.numpy(), theirs.predict_proba(digits[2]), atol=1e-12)


@pytest.mark.parametrize("weights", [None, [1, 1, 3]])
def test_the_majority_is_scikit_learns_hard_vote_where_there_is_one(
    digits: tuple[np.ndarray, ...], weights: list[int] | None
) -> None:
    theirs = fitted(digits, voting="hard", weights=weights)
    each, votes = opinions(theirs, digits[2]), weights or [1, 1, 1]
    ours = majority(each, votes)
    torch.testing.assert_close(ours.sum(1), torch.ones(len(ours), dtype=ours.dtype))
    ballots = np.zeros(ours.shape)
    for one, vote in zip(each, votes, strict=True):
        ballots[np.arange(len(ballots)), one.argmax(1)] += vote
    clear = (ballots == ballots.max(1, keepdims=True)).sum(1) == 1
    assert clear.sum() > 0
    said = theirs.classes_[ours.argmax(1).numpy()]
    assert (said[clear] == theirs.predict(digits[2])[clear]).all()
    # Of those that are even, the one with the larger mean probability wins.
    likely = mean(each, votes).numpy()
    even = np.where(ballots == ballots.max(1, keepdims=True), likely, -1).argmax(1)
    assert (ours.argmax(1).numpy()[~clear] == even[~clear]).all()


def test_no_mean_outvotes_a_vote() -> None:
    sure, unsure = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.51, 0.49])
    assert int(majority([sure, unsure, unsure], [1, 1, 1]).argmax()) == 1
    torn = torch.tensor([0.49, 0.51, 0.0])
    assert int(mean([sure, torn, torn], [1, 1, 1]).argmax()) == 0
    assert int(majority([sure, torn, torn], [1, 1, 1]).argmax()) == 1
    assert int(majority([sure, unsure], [1, 1]).argmax()) == 0
    assert int(majority([sure, unsure], [1, 2]).argmax()) == 1


def test_names_are_counted() -> None:
    assert called(["a"]) == "a" and called(["b", "a", "b"]) == "2 × b + a"
