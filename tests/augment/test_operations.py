"""Each operation draws what its numbers promise: range, evenness, direction."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.augment import parse
from opsin.augment.lots import Floats

N = 4000


def geometry(
    line: str, working: tuple[int, int] = (40, 60), out: tuple[int, int] = (20, 40)
) -> Floats:
    """Return the matrices of many draws, (N, 3, 3)."""
    return parse(line).draw(N, working, out, (7,)).geometry


def colour(line: str) -> Floats:
    """Return the colour matrices of many draws, (N, 3, 4)."""
    drawn = parse(line).draw(N, (8, 8), (8, 8), (7,)).colour
    assert drawn is not None
    return drawn


@pytest.mark.parametrize(("line", "share"), [("flip", 0.5), ("flip 0.2", 0.2), ("flip 0", 0)])
def test_flip_mirrors_its_share(line: str, share: float) -> None:
    moves = geometry(line)
    assert np.isclose((moves[:, 0, 0] < 0).mean(), share, atol=0.03)
    assert (moves[:, 1, 1] == 1).all()


def test_rotate_turns_evenly_within_its_angle() -> None:
    moves = geometry("rotate 30")
    angles = np.degrees(np.arctan2(moves[:, 1, 0], moves[:, 0, 0]))
    assert np.allclose(np.quantile(angles, [0, 0.5, 1]), [-30, 0, 30], atol=1.5)
    assert np.allclose(np.linalg.det(moves), 1)
    assert np.allclose(moves[:, :2, :2] @ moves[:, :2, :2].swapaxes(1, 2), np.eye(2))


def test_translate_shifts_whole_pixels_within_its_share() -> None:
    x, y = geometry("translate 0.1")[:, :2, 2].T
    assert {*x} == {*range(-4, 5)}
    assert {*y} == {*range(-2, 3)}


def test_scale_is_even_on_a_logarithmic_axis() -> None:
    moves = geometry("scale 0.5 2")
    assert np.allclose(np.quantile(moves[:, 0, 0], [0, 0.5, 1]), [0.5, 1, 2], rtol=0.06)
    assert np.array_equal(moves[:, 0, 0], moves[:, 1, 1])


def test_shear_keeps_rows_level() -> None:
    moves = geometry("shear 45")
    assert np.allclose([moves[:, 0, 1].min(), moves[:, 0, 1].max()], [-1, 1], atol=0.01)
    assert (moves[:, 1] == [0, 1, 0]).all()


def test_crop_reaches_every_window_and_no_more() -> None:
    x, y = geometry("crop", working=(23, 25), out=(20, 20))[:, :2, 2].T
    assert {*x} == {2, 1, 0, -1, -2, -3}  # corner 2 of a margin of 5
    assert {*y} == {1, 0, -1, -2}  # corner 1 of a margin of 3


def test_color_changes_brightness_of_grey_only() -> None:
    """Mid-grey has no contrast and no saturation: only brightness is left of the factors."""
    light = colour("color 0.3")
    grey = light[:, :, :3].sum(axis=2) / 2 + light[:, :, 3]  # colour of (0.5, 0.5, 0.5)
    assert np.ptp(grey, axis=1).max() < 1e-12
    assert np.allclose(np.quantile(grey[:, 0], [0, 0.5, 1]), [0.35, 0.5, 0.65], atol=0.01)


@pytest.mark.parametrize("size", [(20, 40), (40, 20), (1, 1)])
def test_cutout_hides_a_square_that_may_hang_over(size: tuple[int, int]) -> None:
    holes = parse("cutout 0.5").draw(N, size, size, (7,)).holes  # (N, 1, 4)
    x1, y1, x2, y2 = holes[:, 0].T
    side = round(0.5 * min(size))
    assert (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= size[1]).all() and (y2 <= size[0]).all()
    assert (x2 - x1).max(initial=0) == side == (y2 - y1).max(initial=0)
    centres = (x2 + x1) / 2
    if side:
        assert centres.min() < side / 2 and centres.max() > size[1] - side / 2
