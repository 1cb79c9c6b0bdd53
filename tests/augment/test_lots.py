"""Every picture draws from its own stream: evenly, independently, whatever its batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from opsin.augment.lots import Lots, keys

# Machines are shared: a slow one is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

N = 20_000


def test_numbers_are_even_and_unrelated() -> None:
    lots = Lots(keys((5,), range(N)), 0)
    one, two = lots.random(), lots.random()
    other = Lots(keys((5,), range(N)), 1).random()
    next_seed = Lots(keys((6,), range(N)), 0).random()
    for drawn in (one, two, other, next_seed, one[1:] - one[:-1] + (one[1:] < one[:-1])):
        assert stats.kstest(drawn, "uniform").pvalue > 0.01
    for drawn in (two, other, next_seed, np.roll(one, 1)):
        assert abs(np.corrcoef(one, drawn)[0, 1]) < 0.02
    assert len(np.unique(one)) == N


def test_a_stream_of_one_picture_is_even_too() -> None:
    drawn = Lots(keys((0,), [17]), 3).random(N)[0]
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.02


def test_normal_numbers_are_normal() -> None:
    drawn = Lots(keys((0,), range(10)), 0).normal(N)
    assert drawn.dtype == np.float32 and drawn.shape == (10, N)
    assert stats.kstest(drawn.ravel()[:50_000], "norm").pvalue > 0.01
    assert drawn.var() == pytest.approx(1, abs=0.01)
    assert np.abs(np.corrcoef(drawn) - np.eye(10)).max() < 0.04


@patient
@given(st.integers(-5, 5), st.integers(0, 9))
def test_whole_numbers_reach_both_ends_and_no_further(low: int, more: int) -> None:
    drawn = Lots(keys((0,), range(2000)), 0).integers(low, low + more)
    assert {*drawn.tolist()} == {*range(low, low + more + 1)}


def test_two_columns_may_have_two_ranges() -> None:
    drawn = Lots(keys((0,), range(2000)), 0).uniform([0, -5], [1, 5], 2)
    assert np.allclose(np.quantile(drawn, [0, 1], axis=0), [[0, -5], [1, 5]], atol=0.02)


@patient
@given(st.lists(st.integers(0, 2**40), max_size=4).map(tuple), st.integers(0, 9))
def test_company_changes_nothing(seed: tuple[int, ...], place: int) -> None:
    together = Lots(keys(seed, [3, 8, 5]), place)
    alone = Lots(keys(seed, [8]), place)
    for draw in (Lots.random, lambda lots: lots.normal(5), lambda lots: lots.words(3)):
        assert np.array_equal(draw(together)[1], draw(alone)[0])
