"""Shapes are drawn, picture and truth are moved, and both must lie on each other within a pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from opsin.augment import Draw, parse

GEOMETRY = [
    "none",
    "flip 1",
    "crop",
    "centre",
    "rotate 30",
    "translate 0.15",
    "scale 0.8 1.3",
    "shear 20",
    "perspective 0.4",
    "elastic 60 6",
    "elastic 20 4, elastic 24 4",
    "elastic 20 4, elastic 30 6",
    "rotate 20, elastic 40 5, scale 0.8 1.2, perspective 0.3, flip",
    "perspective 0.3, rotate 15, centre, elastic 34 4",
]
SIZES = {"small": ((60, 72), (48, 50)), "large": ((100, 120), (88, 90))}  # torch, OpenCV
N = 12
RANDOM = np.random.default_rng(3)


def discs(working: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return pictures of a disc (N, 1, H, W), masks (N, H, W), and points of its rim (N, 40, 2)."""
    height, width = working
    y, x = np.mgrid[:height, :width] + 0.5
    middle = RANDOM.uniform(0.4, 0.6, (N, 2)) * [width, height]
    radius = RANDOM.uniform(0.12, 0.2, N) * min(working)
    far = np.hypot(x - middle[:, 0, None, None], y - middle[:, 1, None, None])
    ink = (radius[:, None, None] - far + 0.5).clip(0, 1)  # a soft rim, half grey where it is
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = middle[:, None] + radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    pictures = torch.from_numpy((ink * 255).round().astype(np.uint8))[:, None]
    return (
        pictures,
        torch.from_numpy((far < radius[:, None, None]).astype(np.int64)),
        (torch.from_numpy(rim)),
    )


def rectangles(working: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures of a rectangle (N, 1, H, W) and its boxes (N, 1, 4)."""
    height, width = working
    first = (RANDOM.uniform(0.3, 0.4, (N, 2)) * [width, height]).round()
    second = (RANDOM.uniform(0.55, 0.7, (N, 2)) * [width, height]).round()
    boxes = np.concatenate([first, second], axis=1)
    pictures = torch.zeros((N, 1, height, width), dtype=torch.uint8)
    for picture, (x1, y1, x2, y2) in zip(pictures, boxes.astype(int), strict=True):
        picture[:, y1:y2, x1:x2] = 255
    return pictures, torch.from_numpy(boxes)[:, None]


def rim_distance(shape: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how far points (P, 2) lie from the rim of a shape (h, w), inside or outside."""
    within, without = ndimage.distance_transform_edt(shape), ndimage.distance_transform_edt(~shape)
    signed = within - without + np.where(shape, -0.5, 0.5)
    return np.abs(ndimage.map_coordinates(signed, points[:, ::-1].T - 0.5, order=1, mode="nearest"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line", GEOMETRY)
def test_pictures_masks_and_points_move_together(line: str, size: str) -> None:
    working, out = SIZES[size]
    pictures, masks, rims = discs(working)
    draw = parse(line).draw_for(pictures, out, (7,))
    seen = (draw.images(pictures)[:, 0] > 0.5).numpy()
    moved = draw.masks(masks).bool().numpy()
    points = draw.points(rims).numpy()
    checked = 0
    for place in range(N):
        inside = ((points[place] > 2) & (points[place] < np.array(out[::-1]) - 2)).all(1)
        if inside.sum() < 20:
            continue
        checked += 1
        for shape in (seen[place], moved[place]):
            assert rim_distance(shape, points[place][inside]).max() < 1
        assert (seen[place] != moved[place]).sum() < 0.15 * moved[place].sum() + 4  # of the rim
    assert checked > N / 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line", GEOMETRY)
def test_boxes_enclose_what_became_of_what_they_enclosed(line: str, size: str) -> None:
    working, out = SIZES[size]
    pictures, boxes = rectangles(working)
    draw = parse(line).draw_for(pictures, out, (8,))
    seen = (draw.images(pictures)[:, 0] > 0.5).numpy()
    moved, remain = draw.boxes(boxes)
    assert moved.shape == (N, 1, 4) and remain.shape == (N, 1)
    for place in torch.nonzero(remain[:, 0]).flatten().tolist():
        rows, columns = (np.flatnonzero(seen[place].any(axis)) for axis in (1, 0))
        found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert moved[place, 0].tolist() == pytest.approx(found, abs=1.01)
    assert remain.sum() > N / 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line", GEOMETRY)
def test_boxes_of_ellipses_enclose_what_became_of_discs(line: str, size: str) -> None:
    working, out = SIZES[size]
    pictures, _, rims = discs(working)
    boxes = torch.cat([rims.amin(1), rims.amax(1)], 1)[:, None]
    draw = parse(line).draw_for(pictures, out, (8,))
    seen = (draw.images(pictures)[:, 0] > 0.5).numpy()
    moved, remain = draw.boxes(boxes, outline="ellipse")
    for place in torch.nonzero(remain[:, 0]).flatten().tolist():
        rows, columns = (np.flatnonzero(seen[place].any(axis)) for axis in (1, 0))
        found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert moved[place, 0].tolist() == pytest.approx(found, abs=1.51)
    assert remain.sum() > N / 2


def shifted(x: float) -> Draw:
    """Return a draw that shifts an 8 x 8 picture to the right."""
    draw = parse("none").draw(1, (8, 8), (8, 8), (0,))
    draw.geometry[:, 0, 2] = x
    return draw


def test_a_box_remains_while_enough_of_it_is_seen() -> None:
    boxes = torch.tensor([[[4.0, 2.0, 8.0, 6.0], [0.0, 0.0, 8.0, 8.0]]])
    moved, remain = shifted(3).boxes(boxes, least=0.3)
    assert moved.tolist() == [[[7, 2, 8, 6], [3, 0, 8, 8]]]
    assert remain.tolist() == [[False, True]]
    assert shifted(3).boxes(boxes, least=0.2)[1].tolist() == [[True, True]]
    assert shifted(9).boxes(boxes, least=0.0)[1].tolist() == [[False, False]]


def test_no_boxes_are_no_trouble() -> None:
    moved, remain = parse("rotate 9").draw(2, (8, 8), (8, 8), (0,)).boxes(torch.zeros(2, 0, 4))
    assert moved.shape == (2, 0, 4) and remain.shape == (2, 0)


@pytest.mark.parametrize("line", ["rotate 9, elastic 34 4, color 0.3, erase", "noise 0.2, blur 2"])
def test_a_part_of_a_draw_does_what_the_whole_does(line: str) -> None:
    pictures = torch.from_numpy(RANDOM.integers(0, 256, (6, 3, 20, 20), dtype=np.uint8))
    draw = parse(line).draw(6, (20, 20), (16, 16), (2,))
    whole = draw.images(pictures)
    for chosen in (slice(1, 4), [4, 0], np.array([True, False] * 3)):
        part = draw[chosen].images(pictures[torch.from_numpy(np.arange(6)[chosen])])
        assert torch.allclose(part, whole[torch.from_numpy(np.arange(6)[chosen])], atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "line",
    [
        "none",
        "flip, crop",
        "translate 0.4",
        "rotate 20, color 0.4",
        "perspective 0.5",
        "rotate 9, elastic 60 6",
        "perspective 0.4, elastic 60 6, hue 30",
    ],
)
def test_opencv_and_torch_agree(line: str, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsin.augment import opencv

    noise = RANDOM.random((5, channels, 90, 80))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 1, 1))  # the grids differ in the last bits
    batch = torch.from_numpy((smooth * 255).astype(np.uint8))
    draw = parse(line).draw(5, (90, 80), (72, 70), (1,))
    mean, std = (0.5, 0.4, 0.3)[:channels], (0.2, 0.3, 0.4)[:channels]
    quick = draw.images(batch, mean, std)
    monkeypatch.setattr(opencv, "LEAST", 10**9)
    assert torch.allclose(quick, draw.images(batch, mean, std), atol=2e-3)
    threads = torch.get_num_threads()
    monkeypatch.undo()
    torch.set_num_threads(1)
    try:
        assert torch.equal(quick, draw.images(batch, mean, std))
    finally:
        torch.set_num_threads(threads)
