"""Four pictures in a frame: each bright rectangle is found again where its box says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from opsin.augment.mosaic import mosaic

LIGHTS = (0.2, 0.4, 0.6, 0.8, 1.0)


def drawn(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw a rectangle of its own light in each of five pictures, edges on even pixels."""
    random = np.random.default_rng(height)
    images, targets = torch.full((5, 1, height, width), 0.05), torch.zeros(5, 2, 6)
    targets[..., 4] = -1
    for at, light in enumerate(LIGHTS):
        x1, y1 = 2 * int(random.integers(width // 4)), 2 * int(random.integers(height // 4))
        x2, y2 = x1 + width // 4 * 2, y1 + height // 4 * 2
        images[at, 0, y1:y2, x1:x2] = light
        targets[at, 0] = torch.tensor([x1, y1, x2, y2, at, at % 2])
    return images, targets


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 80)])
def test_rectangles_are_where_their_boxes_say(height: int, width: int) -> None:
    images, targets = drawn(height, width)
    seen = 0
    for seed in range(20):
        laid, moved = mosaic(images, targets, (seed,), 1.0)
        assert laid.shape == images.shape
        for picture, boxes in zip(laid[:, 0], moved, strict=True):
            kept = boxes[boxes[:, 4] >= 0]
            assert len(set(kept[:, 4].tolist())) == len(kept) <= 4
            for x1, y1, x2, y2, kind, flag in kept.tolist():
                rows, columns = torch.where((picture - LIGHTS[int(kind)]).abs() < 1e-6)
                found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert [x1, y1, x2, y2] == [int(edge) for edge in found]
                assert flag == kind % 2
                seen += 1
    assert seen > 250  # of 400 rectangles laid


def test_what_is_hardly_visible_is_padding_and_padding_is_last() -> None:
    images, targets = drawn(64, 64)
    for seed in range(20):
        laid, moved = mosaic(images, targets, (seed,), 1.0)
        for picture, boxes in zip(laid[:, 0], moved, strict=True):
            padding = boxes[:, 4] == -1
            assert torch.equal(padding, padding.sort(stable=True).values)
            assert not boxes[padding][:, :4].any()
            told = set(boxes[~padding][:, 4].int().tolist())
            for kind in set(range(5)) - told:  # a rectangle of 16 × 16 once halved
                assert ((picture - LIGHTS[kind]).abs() < 1e-6).sum() < 0.1 * 256


def test_proposals_move_as_boxes_do() -> None:
    images, targets = drawn(64, 64)
    targets[:, 1] = targets[:, 0]
    targets[:, 1, 4] = -2
    _, moved = mosaic(images, targets, (3,), 1.0)
    for boxes in moved:
        truths, proposed = boxes[boxes[:, 4] >= 0], boxes[boxes[:, 4] == -2]
        assert len(truths) and torch.equal(truths[:, :4], proposed[:, :4])


def test_a_share_is_laid_and_the_rest_stays() -> None:
    images, targets = torch.rand(400, 1, 4, 4), torch.zeros(400, 1, 6)
    laid, moved = mosaic(images, targets, (1,), 0.3)
    changed = (laid != images).flatten(1).any(1)
    assert 0.22 < float(changed.float().mean()) < 0.38  # 3.5 standard deviations of 0.023
    assert torch.equal(mosaic(images, targets, (1,), 0.3)[0], laid)
    assert moved.shape[2] == 6
    none, same = mosaic(*drawn(64, 64), (1,), 0.0)
    assert torch.equal(none, drawn(64, 64)[0]) and torch.equal(same[:, 0], drawn(64, 64)[1][:, 0])


def test_one_picture_alone_is_laid_with_itself() -> None:
    images, targets = drawn(64, 64)
    laid, moved = mosaic(images[:1], targets[:1], (5,), 1.0)
    assert laid.shape == (1, 1, 64, 64) and set(moved[0, :, 4].tolist()) <= {0.0, -1.0}
