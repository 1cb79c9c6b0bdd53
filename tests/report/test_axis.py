"""Ticks are round, few, and enclose the data, whatever the data is."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsin.report.axis import Axis, fit, ticks, width

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_ticks_enclose_and_are_evenly_spaced(values: list[float]) -> None:
    found = ticks(values)
    reach = max(map(abs, found))
    assert found[0] <= min(values) + 1e-9 * reach and found[-1] >= max(values) - 1e-9 * reach
    steps = [b - a for a, b in pairwise(found)]
    assert 2 <= len(found) <= 9 and max(steps) - min(steps) <= 1e-6 * reach


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([3.0, 97.0], (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)),
        ([-3.0, 5.0], (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0)),
        ([], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([math.nan, 2.0, math.inf], (1.0, 2.0, 3.0)),
        ([0.0], (-1.0, 0.0, 1.0)),
    ],
)
def test_ticks_by_hand(values: list[float], expected: tuple[float, ...]) -> None:
    assert ticks(values) == expected


def test_axis_maps_ends_and_middle() -> None:
    axis = Axis((0.0, 50.0, 100.0), 10.0, 210.0)
    assert [axis(0), axis(50), axis(100), axis(-5)] == [10.0, 110.0, 210.0, 10.0]
    assert axis.labels() == ["0", "50", "100"]
    assert Axis((0.0, 0.25, 0.5), 0, 1).labels() == ["0.00", "0.25", "0.50"]
    assert Axis((0.0, 1000.0, 2000.0), 0, 1).labels() == ["0", "1,000", "2,000"]


@given(st.text(max_size=60), st.integers(1, 30))
def test_fit_never_exceeds_its_width(text: str, letters: int) -> None:
    assert width(fit(text, letters)) <= letters


def test_wide_and_joined_letters_are_counted() -> None:
    assert width("abc") == 3 and width("连衣") == 4 and width("e\u0301") == 1
