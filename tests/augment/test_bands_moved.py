"""Four channels through chains: colours as RGB alone, the fourth as grey alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from opsin.augment import mixing, mosaic, parse

LINES = (
    "flip, rotate 20, translate 0.1, scale 0.8 1.2, shear 8",
    "perspective 0.2, elastic 3 8",
    "brightness 0.4, contrast 0.4",
    "color 0.3, saturation 0.5, hue 40, grey 0.5",
    "blur 2, jpeg 30 90",
    "cutout 0.4, erase 1",
)


@pytest.mark.parametrize("side", [40, 80])  # moved in torch, and in OpenCV
@pytest.mark.parametrize("line", LINES)
def test_four_channels_are_rgb_beside_grey(line: str, side: int) -> None:
    four = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (6, 4, side, side), dtype=np.uint8)
    )
    draw = parse(line).draw_for(four, (side - 4, side - 4), (0,))
    mean, std = (0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8)
    seen = draw.images(four, mean, std)
    colours = draw.images(four[:, :3].contiguous(), mean[:3], std[:3])
    grey = draw.images(four[:, 3:].contiguous(), mean[3:], std[3:])
    assert torch.allclose(seen[:, :3], colours, atol=1e-5)
    assert torch.allclose(seen[:, 3:], grey, atol=1e-5)


def test_hue_and_saturation_leave_the_fourth_and_light_does_not() -> None:
    four = torch.full((4, 4, 8, 8), 100, dtype=torch.uint8)
    four[:, 0] = 180
    for line, kept in (("hue 90, saturation 0.9", True), ("brightness 0.5", False)):
        seen = parse(line).draw_for(four, (8, 8), (0,)).images(four)
        assert not torch.allclose(seen[:, :3] * 255, four[:, :3].float(), atol=1)
        assert torch.allclose(seen[:, 3:] * 255, four[:, 3:].float(), atol=1e-3) == kept


def test_the_mean_light_is_that_of_colours() -> None:
    four = torch.full((2, 4, 8, 8), 100, dtype=torch.uint8)
    four[:, 3] = 250
    seen = parse("contrast 0.5").draw_for(four, (8, 8), (0,)).images(four)
    assert torch.allclose(seen[:, :3] * 255, four[:, :3].float(), atol=1e-3)


def test_four_channels_are_mixed_and_laid_together() -> None:
    images, targets = torch.rand(4, 4, 16, 16), torch.zeros(4, 1, 6)
    assert mosaic.mosaic(images, targets, (0,), 1.0)[0].shape == images.shape
    for way in ({"mixup": 0.5}, {"cutmix": 0.5}):
        assert mixing.mixed(images, (0,), **way)[0].shape == images.shape
    noisy = parse("noise 0.1").draw_for((images * 255).byte(), (16, 16), (0,))
    assert noisy.images((images * 255).byte()).shape == images.shape
