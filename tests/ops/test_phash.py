"""Hashes against scipy's cosine transform, and the search against comparing all with all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn

from opsin.ops import phash


def test_perceptual_is_the_median_rule_on_scipys_transform() -> None:
    thumbnails = np.random.default_rng(0).integers(0, 256, (20, 32, 32), np.uint8)
    for picture, found in zip(thumbnails, phash.perceptual(thumbnails), strict=True):
        low = dctn(picture.astype(float), norm="ortho")[1:9, 1:9].ravel()
        wanted = int("".join("01"[bit] for bit in (low > np.median(low)).astype(int)), 2)
        assert int(found) == wanted


def test_distance_counts_bits() -> None:
    a, b = np.random.default_rng(1).integers(0, 2**63, (2, 50), np.uint64)
    wanted = [bin(int(x) ^ int(y)).count("1") for x, y in zip(a, b, strict=True)]
    assert phash.distance(a, b).tolist() == wanted


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), most=st.integers(0, 12))
def test_alike_finds_what_comparing_all_with_all_finds(seed: int, most: int) -> None:
    draws = np.random.default_rng(seed)
    base = draws.integers(0, 2**63, 6, np.uint64)
    flips = np.bitwise_or.reduce(
        np.uint64(1) << draws.integers(0, 64, (40, 6)).astype(np.uint64), axis=1
    )
    hashes = base[draws.integers(0, 6, 40)] ^ np.where(draws.random(40) < 0.7, flips, 0)
    hashes = hashes.astype(np.uint64)
    near = phash.distance(hashes[:, None].repeat(40, 1).ravel(), np.tile(hashes, 40)) <= most
    wanted = phash.groups(40, np.argwhere(near.reshape(40, 40)))
    assert phash.groups(40, phash.alike(hashes, most)).tolist() == wanted.tolist()


@pytest.mark.parametrize("n", [0, 1])
def test_alike_of_next_to_nothing(n: int) -> None:
    assert phash.alike(np.zeros(n, np.uint64)).shape == (0, 2)


def test_alike_of_many_equal_hashes_stays_small() -> None:
    assert len(phash.alike(np.zeros(50_000, np.uint64))) == 49_999
