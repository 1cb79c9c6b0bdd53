"""What is done to warped pictures as a whole: noise, blur, JPEG, and what is erased."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage, stats

from opsin.augment import parse
from opsin.errors import RecipeError

RANDOM = np.random.default_rng(0)


def smooth(n: int, channels: int, side: int) -> torch.Tensor:
    """Return soft random pictures, (n, channels, side, side) uint8."""
    noise = ndimage.gaussian_filter(RANDOM.random((n, channels, side, side)), (0, 0, 2, 2))
    spread = (noise - noise.min()) / np.ptp(noise)
    return torch.from_numpy((spread * 255).astype(np.uint8))


def test_noise_is_normal_and_every_picture_has_its_own_spread() -> None:
    grey = torch.full((200, 3, 24, 24), 100, dtype=torch.uint8)
    draw = parse("noise 0.2").draw_for(grey, (24, 24), (0,))
    grain = (draw.images(grey) - 100 / 255).flatten(1).numpy()
    spreads = grain.std(axis=1)
    assert stats.kstest(spreads / 0.2, "uniform").pvalue > 0.01
    assert stats.kstest(grain[0] / spreads[0], "norm").pvalue > 0.01
    assert abs(np.corrcoef(grain[:2])[0, 1]) < 0.08
    assert np.array_equal(draw.images(grey), draw.images(grey))


@pytest.mark.parametrize("channels", [1, 3])
def test_blur_is_scipys_gaussian(channels: int) -> None:
    batch = smooth(6, channels, 32)
    draw = parse("blur 3").draw_for(batch, (32, 32), (1,))
    seen = draw.images(batch).numpy()
    sigmas = draw.pixels[0][1][:, 0]
    assert np.ptp(sigmas) > 0.5
    for place, sigma in enumerate(sigmas):
        radius = int(np.ceil(3 * sigma))
        expected = ndimage.gaussian_filter(
            batch[place].numpy() / 255,
            (0, sigma, sigma),
            mode="nearest",
            radius=(0, radius, radius),
        )
        assert np.allclose(seen[place], expected, atol=1e-3)


def test_no_blur_leaves_the_picture() -> None:
    batch = smooth(2, 3, 16)
    seen = parse("blur 0").draw_for(batch, (16, 16), (1,)).images(batch)
    assert torch.allclose(seen, batch / 255, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_has_the_flaws_of_pillows_file(channels: int) -> None:
    batch = smooth(4, channels, 40)
    draw = parse("jpeg 10 90").draw_for(batch, (40, 40), (0,))
    seen = (draw.images(batch) * 255).round().byte().numpy()
    for place, quality in enumerate(draw.pixels[0][1][:, 0]):
        assert 10 <= quality <= 90 and quality == round(quality)
        array = batch[place].numpy()
        file = io.BytesIO()
        plain = array[0] if channels == 1 else np.ascontiguousarray(array.transpose(1, 2, 0))
        Image.fromarray(plain).save(file, "JPEG", quality=int(quality))
        opened = np.asarray(Image.open(file)).reshape(40, 40, channels).transpose(2, 0, 1)
        assert np.abs(opened.astype(int) - seen[place]).mean() < 1.5
        assert not np.array_equal(seen[place], array)


def test_pixels_are_changed_after_colours_and_before_the_normalisation() -> None:
    batch = smooth(3, 3, 24)
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    draw = parse("jpeg 40 60, color 0.3").draw_for(batch, (24, 24), (0,))
    plain = draw.images(batch)
    assert ((plain * 255 - (plain * 255).round()).abs() < 1e-3).all()  # 8 bits of a file
    expected = (plain - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    assert torch.allclose(draw.images(batch, mean, std), expected, atol=1e-5)


def test_a_line_that_swaps_its_qualities_is_told() -> None:
    with pytest.raises(RecipeError, match="Write 'jpeg 30 90'"):
        parse("jpeg 90 30")


def test_erase_keeps_to_the_areas_and_aspects_of_the_paper() -> None:
    holes = parse("erase 0.7").draw(4000, (60, 80), (60, 80), (0,)).holes[:, 0]  # (N, 4)
    x1, y1, x2, y2 = holes.T
    assert (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= 80).all() and (y2 <= 60).all()
    width, height = x2 - x1, y2 - y1
    erased = width > 0
    assert erased.mean() == pytest.approx(0.7, abs=0.03)
    area, aspect = (width * height)[erased] / 4800, (height / np.maximum(width, 1))[erased]
    assert area.min() > 0.015 and area.max() < 0.42
    whole = (height < 60) & (width < 80) & (width > 8)
    assert (height[whole] / width[whole]).min() > 0.27 and (
        height[whole] / width[whole]
    ).max() < 3.7
    assert np.median(aspect) == pytest.approx(1, abs=0.12)
    assert (x1[erased] == 0).any() and (x2 == 80).any() and (y1[erased] == 0).any()


def test_what_is_erased_is_the_mean_colour() -> None:
    batch = smooth(20, 3, 16).clamp(200)
    draw = parse("erase 1").draw_for(batch, (16, 16), (0,))
    seen = draw.images(batch, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    for picture, (x1, y1, x2, y2) in zip(seen, draw.holes[:, 0], strict=True):
        assert (picture[:, y1:y2, x1:x2] == 0).all()
        assert (picture == 0).sum() == 3 * (x2 - x1) * (y2 - y1) > 0
