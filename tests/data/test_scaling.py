"""Pictures at the working size: by torch as Pillow would have it, and where they lie."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from opsin.data.arrays import to_array
from opsin.data.preprocess import Preprocessing
from opsin.data.scaling import FILTERS, GREY, fit

LIGHT = {1: (0.5,), 3: (0.5,) * 3, 4: (0.5,) * 4}


def smooth(bands: int, height: int, width: int) -> Image.Image:
    """Return a picture of L, RGB or RGBX that changes slowly, as photographs do."""
    draws = np.random.default_rng(bands)
    few = draws.integers(0, 256, (height // 8 + 1, width // 8 + 1, bands), dtype=np.uint8)
    mode = {1: "L", 3: "RGB", 4: "RGBX"}[bands]
    coarse = Image.frombytes(mode, (few.shape[1], few.shape[0]), few.tobytes())
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def whole(bands: int, size: tuple[int, int], interpolation: str) -> Preprocessing:
    light = LIGHT[bands]
    return Preprocessing(
        size, crop=1.0, fit="pad", interpolation=interpolation, mean=light, std=light
    )


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("side", [20, 60, 150, 1000])
def test_pillow_would_say_the_same(interpolation: str, bands: int, side: int) -> None:
    picture = smooth(bands, side, 2 * side)
    found = fit(picture, whole(bands, (40, 80), interpolation), "a picture").astype(int)
    wanted = to_array(picture.resize((80, 40), FILTERS[interpolation], reducing_gap=2.0))
    off = np.abs(found - wanted)
    assert off.max() <= (0 if side == 1000 else 2)  # much larger ones are Pillow's own
    assert (off > 0).mean() < 0.03


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_what_is_left_is_grey(bands: int) -> None:
    picture = smooth(bands, 30, 60)
    found = fit(picture, whole(bands, (40, 40), "bilinear"), "a picture")
    assert found.shape == (bands, 40, 40)
    assert (found[:, :10] == GREY).all()
    assert (found[:, 30:] == GREY).all()
    assert np.abs(found[:, 10:30] - to_array(picture.resize((40, 20))).astype(int)).mean() < 6


def test_grey_is_repeated_and_a_fourth_band_dropped_for_a_net_of_three() -> None:
    grey, banded = smooth(1, 30, 60), smooth(4, 30, 60)
    pre = whole(3, (20, 40), "bilinear")
    seen = fit(grey, pre, "a picture")
    assert seen.shape == (3, 20, 40)
    assert (seen == seen[:1]).all()
    assert np.array_equal(fit(banded, pre, "a picture"), fit(banded.convert("RGB"), pre, "it"))
