"""The moving window against torch and the lecture's second example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from opsin.errors import SizeError
from opsin.lessons.sliding import KERNEL, PICTURE, places
from opsin.ops.arithmetic import Window


def test_second_example_begins_as_the_lecture_says() -> None:
    assert PICTURE == ((5, 2, 3, 4), (6, 7, 8, 5), (4, 5, 4, 5), (1, 0, 2, 3))
    assert KERNEL == ((1, 0), (1, -1))
    steps = list(places(PICTURE, KERNEL))
    assert [step.total for step in steps[:2]] == [4, 1]  # 5 + 6 - 7, 2 + 7 - 8
    assert [(s.row, s.column) for s in steps] == [(i, j) for i in range(3) for j in range(3)]


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw (height, width)."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=40, deadline=None)
@given(pairs(5, 8), pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 2))
def test_totals_are_torchs_and_lie_where_they_say(
    size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> None:
    draws = np.random.default_rng(0)
    x, weight = draws.integers(-9, 9, size), draws.integers(-9, 9, kernel)
    wanted = torch.nn.functional.conv2d(
        torch.from_numpy(x)[None, None].double(),
        torch.from_numpy(weight)[None, None].double(),
        stride=stride, padding=padding, dilation=dilation,
    )[0, 0]  # fmt: skip
    steps = list(places(x, weight, Window(kernel, stride, padding, dilation)))
    assert len(steps) == wanted.numel()
    for step in steps:
        assert step.total == wanted[step.row, step.column]
        assert step.products.sum() == step.total
        for (u, v), seen in np.ndenumerate(step.seen):
            y, z = step.top + u * dilation[0], step.left + v * dilation[1]
            inside = 0 <= y < size[0] and 0 <= z < size[1]
            assert seen == (x[y, z] if inside else 0)


def test_a_kernel_of_another_size_is_said() -> None:
    with pytest.raises(SizeError, match="same size"):
        next(places(PICTURE, KERNEL, Window(3)))
