"""The bootstrap: deterministic, blind to order, as wide as theory says, quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsin.metrics import bootstrap, wilson
from opsin.metrics.prf import macro_f1


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
    one = bootstrap.metric(lambda t, s: macro_f1(t, s, 4), truth, said)
    other = bootstrap.metric(lambda t, s: macro_f1(t, s, 4), truth[turned], said[turned])
    assert one == other


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
