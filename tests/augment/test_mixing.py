"""Mixup and cutmix against their formulas and the moments of the Beta distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from opsin.augment import mixed
from opsin.augment.mixing import cut_and_mixed, mixed_up
from opsin.errors import RecipeError

# Machines are shared: a slow one is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(st.integers(1, 20), st.floats(0.01, 10), st.tuples(st.integers(0, 99)))
def test_pictures_are_mixed_by_the_share_returned(
    n: int, strength: float, seed: tuple[int]
) -> None:
    images = torch.randn(n, 3, 4, 5, generator=torch.Generator().manual_seed(n))
    mixed, partner, share = mixed_up(images, seed, strength)
    again = mixed_up(images, seed, strength)[0]
    part = share.double()[:, None, None, None]
    expected = part * images + (1 - part) * images[partner]
    assert torch.allclose(mixed.double(), expected, atol=1e-5)
    assert torch.equal(mixed, again)
    assert sorted(partner.tolist()) == list(range(n))
    assert ((share >= 0) & (share <= 1)).all()


@pytest.mark.parametrize("strength", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(strength: float) -> None:
    _, _, share = mixed_up(torch.zeros(5000, 1, 1, 1), (0,), strength)
    assert stats.kstest(share.numpy(), stats.beta(strength, strength).cdf).pvalue > 0.01


def test_pictures_in_bf16_stay_in_bf16_and_channels_last() -> None:
    images = torch.rand(4, 3, 8, 8).to(torch.bfloat16, memory_format=torch.channels_last)
    mixed, _, share = mixed_up(images, (0,), 0.4)
    assert mixed.dtype == torch.bfloat16
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    assert share.dtype == torch.float32


def test_the_seed_decides() -> None:
    images = torch.zeros(50, 1, 1, 1)
    first, second = mixed_up(images, (0, 1), 0.4), mixed_up(images, (0, 2), 0.4)
    assert not np.array_equal(first[2], second[2])
    assert not np.array_equal(first[1], second[1])


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), float("inf")])
def test_strength_must_be_above_zero(strength: float) -> None:
    for mix in (mixed_up, cut_and_mixed):
        with pytest.raises(RecipeError, match="above 0"):
            mix(torch.zeros(2, 1, 1, 1), (0,), strength)


@patient
@given(st.integers(1, 20), st.floats(0.01, 10), st.tuples(st.integers(0, 99)))
def test_cutmix_puts_one_box_of_the_partner_in_and_counts_its_pixels(
    n: int, strength: float, seed: tuple[int]
) -> None:
    numbers = torch.arange(n, dtype=torch.float32)[:, None, None, None]
    images = numbers.expand(n, 3, 7, 10).contiguous()
    seen, partner, share = cut_and_mixed(images, seed, strength)
    assert sorted(partner.tolist()) == list(range(n))
    for place in range(n):
        own, other = float(place), float(partner[place])
        assert {*seen[place].unique().tolist()} <= {own, other}
        if own == other:
            continue
        foreign = seen[place] == other
        assert (foreign[0] == foreign[2]).all()
        rows, columns = foreign[0].any(1), foreign[0].any(0)
        assert foreign[0].sum() == rows.sum() * columns.sum()  # a box and nothing else
        assert share[place] == pytest.approx(1 - foreign[0].float().mean().item())


def test_cutmix_boxes_have_the_area_that_was_drawn() -> None:
    """Where nothing hangs over, shares are Beta; with strength 1 the mean area left is known.

    A box of side s (uniform middle) keeps E[visible] = s (1 - s/4) on each axis; s² = 1 - share,
    share even in 0..1: E[area] = E[u (1 - sqrt(u)/4)²] = 1/2 - 1/5 + 1/48.
    """
    _, _, share = cut_and_mixed(torch.zeros(20_000, 1, 32, 32), (0,), 1.0)
    assert 1 - share.mean().item() == pytest.approx(1 / 2 - 1 / 5 + 1 / 48, abs=0.01)


def test_with_both_on_a_lot_decides_for_the_batch() -> None:
    images = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    cut = [
        bool(torch.isin(mixed(images, (seed,), mixup=0.4, cutmix=1.0)[0], images).all())
        for seed in range(200)
    ]
    assert 70 < sum(cut) < 130
    alone, _, share = mixed(images, (3,), cutmix=1.0)
    assert torch.isin(alone, images).all() and share.shape == (6,)
