"""What auto chooses: for digits, for colour photographs, for grey ones, and for very few."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_images

from opsin.augment import POLICIES, fitting, parse
from opsin.augment.auto import strangeness


def digits() -> np.ndarray:
    """Return handwritten digits, (n, 1, 8, 8) uint8."""
    return (load_digits().images[:400] * 15).astype(np.uint8)[:, None]


@cache
def photos() -> np.ndarray:
    """Return pieces of two photographs and of their mirror images, (n, 3, 64, 64) uint8."""
    random = np.random.default_rng(0)
    pieces, originals = [], load_sample_images().images
    for place in range(200):
        picture = originals[place % 2].transpose(2, 0, 1)
        picture = picture[:, :, :: -1 if place % 4 > 1 else 1]
        top, left = random.integers(0, (427 - 64, 640 - 64))
        pieces.append(picture[:, top : top + 64, left : left + 64])
    return np.stack(pieces)


def test_digits_are_never_mirrored() -> None:
    assert strangeness(digits()) > 1.3
    assert fitting(digits()) == POLICIES["digits"]
    assert fitting(digits().repeat(3, axis=1)) == POLICIES["digits"]  # grey kept as RGB
    assert fitting(digits()[:5]) == POLICIES["digits"]


def test_photographs_are_mirrored() -> None:
    assert strangeness(photos()) == pytest.approx(1, abs=0.1)
    assert fitting(photos()) == POLICIES["light"]
    assert fitting(photos()[:5]) == POLICIES["light"]
    assert fitting(torch.from_numpy(photos())) == POLICIES["light"]


def test_small_grey_pictures_that_may_be_mirrored_are() -> None:
    assert fitting(photos()[:, :1]) == f"flip, {POLICIES['digits']}"


def test_coloured_writing_is_not_mirrored() -> None:
    tinted = digits().repeat(3, axis=1)
    tinted[:, 0] //= 2
    assert fitting(tinted) == POLICIES["light"].removeprefix("flip, ")


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (40, 3, 5, 300), (40, 1, 8, 8), (600, 1, 3, 3)])
def test_any_shape_gets_a_chain_that_reads(shape: tuple[int, ...]) -> None:
    line = fitting(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    assert str(parse(line)) == line
