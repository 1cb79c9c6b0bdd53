"""The contact sheet: its size, its seed, and that it shows the picture."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.augment import parse, sheet

RANDOM = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    """Return random pixels."""
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def test_no_augmentation_repeats_the_picture_between_white_lines() -> None:
    image = noise(3, 100, 150)
    table = sheet([image], parse("none"))
    assert table.shape == (3, 8 * 104 + 4, 8 * 154 + 4)
    assert np.array_equal(table[:, 2 * 104 + 4 : 3 * 104, 3 * 154 + 4 : 4 * 154], image)
    assert (table[:, 104:108] == 255).all() and (table[:, :, 154:158] == 255).all()


@pytest.mark.parametrize("shape", [(3, 640, 480), (3, 100, 1000), (3, 1, 2000)])
def test_large_pictures_become_small_cells(shape: tuple[int, int, int]) -> None:
    table = sheet([np.zeros(shape, np.uint8)], parse("light"))
    assert table.dtype == np.uint8
    assert max(table.shape[1:]) == 8 * 164 + 4


@pytest.mark.parametrize(("side", "cell"), [(8, 28 * 5), (28, 28 * 5), (32, 160), (100, 100)])
def test_small_pictures_are_seen_as_nets_see_them_and_shown_large(side: int, cell: int) -> None:
    table = sheet([noise(3, side, side)], parse("rotate 9"))
    assert table.shape == (3, 8 * (cell + 4) + 4, 8 * (cell + 4) + 4)


def test_the_first_is_the_picture_and_every_other_another_draw() -> None:
    image = noise(3, 100, 100)
    table = sheet([image], parse("rotate 9"), seed=3)
    cells = [
        table[:, row : row + 100, column : column + 100]
        for row in range(4, 832, 104)
        for column in range(4, 832, 104)
    ]
    assert np.array_equal(cells[0], image)
    assert len({cell.tobytes() for cell in cells}) == 64


def test_copies_come_round_in_a_row_and_every_picture_has_a_row() -> None:
    images = [noise(3, 100, 100), noise(3, 60, 90)] * 4
    table = sheet(images, parse("rotate 9, copies 3"))
    first = [table[:, 4:104, left : left + 100] for left in range(4, 832, 104)]
    assert np.array_equal(first[0], images[0])
    assert np.array_equal(first[1], first[4]) and not np.array_equal(first[1], first[2])
    assert np.array_equal(table[:, 104 + 24 : 104 + 84, 9:99], images[1])  # in the middle, on white


def test_the_seed_decides_and_hidden_parts_are_grey() -> None:
    image = np.full((3, 32, 32), 255, np.uint8)
    chain = parse("cutout 0.5")
    first, again, other = (sheet([image], chain, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert {*np.unique(first)} == {128, 255}
