"""Moved pixels against torchvision, scipy and cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as peer

from opsin.augment import warp

# Machines are shared: a slow one is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RANDOM = np.random.default_rng(0)


def pictures(n: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Return noise, (n, channels, height, width) uint8."""
    return torch.from_numpy(RANDOM.integers(0, 256, (n, channels, height, width), dtype=np.uint8))


@pytest.mark.parametrize("smooth", [True, False])
def test_sample_agrees_with_scipy(smooth: bool) -> None:
    """scipy's 'reflect' repeats the edge pixel, as we do; it counts from pixel centres, y first."""
    batch = pictures(4, 2, 17, 13)
    to_picture = np.tile(np.eye(3), (4, 1, 1))
    to_picture[:, :2] += RANDOM.normal(scale=0.2, size=(4, 2, 3)) * [1, 1, 8]
    seen = warp.sample(batch, to_picture, (11, 15), smooth=smooth)
    for place, channel in np.ndindex(4, 2):
        turn = to_picture[place, :2, :2][::-1, ::-1]
        shift = to_picture[place, :2, 2][::-1] + turn @ [0.5, 0.5] - 0.5
        expected = ndimage.affine_transform(
            batch[place, channel].numpy().astype(float),
            turn,
            shift,
            (11, 15),
            order=int(smooth),
            mode="reflect",
        )
        assert np.allclose(seen[place, channel].numpy(), expected, atol=0.02)


@pytest.mark.parametrize("angle", [-50.0, 10.0, 90.0])
def test_sample_agrees_with_torchvision_inside_the_picture(angle: float) -> None:
    """torchvision fills with zeros, so only a disc is compared; positive is clockwise for both."""
    size = 33
    batch = pictures(1, 3, size, size)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    middle = np.eye(3)
    middle[:2, 2] = size / 2
    forward = middle @ np.array([[c, -s, 2], [s, c, -1], [0, 0, 1]]) @ np.linalg.inv(middle)
    seen = warp.sample(batch, np.linalg.inv(forward)[None], (size, size), smooth=True)
    expected = peer.affine(
        batch.float(),
        angle=angle,
        translate=[2, -1],
        scale=1.0,
        shear=[0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    y, x = np.mgrid[:size, :size] - size // 2
    disc = x**2 + y**2 < 12**2
    assert np.allclose(seen[0, :, disc], expected[0, :, disc], atol=0.05)


def moves(n: int) -> st.SearchStrategy[np.ndarray]:
    """Draw mirrors and whole shifts, (n, 3, 3)."""
    one = st.tuples(
        st.sampled_from([-1.0, 1.0]),
        st.sampled_from([-1.0, 1.0]),
        st.integers(-40, 40),
        st.integers(-40, 40),
    ).map(lambda m: [[m[0], 0, m[2]], [0, m[1], m[3]], [0, 0, 1]])
    return st.lists(one, min_size=n, max_size=n).map(lambda rows: np.array(rows, float))


@patient
@given(moves(3))
def test_cut_is_sample_without_rounding(to_window: np.ndarray) -> None:
    batch = pictures(3, 2, 9, 7)
    exact = warp.cut(batch, to_window, (6, 8))
    sampled = warp.sample(batch, np.linalg.inv(to_window), (6, 8), smooth=True)
    assert torch.equal(exact, exact.round())
    assert torch.allclose(exact, sampled, atol=0.02)


def test_cut_by_hand() -> None:
    row = torch.tensor([[[[1, 2, 3, 4]]]], dtype=torch.uint8)
    mirrored = np.array([[[-1.0, 0, 4], [0, 1, 0], [0, 0, 1]]])
    shifted = np.array([[[1.0, 0, -3], [0, 1, 0], [0, 0, 1]]])
    assert warp.cut(row, mirrored, (1, 4)).flatten().tolist() == [4, 3, 2, 1]
    assert warp.cut(row, shifted, (1, 4)).flatten().tolist() == [4, 4, 3, 2]  # edge repeated
    assert warp.cut(row, shifted, (1, 1)).flatten().tolist() == [4]


def test_recolour_agrees_with_einsum() -> None:
    seen = torch.rand(4, 3, 5, 6)
    gain, offset = RANDOM.normal(size=(4, 3, 3)), RANDOM.normal(size=(4, 3, 1))
    expected = np.einsum("nij,njhw->nihw", gain, seen.numpy()) + offset[..., None]
    assert np.allclose(warp.recolour(seen.clone(), gain, offset), expected, atol=1e-5)
    scaled = seen.numpy() * gain[:1, :, :1, None] + offset[..., None]
    assert np.allclose(warp.recolour(seen, gain[:1, :, :1], offset), scaled, atol=1e-5)


def test_cover_hides_boxes_and_nothing_else() -> None:
    seen = torch.ones(2, 3, 4, 5)
    warp.cover(seen, np.array([[[1, 0, 3, 2], [4, 3, 5, 4]], [[0, 0, 0, 4], [0, 0, 5, 0]]]))
    first = [[1, 0, 0, 1, 1], [1, 0, 0, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    assert seen[0].tolist() == [first] * 3
    assert (seen[1] == 1).all()
