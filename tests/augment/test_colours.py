"""Single colours against torchvision and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as peer

from opsin.augment import parse
from opsin.augment.light import LUMA, YIQ

N = 600
RANDOM = np.random.default_rng(0)
BATCH = torch.from_numpy(RANDOM.integers(80, 140, (N, 3, 6, 6), dtype=np.uint8))  # far from ends


def changed(line: str) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Return the batch as RGB in 0..1, what a line makes of it, and the colour matrices."""
    draw = parse(line).draw_for(BATCH, (6, 6), (4,))
    assert draw.colour is not None
    return BATCH.float() / 255, draw.images(BATCH), draw.colour


def test_contrast_is_about_the_mean_of_the_picture_as_in_torchvision() -> None:
    before, after, colour = changed("contrast 0.4")
    factors = colour[:, 0, 0]
    assert np.allclose(np.quantile(factors, [0, 0.5, 1]), [0.6, 1, 1.4], atol=0.05)
    for place in range(20):
        expected = peer.adjust_contrast(before[place], float(factors[place]))
        assert torch.allclose(after[place], expected, atol=1e-3)


def test_contrast_after_other_colours_is_about_the_mean_they_leave() -> None:
    before, after, colour = changed("brightness 0.3, contrast 0.4")
    bright = changed("brightness 0.3")[2][:, 0, 0]
    for place in range(20):
        factor = float(colour[place, 0, 0] / bright[place])
        lit = peer.adjust_brightness(before[place], float(bright[place]))
        assert torch.allclose(after[place], peer.adjust_contrast(lit, factor), atol=1e-3)


def test_saturation_and_brightness_are_those_of_torchvision() -> None:
    before, after, colour = changed("saturation 0.5")
    factors = (colour[:, 0, 0] - LUMA[0]) / (1 - LUMA[0])
    assert np.allclose(np.quantile(factors, [0, 0.5, 1]), [0.5, 1, 1.5], atol=0.05)
    for place in range(20):
        expected = peer.adjust_saturation(before[place], float(factors[place]))
        assert torch.allclose(after[place], expected, atol=1e-3)


def test_grey_takes_colour_from_its_share_of_the_pictures() -> None:
    before, after, _ = changed("grey 0.3")
    lost = (after.std(1).amax((1, 2)) < 1e-5).numpy()
    assert lost.mean() == pytest.approx(0.3, abs=0.06)
    assert torch.allclose(after[~lost], before[~lost], atol=1e-6)
    assert torch.allclose(after[lost][:, :1], peer.rgb_to_grayscale(before[lost]), atol=1e-3)


def test_hue_turns_the_wheel_and_keeps_luma_and_saturation() -> None:
    before, after, _ = changed("hue 40")
    axes = [np.einsum("ij,njhw->nihw", YIQ, seen.numpy()) for seen in (before, after)]
    assert np.allclose(axes[0][:, 0], axes[1][:, 0], atol=1e-5)
    first, second = (each[:, 1] + 1j * each[:, 2] for each in axes)
    hued = np.abs(first) > 1e-3  # grey has no hue
    turns = np.where(hued, second, 1) / np.where(hued, first, 1)
    assert np.abs(np.abs(turns) - 1).max() < 1e-3
    angles = np.degrees(np.angle(turns))
    own = np.median(angles, axis=(1, 2))
    assert np.abs(angles - own[:, None, None])[hued].max() < 0.1  # one for the whole picture
    assert np.allclose(np.quantile(own, [0, 0.5, 1]), [-40, 0, 40], atol=4)


@pytest.mark.parametrize("line", ["saturation 0.5", "hue 90", "grey 1"])
def test_grey_pictures_have_no_colour_to_change(line: str) -> None:
    grey = BATCH[:, :1]
    assert torch.allclose(
        parse(line).draw_for(grey, (6, 6), (0,)).images(grey), grey / 255, atol=1e-5
    )
