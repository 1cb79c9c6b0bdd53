"""Every way of convolving against torch and scipy; costs against torch's counter."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from opsin.errors import InputError, SizeError
from opsin.ops.arithmetic import Window
from opsin.ops.convolution import WAYS, Cost, convolve, costs, turned

FACTS = """
A second worked example: image [[5,2,3,4],[6,7,8,5],[4,5,4,5],[1,0,2,3]] with kernel [[1,0],[1,−1]]
(no flip), stride 1: the map begins 4, 1.
"""


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw (height, width)."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=60, deadline=None)
@given(
    pairs(1, 9), st.tuples(*[st.integers(1, 3)] * 2), pairs(1, 4), pairs(1, 3), pairs(0, 2),
    pairs(1, 3), st.integers(0, 10**6),
)  # fmt: skip
def test_all_ways_agree_with_torch(
    size: Any, depth: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, seed: int
) -> None:
    draws = np.random.default_rng(seed)
    x = draws.normal(size=(depth[0], *size))
    filters = draws.normal(size=(depth[1], depth[0], *kernel))
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    try:
        wanted = torch.nn.functional.conv2d(
            torch.from_numpy(x)[None], torch.from_numpy(filters), **how
        )[0].numpy()
    except RuntimeError:
        with pytest.raises(SizeError):
            convolve(x, filters, **how)
        return
    for way in WAYS:
        found = convolve(x, filters, **how, way=way)
        assert found.shape == wanted.shape, way
        assert np.allclose(found, wanted, rtol=0, atol=1e-10), way


@pytest.mark.parametrize("way", WAYS)
def test_correlation_unturned_and_convolution_turned(way: str) -> None:
    draws = np.random.default_rng(3)
    picture, kernel = draws.normal(size=(8, 9)), draws.normal(size=(3, 2))
    correlated = convolve(picture, kernel, way=way)
    assert np.allclose(correlated, signal.correlate2d(picture, kernel, mode="valid"))
    convolved = convolve(picture, turned(kernel), way=way)
    assert np.allclose(convolved, signal.convolve2d(picture, kernel, mode="valid"))


def test_a_dot_becomes_the_kernel_only_when_turned() -> None:
    dot = np.zeros((5, 5))
    dot[2, 2] = 1
    kernel = np.arange(9.0).reshape(3, 3)
    assert np.array_equal(convolve(dot, turned(kernel)), kernel)
    assert np.array_equal(convolve(dot, kernel), turned(kernel))


@pytest.mark.parametrize("way", WAYS)
def test_second_example_of_the_lecture(way: str) -> None:
    picture, kernel = (json.loads(m) for m in re.findall(r"\[\[.*?\]\]", FACTS.replace("−", "-")))
    begins = re.search(r"begins (\d), (\d)", FACTS)
    assert begins
    found = convolve(picture, kernel, way=way)
    assert np.allclose(found[0, :2], [int(begins[1]), int(begins[2])])
    assert np.allclose(found, signal.correlate2d(picture, kernel, mode="valid"))


def test_shifts_keep_float32_and_agree_for_pictures() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 40, 50)).astype(np.float32)
    kernel = np.array([[[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]]], np.float32)
    found = convolve(picture, kernel, padding="same", way="shifts")
    assert found.dtype == np.float32
    assert np.array_equal(found, convolve(picture, kernel, padding="same", way="library"))


def test_costs() -> None:
    """The direct ways are what torch counts; the fast transform wins where filters are large."""
    from torch.utils.flop_counter import FlopCounterMode

    x, weight = torch.empty(1, 3, 30, 40, device="meta"), torch.empty(8, 3, 5, 5, device="meta")
    with FlopCounterMode(display=False) as counter:
        torch.nn.functional.conv2d(x, weight, stride=2, padding=2)
    found = costs((30, 40), Window(5, 2, 2), 3, 8)
    assert set(found) == set(WAYS)
    direct = {way: cost.multiply_adds for way, cost in found.items() if way != "fft"}
    assert set(direct.values()) == {counter.get_total_flops() // 2}
    columns = torch.nn.functional.unfold(torch.zeros(1, 3, 30, 40), 5, padding=2, stride=2)
    assert found["matrix"] == Cost(direct["loop"], columns.numel())

    def gains(side: int) -> bool:
        each = costs((128, 128), Window(side, padding="same"), 1, 1)
        return each["fft"].multiply_adds < each["loop"].multiply_adds

    assert [gains(side) for side in (3, 5, 15, 31)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("picture", "filters", "says"),
    [
        (np.zeros((3, 8, 8)), np.zeros((2, 4, 3, 3)), "(3, 8, 8) and filters (2, 4, 3, 3)"),
        (np.zeros((8, 8)), np.zeros((1, 1, 3, 3)), "a picture (8, 8)"),
        (np.zeros((2, 8)), np.zeros((3, 3)), "a picture of 2×8 for a window of 3×3"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(picture: Any, filters: Any, says: str) -> None:
    with pytest.raises(SizeError) as caught:
        convolve(picture, filters)
    assert says in caught.value.received


def test_an_unknown_way_is_said() -> None:
    with pytest.raises(InputError, match="one of loop, matrix, fft, shifts, library"):
        convolve([[1]], [[1]], way="magic")
