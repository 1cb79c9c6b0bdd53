"""Paired tests against scipy's, against full enumeration and against a closed test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from opsin.metrics import means, paired


@pytest.mark.parametrize("n", [2, 5, 9])
def test_signs_are_flipped_as_scipy_flips_them(n):
    differences = np.random.default_rng(n).normal(0.3, 1.0, n)
    theirs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert paired.flipped(differences) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_many_signs_are_drawn_the_same_every_time():
    differences = np.random.default_rng(3).normal(0.1, 1.0, 400)
    p = paired.flipped(differences)
    assert p == paired.flipped(differences)
    normal = 2 * stats.norm.sf(abs(differences.sum()) / np.sqrt(np.square(differences).sum()))
    assert p == pytest.approx(normal, abs=0.02)
    assert paired.flipped(np.full(400, 1.0)) == 1 / 10_000  # never zero


@pytest.mark.parametrize("seed", range(6))
def test_whole_numbers_are_counted_exactly(seed):
    draws = np.random.default_rng(seed)
    differences = draws.integers(-4, 6, int(draws.integers(1, 14)))
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences))))
    share = np.mean(np.abs(signs @ differences) >= abs(differences.sum()))
    assert paired.flipped_whole(differences) == pytest.approx(share, abs=1e-12)
    assert paired.flipped(differences.astype(float)) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (3, 3), (12, 4), (180, 240), (3000, 2800)])
def test_right_and_wrong_is_mcnemar(won, lost):
    differences = np.repeat(np.array([1, -1, 0]), [won, lost, 50])
    theirs = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert paired.flipped_whole(differences) == pytest.approx(theirs, rel=1e-6)


def test_p_values_are_uniform_where_nothing_differs():
    draws = np.random.default_rng(0)
    found = [paired.flipped_whole(draws.integers(-5, 6, 300)) for _ in range(1000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_interval_holds_where_hardly_anything_differs():
    """Of 1,000 pictures about 3 differ: the bootstrap holds the truth in 8 of 10, this always."""
    draws, held = np.random.default_rng(1), 0
    for _ in range(300):
        some = (draws.random(1000) < 0.003) * np.where(draws.random(1000) < 0.7, 1.0, -1.0)
        metric = paired.shift(some, 1.0)
        held += metric.low <= 0.0012 <= metric.high
    assert held / 300 >= 0.95
    none = paired.shift(np.zeros(1000), 1.0)
    assert none.low < none.value == 0 < none.high


def test_holm_is_the_closed_test():
    """Corrected p is the largest, over all sets a hypothesis is in, of size times smallest p."""
    draws = np.random.default_rng(5)
    for _ in range(20):
        found = draws.random(int(draws.integers(1, 7))) ** 3
        sets = [
            s
            for k in range(1, len(found) + 1)
            for s in itertools.combinations(range(len(found)), k)
        ]
        closed = [
            max(min(1.0, len(s) * min(found[list(s)])) for s in sets if i in s)
            for i in range(len(found))
        ]
        assert paired.holm(list(found)) == pytest.approx(closed)


def test_part_of_a_family_is_never_corrected_less_than_in_all_of_it():
    draws = np.random.default_rng(6)
    found = list(draws.random(10) ** 4)
    whole = paired.holm(found)
    part = paired.holm(found[:4], of=10)
    assert all(a >= b for a, b in zip(part, whole[:4], strict=True))


@pytest.mark.parametrize("n", [2, 5, 30])
def test_mean_of_seeds_has_students_interval(n):
    values = np.random.default_rng(n).normal(0.99, 0.001, n)
    metric, theirs = means.mean(values), stats.ttest_1samp(values, 0).confidence_interval()
    assert (metric.low, metric.high) == pytest.approx((theirs.low, theirs.high))
    assert means.deviation(values) == pytest.approx(np.std(values, ddof=1))


def test_one_seed_has_no_interval():
    metric = means.mean(np.array([0.9]))
    assert metric.value == 0.9 and np.isnan(metric.low) and np.isnan(metric.high)
