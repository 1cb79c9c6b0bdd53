"""The contact sheet: its size, its seed, and that it shows the picture."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.augment import parse, sheet

RANDOM = np.random.default_rng(0)


def test_no_augmentation_repeats_the_picture_between_white_lines() -> None:
    image = RANDOM.integers(0, 256, (3, 20, 30), dtype=np.uint8)
    table = sheet(image, parse("none"))
    assert table.shape == (3, 8 * 22 - 2, 8 * 32 - 2)
    assert np.array_equal(table[:, 44:64, 96:126], image)
    assert (table[:, 20:22] == 255).all()
    assert (table[:, :, 30:32] == 255).all()


@pytest.mark.parametrize("shape", [(3, 640, 480), (3, 100, 1000), (3, 1, 2000)])
def test_large_pictures_become_small_cells(shape: tuple[int, int, int]) -> None:
    table = sheet(np.zeros(shape, np.uint8), parse("light"))
    assert table.dtype == np.uint8
    assert max(table.shape[1:]) == 8 * 162 - 2


def test_the_seed_decides_and_hidden_parts_are_grey() -> None:
    image = np.full((3, 16, 16), 255, np.uint8)
    chain = parse("cutout 0.5")
    first, again, other = (sheet(image, chain, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert {*np.unique(first)} == {128, 255}
