"""Every way to propose, and each against pictures drawn so that the answer is known."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import feature

from opsin import proposals
from opsin.errors import RecipeError
from opsin.locate.patches import luma
from opsin.ops.seeding import number
from opsin.proposals import blobs, contour, selective, sliding
from opsin.proposals._proposal import panchromatic, patches


def discs(size=160, count=6, seed=0, least=5, edge=2):
    """A picture of dark discs that do not touch, and the boxes round them."""
    draws = np.random.default_rng(number(seed))
    grey, boxes = np.full((size, size), 200, np.uint8), []
    y, x = np.mgrid[:size, :size]
    while len(boxes) < count:
        radius = int(draws.integers(least, 14))
        cx, cy = draws.integers(radius + edge, size - radius - edge, 2)
        box = [cx - radius, cy - radius, cx + radius + 1, cy + radius + 1]
        if all(box[0] - 6 > b[2] or b[0] - 6 > box[2] or box[1] - 6 > b[3] or b[1] - 6 > box[3]
               for b in boxes):  # fmt: skip
            grey[(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = 60
            boxes.append(box)
    return np.stack([grey] * 3), np.array(boxes, float)


def iou(a, b):
    low, high = (
        np.maximum(a[:, None, :2], b[None, :, :2]),
        np.minimum(a[:, None, 2:], b[None, :, 2:]),
    )
    shared = (high - low).clip(0).prod(2)
    areas = [(c[:, 2:] - c[:, :2]).prod(1) for c in (a, b)]
    return shared / (areas[0][:, None] + areas[1][None] - shared)


@pytest.mark.contracts
@pytest.mark.parametrize("name", proposals.names())
@pytest.mark.parametrize("shape", [(1, 1), (7, 90), (64, 48)])
def test_contract(name, shape):
    """Boxes lie in the picture, best first, the same each time; the picture is left alone."""
    image = np.random.default_rng(1).integers(0, 256, (3, *shape), np.uint8)
    kept = image.copy()
    found, again = proposals.propose(name, image), proposals.propose(name, image)
    boxes, scores = found
    assert (boxes.dtype, scores.dtype) == (np.float32, np.float32)
    assert boxes.shape == (len(scores), 4)
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= [shape[1], shape[0]]).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (np.diff(scores) <= 0).all()
    assert np.isfinite(scores).all()
    assert (again.boxes == boxes).all()
    assert (again.scores == scores).all()
    assert (image == kept).all()
    assert proposals.settings(name) == proposals.settings(name, {})


@pytest.mark.contracts
@pytest.mark.parametrize("name", ["blobs", "contour", "selective"])
def test_what_stands_out_is_proposed(name):
    for seed in range(3):
        image, truth = discs(seed=seed, least=8)
        given = {"largest": 16} if name == "blobs" else {}
        best = iou(truth, proposals.propose(name, image, given).boxes).max(axis=1)
        assert (best > 0.7).all(), (seed, best)


def test_unknown_names_and_settings_are_named():
    with pytest.raises(RecipeError, match="Did you mean sliding"):
        proposals.propose("slidign", np.zeros((3, 9, 9), np.uint8))
    with pytest.raises(RecipeError, match="step=9"):
        proposals.settings("sliding", {"step": 9})
    with pytest.raises(RecipeError, match="likenesses='cx'"):
        proposals.settings("selective", {"likenesses": ("cx",)})


# ── sliding ─────────────────────────────────────────────────────────────────────────────────────


def test_windows_cover_every_pixel_and_are_as_many_as_counted():
    given = sliding.Settings(scales=(20, 33), ratios=(0.5, 1.0), step=0.3)
    boxes = sliding.propose(np.zeros((3, 71, 97), np.uint8), given).boxes
    assert len(boxes) == sliding.count((71, 97), given)
    assert len(np.unique(boxes, axis=0)) == len(boxes)
    sizes = boxes[:, 2:] - boxes[:, :2]
    for size in np.unique(sizes, axis=0):
        seen = np.zeros((71, 97), bool)
        for x1, y1, x2, y2 in boxes[(sizes == size).all(axis=1)].astype(int):
            seen[y1:y2, x1:x2] = True
        assert seen.all()


def test_too_many_windows_are_refused_before_any_is_made():
    began = time.process_time()
    with pytest.raises(RecipeError, match="windows in a picture of 20000×20000"):
        proposals.propose(
            "sliding", np.broadcast_to(np.uint8(0), (3, 20_000, 20_000)), {"step": 0.02}
        )
    assert time.process_time() - began < 1


# ── contours ────────────────────────────────────────────────────────────────────────────────────


def test_contours_are_the_connected_regions():
    """Without holes in them, outer contours are regions that hang together by sides or corners."""
    image, _ = discs(seed=4)
    found = contour.propose(image, contour.Settings(smallest=0)).boxes
    dark = (image.astype(float).mean(axis=0) < 100).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    x, y, wide, high, pixels = stats[1:].T
    wanted = np.stack([x, y, x + wide, y + high], axis=1)
    assert sorted(found.tolist()) == sorted(wanted.astype(float).tolist())
    share = dict(zip(map(tuple, wanted.tolist()), pixels / (wide * high), strict=True))
    scored = contour.propose(image, contour.Settings(smallest=0))
    for box, score in zip(scored.boxes.astype(int).tolist(), scored.scores, strict=True):
        assert score == pytest.approx(share[tuple(box)], abs=1e-5)


def test_thresholds_sizes_margins_and_brightness():
    image = np.full((3, 50, 50), 150, np.uint8)
    image[:, 5:10, 5:25], image[:, 30:32, 30:32] = 99, 0
    assert len(contour.propose(image).boxes) == 1  # 4 pixels are too small
    assert len(contour.propose(image, contour.Settings(smallest=4)).boxes) == 2
    assert len(contour.propose(image, contour.Settings(smallest=4, largest=50)).boxes) == 1
    assert len(contour.propose(image, contour.Settings(threshold=99)).boxes) == 0
    wider = contour.propose(image, contour.Settings(margin=0.5)).boxes
    assert wider.tolist() == [[0, 2.5, 35, 12.5]]
    bright = contour.propose(255 - image, contour.Settings(threshold=156, dark=False)).boxes
    assert bright.tolist() == [[5, 5, 25, 10]]
    assert contour.propose(image, contour.Settings(threshold=0, smallest=4)).boxes.shape == (2, 4)


def test_contours_count_the_pixels_of_regions_without_holes():
    """Corners alone say as much as every step of a contour."""
    image = np.random.default_rng(3).random((80, 90)) < 0.25
    labels, many = ndimage.label(image, np.ones((3, 3)))
    whole = [ndimage.binary_fill_holes(labels == n) for n in range(1, many + 1)]
    wanted = sorted(int(region.sum()) for region in whole)
    outlines, _ = cv2.findContours(
        image.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    found = sorted(contour.measured(outlines)[1].tolist())
    assert max(found) > 20  # winding ones, too
    assert found == wanted


def test_panchromatic_is_the_grey_of_the_house():
    image = np.random.default_rng(2).integers(0, 256, (3, 20, 30), np.uint8)
    assert np.abs(panchromatic(image) - luma(image[None])[0, 0].astype(int)).max() <= 1


def test_patches_are_resized_cuts():
    image, _ = discs()
    boxes = np.array([[10, 20, 42, 52], [-5, -5, 3, 3], [150, 150, 400, 400], [7, 7, 7, 7]])
    made = patches(image, boxes.astype(float), (16, 16))
    assert made.shape == (4, 3, 16, 16)
    cut = image[:, 20:52, 10:42].reshape(3, 16, 2, 16, 2).mean(axis=(2, 4))
    assert np.abs(made[0] - cut).max() <= 0.5
    assert patches(image, np.zeros((0, 4)), (8, 8)).shape == (0, 3, 8, 8)


# ── blobs ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("difference", [False, True])
def test_blobs_are_scikit_images(difference):
    image, truth = discs(size=200, seed=1, edge=24)
    given = blobs.Settings(smallest=3, largest=16, difference=difference)
    found = blobs.propose(image, given)
    search = feature.blob_dog if difference else feature.blob_log
    more = (
        {"sigma_ratio": (16 / 3) ** (1 / 7)} if difference else {"num_sigma": 8, "log_scale": True}
    )
    spots = search(
        1 - panchromatic(image) / 255.0, min_sigma=3 / 2**0.5, max_sigma=16 / 2**0.5,
        threshold=0.05, overlap=0.5, **more,
    )  # fmt: skip
    assert len(found.boxes) == len(spots)
    middles = np.sort((found.boxes[:, :2] + found.boxes[:, 2:]) / 2, axis=0)
    np.testing.assert_allclose(middles, np.sort(spots[:, 1::-1] + 0.5, axis=0), atol=1e-4)
    assert (iou(truth, found.boxes).max(axis=1) > 0.5).all()


def test_large_blobs_are_sought_in_a_smaller_picture():
    image, truth = discs(seed=2)
    large = np.repeat(np.repeat(image, 4, axis=1), 4, axis=2)
    found = blobs.propose(large, blobs.Settings(smallest=16, largest=64))
    assert (iou(truth * 4, found.boxes).max(axis=1) > 0.6).all()
    assert (found.scores[:6] > 0.3).all()


# ── selective search ────────────────────────────────────────────────────────────────────────────


def test_grouping_by_hand():
    """Four strips; the two of one colour are grouped first, then the nearest in size."""
    pixels = np.zeros((4, 16, 3), np.uint8)
    labels = np.repeat([[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]], 4, axis=0)
    pixels[labels >= 2] = 250
    first, pairs = selective.measured(pixels, labels), selective.neighbours(labels)
    assert pairs.tolist() == [[0, 1], [1, 2], [2, 3]]
    alike = selective.likeness(first, pairs[:, 0], pairs[:, 1], 64, "c")
    assert alike.tolist() == [1, 0, 1]
    size = selective.likeness(first, pairs[:, 0], pairs[:, 1], 64, "s")
    assert size.tolist() == [0.5, 0.5, 0.5]
    fill = selective.likeness(first, np.array([0]), np.array([3]), 64, "f")
    assert fill.tolist() == [1 - (64 - 32) / 64]
    boxes = selective.grouped(first, pairs, 64, "c")
    assert boxes[4:].tolist() == [[0, 0, 8, 4], [8, 0, 16, 4], [0, 0, 16, 4]]


def test_merged_histograms_are_those_of_the_merged_region():
    draws = np.random.default_rng(5)
    pixels = draws.integers(0, 256, (12, 12, 3), np.uint8)
    labels = np.repeat(np.repeat(np.arange(4).reshape(2, 2), 6, axis=0), 6, axis=1)
    first = selective.measured(pixels, labels)
    room = selective.Regions(*(np.concatenate([part, part[:1] * 0]) for part in first))
    selective._merge(room, 1, 2, 4)
    joined = np.where(labels == 2, 1, labels)
    joined[labels == 3] = 2
    whole = selective.measured(pixels, joined)
    for own, wanted in zip(room, whole, strict=True):
        np.testing.assert_allclose(own[4], wanted[1], atol=1e-6)


def test_a_seed_draws_the_order_and_nothing_else():
    image, _ = discs(seed=3)
    one, other = (selective.propose(image, selective.Settings(seed=s)).boxes for s in (0, 1))
    assert sorted(one.tolist()) == sorted(other.tolist())
    assert one.tolist() != other.tolist()


def test_larger_pictures_are_shrunk_and_boxes_grown_back():
    image, truth = discs(seed=6)
    large = np.repeat(np.repeat(image, 5, axis=1), 5, axis=2)
    found = selective.propose(large, selective.Settings(side=200))
    assert (iou(truth * 5, found.boxes).max(axis=1) > 0.7).all()


def test_a_photo_takes_a_second_or_two():
    ground = np.random.default_rng(7).normal(120, 40, (3, 48, 63)).clip(0, 255).astype(np.uint8)
    photo = cv2.resize(ground.transpose(1, 2, 0), (500, 375), interpolation=cv2.INTER_CUBIC)
    began = time.process_time()
    found = selective.propose(photo.transpose(2, 0, 1).copy())
    assert time.process_time() - began < 6  # on a machine that others use, too
    assert len(found.boxes) > 300
