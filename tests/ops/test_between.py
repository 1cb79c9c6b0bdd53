"""Pooling, ReLU, normalisation and softmax: torch's own are the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from opsin.ops import between
from opsin.ops.arithmetic import Window


def drawn(seed: int, *shape: int) -> Any:
    """Draw numbers of a shape, as an array and as a tensor."""
    x = np.random.default_rng(seed).normal(size=shape)
    return x, torch.from_numpy(x)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw (height, width)."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=60, deadline=None)
@given(pairs(4, 12), pairs(1, 4), pairs(1, 4), pairs(0, 2), pairs(1, 2), st.booleans())
def test_pooling_equals_torch(
    size: Any, kernel: Any, stride: Any, pad: Any, dilation: Any, ceil: bool
) -> None:
    pad = tuple(min(p, k // 2) for p, k in zip(pad, kernel, strict=True))
    x, tensor = drawn(1, 2, *size)
    found = between.average_pool(x, Window(kernel, stride, pad, ceil=ceil))
    wanted = functional.avg_pool2d(tensor, kernel, stride, pad, ceil)
    assert np.allclose(found, wanted.numpy(), rtol=0, atol=1e-12)
    try:
        wanted = functional.max_pool2d(tensor, kernel, stride, pad, dilation, ceil)
    except RuntimeError:
        return
    found = between.max_pool(x, Window(kernel, stride, pad, dilation, ceil))
    assert np.array_equal(found, wanted.numpy())


def test_relu_and_softmax_equal_torch() -> None:
    x, tensor = drawn(2, 4, 7)
    assert np.array_equal(between.relu(x), functional.relu(tensor).numpy())
    for scale in (1, 1000):
        wanted = functional.softmax(tensor * scale, dim=-1).numpy()
        assert np.allclose(between.softmax(x * scale), wanted, rtol=0, atol=1e-12)


def test_batch_norm_equals_torch() -> None:
    x, tensor = drawn(3, 5, 4, 6, 7)
    scale, shift = drawn(4, 2, 4)
    wanted = functional.batch_norm(tensor, None, None, shift[0], shift[1], training=True)
    assert np.allclose(between.batch_norm(x, *scale), wanted.numpy(), rtol=0, atol=1e-12)
    assert np.allclose(
        between.batch_norm(x), functional.batch_norm(tensor, None, None, training=True).numpy()
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(1, 8))
def test_local_response_equals_torch_but_for_its_alpha(near: int, channels: int) -> None:
    x, tensor = drawn(5, channels, 3, 4)
    wanted = functional.local_response_norm(tensor[None], near, alpha=0.3 * near, beta=0.6, k=1.5)
    found = between.local_response(x, near=near, alpha=0.3, beta=0.6, k=1.5)
    assert np.allclose(found, wanted[0].numpy(), rtol=0, atol=1e-12)
