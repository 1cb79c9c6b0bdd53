"""Each operation draws what its numbers promise: range, evenness, direction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

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


def test_perspective_draws_corners_inwards() -> None:
    moves = geometry("perspective 0.4", out=(20, 40))
    corners = np.array([[-20, -10, 1], [20, -10, 1], [20, 10, 1], [-20, 10, 1]])
    drawn = corners @ moves.swapaxes(1, 2)  # (N, 4, 3)
    drawn = drawn[..., :2] / drawn[..., 2:]
    shares = 1 - drawn / corners[:, :2]
    assert shares.min() > -1e-9 and shares.max() < 0.4 + 1e-9
    assert np.allclose(np.quantile(shares, [0, 0.5, 1], axis=0).T, [0, 0.2, 0.4], atol=0.02)
    assert np.allclose(geometry("perspective 0"), np.eye(3))


@pytest.mark.parametrize("paper", [0, 255, 90])
def test_centre_brings_the_ink_to_the_middle_of_the_window(paper: int) -> None:
    """On paper of any shade, after what stands before it; by whole pixels."""
    pictures = torch.full((3, 1, 40, 60), paper, dtype=torch.uint8)
    for picture, (x, y) in zip(pictures, [(10, 8), (50, 31), (30, 20)], strict=True):
        picture[:, y - 2 : y + 2, x - 3 : x + 3] = 170
    draw = parse("rotate 20, centre").draw_for(pictures, (32, 48), (0,))
    middles = torch.tensor([[[10.0, 8]], [[50, 31]], [[30, 20]]])
    found = draw.points(middles)[:, 0].numpy()
    assert np.abs(found - [24, 16]).max() <= 0.5 + 1e-6
    shift = parse("centre").draw_for(pictures, (32, 48), (0,)).geometry
    assert (shift[:, :2, 2] == [[20, 12], [-20, -11], [0, 0]]).all()


def test_a_picture_without_ink_stays() -> None:
    blank = torch.full((2, 3, 10, 10), 7, dtype=torch.uint8)
    assert (parse("centre").draw_for(blank, (10, 10), (0,)).geometry == np.eye(3)).all()


def test_outside_of_small_pictures_the_edge_goes_on_and_large_ones_are_mirrored() -> None:
    for side in (20, 100):
        picture = torch.zeros((1, 1, side, side), dtype=torch.uint8)
        picture[..., 4:8] = 255  # a stroke near the left edge
        draw = parse("none").draw(1, (side, side), (side, side), (0,))
        for shift in (10, 10.5):  # cut, and sampled
            draw.geometry[:, 0, 2] = shift
            row = draw.images(picture)[0, 0, side // 2, : int(shift)]
            assert bool(row.any()) is (side == 100)
