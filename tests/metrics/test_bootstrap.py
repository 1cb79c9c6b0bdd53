"""The bootstrap: deterministic, blind to order, as wide as theory says, quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsin.metrics import bootstrap, wilson
from opsin.metrics.balanced import balanced_accuracy
from opsin.metrics.prf import macro_f1
from opsin.metrics.regression import rmse


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(-1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.randoms())
def test_order_does_not_matter_to_the_last_bit(values, random):
    shuffled = random.sample(values, len(values))
    first = bootstrap.metric(mean, np.array(values))
    assert bootstrap.metric(mean, np.array(shuffled)) == first
    assert first.low <= first.value <= first.high


def test_columns_stay_together_when_sorted():
    draws = np.random.default_rng(0)
    truth, said = draws.integers(0, 4, (2, 300))
    turned = draws.permutation(300)
    assert bootstrap.metric(rmse, truth, said) == bootstrap.metric(
        rmse, truth[turned], said[turned]
    )


def test_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(3.0, 2.0, 2000)
    low, high = bootstrap.interval(mean, values, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        low, high = bootstrap.interval(mean, draws.normal(0, 1, 80), resamples=300)
        held += low <= 0 <= high
    assert 0.90 <= held / 300 <= 0.98


def test_level_and_seed_count():
    values = np.random.default_rng(3).random(50)
    narrow, wide = (bootstrap.interval(mean, values, level=level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap.interval(mean, values, seed=1) != bootstrap.interval(mean, values, seed=2)


def test_ten_thousand_samples_are_quick():
    values = np.random.default_rng(4).random(10_000)
    bootstrap.metric(mean, values)
    began = time.process_time()
    bootstrap.metric(mean, values)
    assert time.process_time() - began < 0.3


def test_one_sample():
    found = bootstrap.metric(mean, np.array([2.5]))
    assert (found.value, found.low, found.high, found.n) == (2.5, 2.5, 2.5, 1)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(hits, n, low, high):
    found = wilson.interval(hits, n)
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(pair):
    hits, n = pair
    low, high = wilson.interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1


# ── means of proportions ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("counts", [(4,) * 4, (1,) * 16, (8, 8)])
def test_a_perfect_score_on_even_classes_is_as_uncertain_as_accuracy(counts):
    truth = np.repeat(np.arange(len(counts)), counts)
    low, high = wilson.interval(16, 16)
    for metric in (balanced_accuracy, macro_f1):
        found = metric(truth, truth, len(counts))
        assert (found.value, found.high, found.n) == (1.0, high, 16)
        assert found.low == pytest.approx(low, abs=1e-12) == pytest.approx(0.8064, abs=1e-4)


def test_a_perfect_score_on_a_rare_class_is_less_certain():
    truth = np.repeat([0, 1], [190, 10])
    found = balanced_accuracy(truth, truth, 2)
    assert 0.80 < found.low < wilson.interval(200, 200)[0] - 0.1


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.lists(st.tuples(*[st.integers(0, k - 1)] * 2), min_size=1, max_size=60)
    )
)
def test_means_lie_in_their_intervals(pairs):
    truth, said = np.array(pairs).T
    for metric in (balanced_accuracy, macro_f1):
        found = metric(truth, said, 6)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high


@pytest.mark.parametrize("sink", [False, True], ids=["anywhere", "all to one"])
@pytest.mark.parametrize(
    ("counts", "rights"),
    [
        ((25,) * 4, (0.95,) * 4),
        ((4,) * 4, (0.9,) * 4),
        ((10,) * 10, (0.8,) * 10),
        ((30,) * 20, (0.97,) * 20),
        ((200, 50, 20, 10), (0.9,) * 4),
        ((40, 40, 10), (0.95, 0.9, 0.6)),
    ],
)
def test_intervals_hold_the_truth_about_as_often_as_they_say(counts, rights, sink):
    """The truth is that of the distribution answers are drawn from, n = 400 draws each."""
    draws, k = np.random.default_rng(5), len(counts)
    chances = np.diag(rights)  # of each answer (columns) to each truth (rows)
    for row, right in enumerate(rights):
        others = [int(row == 0)] if sink else [j for j in range(k) if j != row]
        chances[row, others] = (1 - right) / len(others)
    expected = chances * np.array(counts)[:, None]
    recall = np.mean(rights)
    f1 = np.mean(2 * expected.diagonal() / (expected.sum(0) + expected.sum(1)))
    truth = np.repeat(np.arange(k), counts)
    held = np.zeros(2)
    for _ in range(400):
        rows = [draws.choice(k, n, p=row) for n, row in zip(counts, chances, strict=True)]
        said = np.concatenate(rows)
        found = balanced_accuracy(truth, said, k), macro_f1(truth, said, k)
        held += [m.low <= t <= m.high for m, t in zip(found, (recall, f1), strict=True)]
    assert (held / 400 >= 0.88).all()
