"""Mixup against its formula and the moments of the Beta distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from opsin.augment import mixup
from opsin.errors import RecipeError


@given(st.integers(1, 20), st.floats(0.01, 10), st.tuples(st.integers(0, 99)))
def test_pictures_are_mixed_by_the_share_returned(
    n: int, strength: float, seed: tuple[int]
) -> None:
    images = torch.randn(n, 3, 4, 5, generator=torch.Generator().manual_seed(n))
    mixed, partner, share = mixup(images, seed, strength)
    again = mixup(images, seed, strength)[0]
    part = share.double()[:, None, None, None]
    expected = part * images + (1 - part) * images[partner]
    assert torch.allclose(mixed.double(), expected, atol=1e-5)
    assert torch.equal(mixed, again)
    assert sorted(partner.tolist()) == list(range(n))
    assert ((share >= 0) & (share <= 1)).all()


@pytest.mark.parametrize("strength", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(strength: float) -> None:
    _, _, share = mixup(torch.zeros(5000, 1, 1, 1), (0,), strength)
    assert stats.kstest(share.numpy(), stats.beta(strength, strength).cdf).pvalue > 0.01


def test_pictures_in_bf16_stay_in_bf16_and_channels_last() -> None:
    images = torch.rand(4, 3, 8, 8).to(torch.bfloat16, memory_format=torch.channels_last)
    mixed, _, share = mixup(images, (0,), 0.4)
    assert mixed.dtype == torch.bfloat16
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    assert share.dtype == torch.float32


def test_the_seed_decides() -> None:
    images = torch.zeros(50, 1, 1, 1)
    first, second = mixup(images, (0, 1), 0.4), mixup(images, (0, 2), 0.4)
    assert not np.array_equal(first[2], second[2])
    assert not np.array_equal(first[1], second[1])


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), float("inf")])
def test_strength_must_be_above_zero(strength: float) -> None:
    with pytest.raises(RecipeError, match="above 0"):
        mixup(torch.zeros(2, 1, 1, 1), (0,), strength)
