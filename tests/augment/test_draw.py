"""Pictures, masks and points move together; colours and normalisation agree with torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as peer

from opsin.augment import Draw, parse
from opsin.augment._operation import Frame
from opsin.errors import DataError

# Machines are shared: a slow one is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RANDOM = np.random.default_rng(0)
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
MOVES = "flip, rotate 25, translate 0.1, scale 0.8 1.3, shear 15"


def pictures(n: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Return noise, (n, channels, height, width) uint8."""
    return torch.from_numpy(RANDOM.integers(0, 256, (n, channels, height, width), dtype=np.uint8))


sides = st.tuples(st.integers(1, 12), st.integers(1, 12))


@patient
@given(sides, sides, st.sampled_from([1, 3]))
def test_no_geometry_is_the_exact_central_crop(
    margin: tuple[int, int], out: tuple[int, int], channels: int
) -> None:
    working = (out[0] + margin[0] - 1, out[1] + margin[1] - 1)
    batch = pictures(2, channels, *working)
    mean, std = MEAN[:channels], STD[:channels]
    seen = parse("none").draw(2, working, out, (0,)).images(batch, mean, std)
    top, left = (margin[0] - 1) // 2, (margin[1] - 1) // 2
    crop = batch[:, :, top : top + out[0], left : left + out[1]]
    expected = peer.normalize(crop.float() / 255, list(mean), list(std))
    assert torch.allclose(seen, expected, atol=1e-6)


def test_an_even_margin_is_torchvisions_central_crop() -> None:
    batch = pictures(2, 3, 256, 256)
    seen = parse("none").draw(2, (256, 256), (224, 224), (0,)).images(batch)
    assert torch.allclose(seen * 255, peer.center_crop(batch, [224, 224]).float(), atol=1e-4)


@patient
@given(st.integers(1, 9), st.integers(1, 9))
def test_mirroring_twice_is_nothing(height: int, width: int) -> None:
    size = (height, width)
    batch = pictures(3, 3, *size)
    plain, once, twice = (
        parse(line).draw(3, size, size, (0,)).images(batch)
        for line in ("none", "flip 1", "flip 1, flip 1")
    )
    assert torch.equal(once, plain.flip(-1))
    assert torch.equal(twice, plain)
    assert torch.equal((plain * 255).round().byte(), batch)


@pytest.mark.parametrize("line", ["flip", "strong", "crop, color 0.3", "digits"])
def test_the_same_draw_gives_the_same_bits(line: str) -> None:
    batch = pictures(5, 3, 20, 22)
    draw = parse(line).draw(5, (20, 22), (16, 16), (1, 2))
    assert torch.equal(draw.images(batch, MEAN, STD), draw.images(batch, MEAN, STD))


@pytest.mark.parametrize("line", ["none", "flip, crop", MOVES, "strong"])
def test_the_memory_layout_of_a_batch_does_not_matter(line: str) -> None:
    batch = pictures(5, 3, 20, 22)
    draw = parse(line).draw(5, (20, 22), (16, 16), (1, 2))
    plain = draw.images(batch, MEAN, STD)
    assert plain.is_contiguous(memory_format=torch.channels_last)
    last = draw.images(batch.contiguous(memory_format=torch.channels_last), MEAN, STD)
    strided = draw.images(batch.repeat_interleave(2, dim=3)[..., ::2], MEAN, STD)
    assert torch.equal(plain, last)
    assert torch.equal(plain, strided)


@pytest.mark.parametrize("line", ["none", "flip", MOVES, "strong"])
def test_a_batch_is_left_as_it_was(line: str) -> None:
    batch = pictures(4, 3, 16, 16)
    before = batch.clone()
    parse(line).draw(4, (16, 16), (16, 16), (0,)).images(batch, MEAN, STD)
    assert torch.equal(batch, before)


def test_bf16_is_the_rounded_float32() -> None:
    batch = pictures(4, 3, 16, 16)
    draw = parse("strong").draw(4, (16, 16), (16, 16), (0,))
    rounded = draw.images(batch, MEAN, STD, dtype=torch.bfloat16)
    assert rounded.dtype == torch.bfloat16
    assert rounded.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(rounded, draw.images(batch, MEAN, STD).bfloat16())


def factors(bright: float, contrast: float, saturation: float) -> np.ndarray:
    """Return the colour matrix (1, 3, 4) of these factors, drawn by a stand-in for chance."""
    from opsin.augment.operations.color import Color

    class Fixed:
        def uniform(self, low: float, high: float, count: int) -> np.ndarray:
            return np.array([[bright, contrast, saturation]])

    return Color(0.5).matrices(Fixed(), Frame(1, (8, 8), (8, 8)))  # type: ignore[arg-type]


def with_colour(colour: np.ndarray, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a dull batch as RGB in 0..1 and what a draw with ``colour`` makes of it."""
    batch = (pictures(1, channels, 8, 8) // 4) + 80  # far from the ends: torchvision clamps
    frame = Frame(1, (8, 8), (8, 8))
    draw = Draw(frame, np.eye(3)[None], colour, np.empty((1, 0, 4), np.int64))
    return batch.float() / 255, draw.images(batch)


def test_brightness_and_saturation_agree_with_torchvision() -> None:
    before, bright = with_colour(factors(1.3, 1, 1), 3)
    assert torch.allclose(bright, peer.adjust_brightness(before, 1.3), atol=1e-5)
    before, vivid = with_colour(factors(1, 1, 1.4), 3)
    assert torch.allclose(vivid, peer.adjust_saturation(before, 1.4), atol=1e-3)


def test_contrast_stretches_about_mid_grey() -> None:
    before, strong = with_colour(factors(1, 1.5, 1), 3)
    assert torch.allclose(strong, 0.5 + 1.5 * (before - 0.5), atol=1e-5)


def test_grey_pictures_are_treated_as_equal_channels() -> None:
    light = factors(1.2, 0.8, 1.4)
    before, one = with_colour(light, 1)
    assert torch.allclose(one, 1.2 * (0.5 + 0.8 * (before - 0.5)), atol=1e-5)


def test_two_lights_are_the_second_after_the_first() -> None:
    from opsin.augment.chain import _compose

    first, second = factors(1.2, 0.8, 1.4), factors(0.7, 1.3, 0.5)
    colour = np.array([0.2, 0.5, 0.7])
    step = first[0, :, :3] @ colour + first[0, :, 3]
    expected = second[0, :, :3] @ step + second[0, :, 3]
    both = _compose(second, first)[0]
    assert np.allclose(both[:, :3] @ colour + both[:, 3], expected)


def test_what_is_hidden_is_the_mean_colour_exactly() -> None:
    draw = parse("cutout 0.5").draw(9, (8, 8), (8, 8), (0,))
    seen = draw.images(pictures(9, 3, 8, 8).clamp(200), MEAN, STD)
    for picture, (x1, y1, x2, y2) in zip(seen, draw.holes[:, 0], strict=True):
        hole = picture == 0
        assert hole[:, y1:y2, x1:x2].all()
        assert hole.sum() == 3 * (y2 - y1) * (x2 - x1)


@pytest.mark.parametrize("line", ["none", "flip, crop", "translate 0.2, flip 1", MOVES])
def test_a_dot_lands_where_the_point_goes(line: str) -> None:
    """The centre of mass of a drawn disc follows its point, in pixels and in a mask."""
    n, working, out = 24, (60, 72), (48, 50)
    batch = torch.zeros((n, 1, *working), dtype=torch.uint8)
    masks = torch.zeros((n, *working), dtype=torch.int64)
    centre = torch.from_numpy(RANDOM.uniform((28, 24), (44, 36), (n, 2)))  # x, y near the middle
    y, x = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(72) + 0.5, indexing="ij")
    for place, (cx, cy) in enumerate(centre):
        bump = torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 8)
        batch[place, 0] = (bump * 255).round().byte()
        masks[place] = bump > 0.3
    draw = parse(line).draw(n, working, out, (5,))
    expected = draw.points(centre[:, None])[:, 0]  # (N, 2)
    seen, moved = draw.images(batch)[:, 0], draw.masks(masks)
    assert moved.dtype == torch.int64 and set(moved.unique().tolist()) <= {0, 1}
    inside = ((expected > 9) & (expected < torch.tensor([41, 39]))).all(1)
    assert inside.sum() > n / 3
    for place in torch.nonzero(inside).flatten():
        for shape, tolerance in ((seen[place], 0.15), (moved[place].float(), 0.6)):
            mass = shape / shape.sum()
            found = [(mass.sum(0) @ x[0, :50]).item(), (mass.sum(1) @ y[:48, 0]).item()]
            assert found == pytest.approx(expected[place].tolist(), abs=tolerance)


def test_zooming_out_shows_what_lies_beyond_the_central_crop() -> None:
    batch = torch.zeros((1, 1, 40, 40), dtype=torch.uint8)
    batch[:, :, 10:30, 10:30] = 255  # exactly the central crop
    plain = parse("none").draw(1, (40, 40), (20, 20), (0,)).images(batch)
    zoomed = parse("scale 0.5 0.5").draw(1, (40, 40), (20, 20), (0,)).images(batch)
    assert (plain == 1).all()
    assert (zoomed[0, 0, 5:15, 5:15] == 1).all()
    assert zoomed.sum() == 100


def test_points_by_hand() -> None:
    draw = parse("flip 1").draw(1, (10, 20), (8, 16), (0,))
    point = torch.tensor([[[2.0, 1.0], [18.0, 9.0], [10.0, 5.0]]])
    assert draw.points(point).tolist() == [[[16, 0], [0, 8], [8, 4]]]


@pytest.mark.parametrize("shape", [(3, 3, 8, 8), (2, 3, 9, 8), (2, 3, 8, 9)])
def test_another_shape_than_drawn_for_is_refused(shape: tuple[int, ...]) -> None:
    draw = parse("flip").draw(2, (8, 8), (8, 8), (0,))
    with pytest.raises(DataError, match=r"expected \(2, 8, 8\)"):
        draw.images(torch.zeros(shape, dtype=torch.uint8))


def test_two_channels_are_refused() -> None:
    draw = parse("flip").draw(2, (8, 8), (8, 8), (0,))
    with pytest.raises(DataError, match="2 channels"):
        draw.images(torch.zeros(2, 2, 8, 8, dtype=torch.uint8))


def test_floats_are_refused() -> None:
    draw = parse("flip").draw(2, (8, 8), (8, 8), (0,))
    with pytest.raises(DataError, match="uint8"):
        draw.images(torch.zeros(2, 3, 8, 8))
