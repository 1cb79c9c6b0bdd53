"""Anchors against torchvision's generators, and clusters against trying all there are."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from opsin.errors import DataError
from opsin.ops import anchors


def images(high, wide):
    return ImageList(torch.zeros(1, 3, high, wide), [(high, wide)])


def test_grid_is_torchvisions_but_for_the_middle_of_the_cell() -> None:
    made = AnchorGenerator(sizes=((32, 64),), aspect_ratios=((1.0, 4.0),))
    (theirs,) = made(images(48, 64), [torch.zeros(1, 8, 3, 4)])
    theirs = theirs.reshape(12, 2, 2, 4).transpose(1, 2).reshape(-1, 4)  # ratio outermost there
    shapes = anchors.shapes([32, 64], [1.0, 4.0])
    assert torch.equal(anchors.grid(shapes, (3, 4), 16, offset=0.0), theirs)
    assert torch.equal(anchors.grid(shapes, (3, 4), 16), theirs + 8)


def test_ssd_boxes_are_torchvisions() -> None:
    ratios = [[2], [2, 3], [2]]
    theirs = DefaultBoxGenerator(ratios, min_ratio=0.2, max_ratio=0.9, clip=False)
    for own, their in zip(anchors.ssd_shapes(ratios), theirs._wh_pairs, strict=True):
        torch.testing.assert_close(own, their)


def test_points_stand_in_the_middle_of_their_cells() -> None:
    assert anchors.points((2, 3), 8)[[0, 2, 3]].tolist() == [[4, 4], [20, 4], [4, 12]]


@pytest.mark.parametrize("seed", range(4))
def test_clusters_are_no_worse_than_the_best_choice_of_boxes(seed: int) -> None:
    draws = np.random.default_rng(seed)
    centres = np.array([[10, 20], [60, 30], [100, 140]])
    sides = centres[draws.integers(0, 3, 24)] * draws.uniform(0.8, 1.25, (24, 2))
    best = max(anchors.average_iou(sides, sides[list(c)]) for c in combinations(range(24), 3))
    assert anchors.clusters(sides, 3, seed).fit >= best - 0.01


def test_average_iou_by_pixels() -> None:
    sides, shapes = np.array([[4.0, 2], [3, 9]]), np.array([[2.0, 4], [5, 5]])
    found = []
    for wide, high in sides.astype(int):
        own = np.zeros((10, 10), bool)
        own[:high, :wide] = True
        likes = []
        for w, h in shapes.astype(int):
            other = np.zeros((10, 10), bool)
            other[:h, :w] = True
            likes.append((own & other).sum() / (own | other).sum())
        found.append(max(likes))
    assert anchors.average_iou(sides, shapes) == pytest.approx(np.mean(found))


def test_fit_never_falls_and_the_same_key_gives_the_same() -> None:
    sides = np.random.default_rng(3).uniform(5, 200, (300, 2))
    first, again = anchors.fits(sides, 9, 5), anchors.fits(sides, 9, 5)
    fit = [found.fit for found in first]
    assert [len(found.shapes) for found in first] == list(range(1, 10))
    assert fit == sorted(fit)
    assert fit[8] > 0.65
    for a, b in zip(first, again, strict=True):
        assert (a.shapes == b.shapes).all()
    assert (np.diff(first[8].shapes.prod(axis=1)) >= 0).all()


def test_fewer_boxes_than_anchors() -> None:
    sides = np.array([[10.0, 10], [10, 10], [20, 20], [0, 5], [np.nan, 1]])
    assert len(anchors.fits(sides, 9)) == 2
    with pytest.raises(DataError, match="3 anchors wanted of 2 different boxes"):
        anchors.clusters(sides, 3)
