"""Baselines, suspects, folds and score rows: what stands beside every task."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.recipe import Recipe
from opsin.results import Label, Value
from opsin.tasks import _baseline, _folds
from opsin.tasks._scores import Scores, table
from opsin.tasks._suspects import suspects
from opsin.tasks.classify import Classify
from opsin.tasks.regress import Regress


def pictures(hues, side=24, seed=0):
    draws = np.random.default_rng(seed)
    noise = draws.integers(-30, 31, (len(hues), 3, side, side))
    return (np.array(hues)[:, :, None, None] + noise).clip(0, 255).astype(np.uint8)


HUES = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def test_neighbours_know_colours_and_guess_does_not():
    draws = np.random.default_rng(0)
    truths = [
        Label(name) for name in draws.choice(["red", "green", "blue"], 120, p=[0.5, 0.3, 0.2])
    ]
    pixels = pictures([HUES[truth.name] for truth in truths])
    task = Classify(tuple(HUES))
    said = _baseline.neighbours(task, pixels[:80], truths[:80], pixels[80:])
    assert task.measure(said, truths[80:]).metrics["accuracy"].value == 1.0
    blind = _baseline.guess(task, truths[:80], truths[80:])
    assert {answer.name for answer in blind} == {"red"}
    share = sum(truth.name == "red" for truth in truths[:80]) / 80
    assert blind[0].score == share == blind[0].scores["red"]


def test_neighbours_know_numbers():
    bright = np.random.default_rng(1).uniform(40, 200, 150)
    pixels = pictures([(b, b, b) for b in bright])
    truths = [Value(float(b)) for b in bright]
    task = Regress({"centre": 120.0, "scale": 40.0})
    said = _baseline.neighbours(task, pixels[:100], truths[:100], pixels[100:])
    blind = _baseline.guess(task, truths[:100], truths[100:])
    assert blind[0].value == np.median(bright[:100])
    mine, theirs = (task.measure(s, truths[100:]).metrics["mae"].value for s in (said, blind))
    assert mine < 0.5 * theirs


def test_nearest_as_scikit_learn_finds_them():
    from sklearn.neighbors import NearestNeighbors

    draws = np.random.default_rng(2)
    rows = np.sqrt(draws.dirichlet(np.ones(30), 700)).astype(np.float32)
    theirs = NearestNeighbors(n_neighbors=4).fit(rows[:100]).kneighbors(rows[100:])[1]
    assert (_baseline.nearest(rows[100:], rows[:100], 4) == theirs).mean() > 0.999


@pytest.mark.parametrize("channels", [1, 3])
def test_histograms_are_shares(channels):
    draws = np.random.default_rng(3)
    pixels = draws.integers(0, 256, (5, channels, 90, 70), dtype=np.uint8)
    found = _baseline.histograms(pixels)
    np.testing.assert_allclose((found**2).sum(1), 1, rtol=1e-5)


def test_three_thousand_pictures_are_quick():
    draws = np.random.default_rng(4)
    pixels = draws.integers(0, 256, (1700, 3, 128, 128), dtype=np.uint8)
    truths = [Label(name) for name in draws.choice(list(HUES), 1500)]
    began = time.process_time()
    _baseline.neighbours(Classify(tuple(HUES)), pixels[:1500], truths, pixels[1500:])
    assert time.process_time() - began < 2


def test_one_picture_has_no_neighbour():
    with pytest.raises(DataError):
        _baseline.neighbours(
            Classify(tuple(HUES)), pictures([HUES["red"]]), [Label("red")], pictures([HUES["red"]])
        )


def test_most_flipped_labels_of_digits_are_suspected_first():
    features, truth = load_digits(return_X_y=True)
    draws = np.random.default_rng(5)
    flipped = draws.choice(len(truth), len(truth) // 20, replace=False)
    wrong = truth.copy()
    wrong[flipped] = (truth[flipped] + draws.integers(1, 10, len(flipped))) % 10
    truths = [Label(str(t)) for t in wrong]
    task = Classify(tuple("0123456789"))
    head = task.solve(features.astype(np.float32), truths, Recipe())
    found = suspects(task, head.outputs, truths)
    top = found[: len(flipped)]
    hits = len(set(flipped) & {each.index for each in top})
    assert hits >= 0.7 * len(flipped) and hits >= 0.9 * len(top)
    told = [each.said.name == str(truth[each.index]) for each in top if each.index in flipped]
    assert np.mean(told) > 0.9
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_clean_labels_are_hardly_suspected():
    features, truth = load_digits(return_X_y=True)
    truths = [Label(str(t)) for t in truth]
    task = Classify(tuple("0123456789"))
    head = task.solve(features.astype(np.float32), truths, Recipe())
    assert len(suspects(task, head.outputs, truths)) < 0.04 * len(truth)


def test_a_class_of_one_is_not_accused():
    draws = np.random.default_rng(6)
    features = draws.normal(size=(61, 10)).astype(np.float32)
    features[:30] += 3
    features[60] -= 12
    truths = [Label(name) for name in ["a"] * 30 + ["b"] * 30 + ["rare"]]
    task = Classify.of(Dataset(tuple(Sample(b"", truth) for truth in truths)))
    head = task.solve(features, truths, Recipe())
    assert 60 not in {each.index for each in suspects(task, head.outputs, truths)}


def test_wrong_numbers_are_suspected():
    draws = np.random.default_rng(7)
    features = draws.normal(size=(400, 6)).astype(np.float32)
    numbers = 100 + features @ np.arange(1, 7) + draws.normal(size=400)
    numbers[[3, 77, 200]] *= 10  # a slip of the comma
    truths = [Value(float(number)) for number in numbers]
    task = Regress.of(Dataset(tuple(Sample(b"", truth) for truth in truths)))
    found = suspects(task, task.solve(features, truths, Recipe()).outputs, truths)
    assert {each.index for each in found[:3]} == {3, 77, 200}
    assert len(found) < 20


def test_folds_are_equal_and_spread_classes():
    truth = np.repeat(np.arange(12), [50, 31, 7, 5, 4, 3, 2, 2, 2, 1, 1, 1])
    fold = _folds.stratified(truth, 5, seed=0)
    sizes = np.bincount(fold)
    assert sizes[5] == 3 and sizes[:5].max() - sizes[:5].min() <= 3
    for name in range(9):
        held = np.bincount(fold[truth == name], minlength=6)
        assert held[5] == 0 and held[:5].max() - held[:5].min() <= 1
    assert (fold == _folds.stratified(truth, 5, seed=0)).all()


def test_thinning_keeps_shares_and_two_of_each():
    truth = np.repeat(np.arange(4), [1000, 100, 10, 2])
    chosen = _folds.thinned(truth, 111, 10, seed=0)
    assert np.bincount(truth[chosen]).tolist() == [100, 10, 2, 2]
    few = _folds.thinned(truth, 10_000, 2, seed=0)
    assert len(np.unique(truth[few])) == 2


def test_score_rows_read_like_dictionaries():
    row = Scores({"a": 0, "b": 1}, np.array([0.25, 0.75]))
    assert row == {"a": 0.25, "b": 0.75} and dict(row) == row and "c" not in row
    assert repr(row) == "{'a': 0.25, 'b': 0.75}"
    said = [Label("b", 0.75, row), Label("b", 0.75, {"b": 0.75, "a": 0.25}), Label("b", 0.75)]
    assert table(said, ["a", "b"]).tolist() == [[0.25, 0.75]] * 3
    assert table([Label("z", 0.9)], ["a", "b"]) == pytest.approx(np.array([[0.05, 0.05]]))
