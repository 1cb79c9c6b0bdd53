"""Regions pooled against plain loops over places and samples."""

import numpy as np
import pytest
import torch

from opsin.errors import SizeError
from opsin.ops import regions

SIZE, STRIDE, SAMPLES = (2, 3), 4, 2


def bilinear(plane, y, x):
    """The value at a point, places' values standing at whole coordinates; the border continues."""
    high, wide = plane.shape
    if y < -1 or x < -1 or y > high or x > wide:
        return 0.0
    y, x = min(max(y, 0), high - 1), min(max(x, 0), wide - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, high - 1), min(left + 1, wide - 1)
    b, r = y - top, x - left
    return float(
        plane[top, left] * (1 - b) * (1 - r)
        + plane[top, right] * (1 - b) * r
        + plane[bottom, left] * b * (1 - r)
        + plane[bottom, right] * b * r
    )


def align_cell(plane, box, row, column):
    """Mask R-CNN's: samples on a regular lattice in the cell, averaged."""
    x1, y1, x2, y2 = np.array(box) / STRIDE - 0.5
    high, wide = (y2 - y1) / SIZE[0], (x2 - x1) / SIZE[1]
    found = [
        bilinear(
            plane,
            y1 + high * (row + (i + 0.5) / SAMPLES),
            x1 + wide * (column + (j + 0.5) / SAMPLES),
        )
        for i in range(SAMPLES)
        for j in range(SAMPLES)
    ]
    return np.mean(found)


def pool_cell(plane, box, row, column, *, last, how):
    """Edges rounded to places; ``last`` whether the place of the far edge belongs to the box."""
    x1, y1, x2, y2 = np.floor(np.array(box) / STRIDE + 0.5)
    high, wide = max(y2 - y1 + last, 0.1), max(x2 - x1 + last, 0.1)
    high, wide = (max(high, 1), max(wide, 1)) if last else (high, wide)
    rows = int(np.floor(row * high / SIZE[0]) + y1), int(np.ceil((row + 1) * high / SIZE[0]) + y1)
    columns = (
        int(np.floor(column * wide / SIZE[1]) + x1),
        int(np.ceil((column + 1) * wide / SIZE[1]) + x1),
    )
    part = plane[max(rows[0], 0) : rows[1], max(columns[0], 0) : columns[1]]
    return how(part) if part.size else 0.0


CELL = {
    "align": align_cell,
    "ps_align": align_cell,
    "pool": lambda *a: pool_cell(*a, last=1, how=np.max),
    "ps_pool": lambda *a: pool_cell(*a, last=0, how=np.mean),
}


@pytest.mark.parametrize("kind", list(CELL))
def test_against_loops(kind):
    draws = np.random.default_rng(0)
    maps = torch.from_numpy(draws.normal(size=(2, 12, 9, 11)))
    boxes = [
        torch.tensor([[3.0, 5, 30, 27], [0, 0, 44, 36]], dtype=torch.float64),
        torch.tensor([[17.0, 9, 25, 33]], dtype=torch.float64),
    ]
    found = regions.pooled(maps, boxes, SIZE, stride=STRIDE, kind=kind, samples=SAMPLES).numpy()
    sensitive = kind.startswith("ps")
    assert found.shape == (3, 2 if sensitive else 12, *SIZE)
    for at, (picture, box) in enumerate([(0, boxes[0][0]), (0, boxes[0][1]), (1, boxes[1][0])]):
        for channel in range(found.shape[1]):
            for row in range(SIZE[0]):
                for column in range(SIZE[1]):
                    own = (channel * SIZE[0] + row) * SIZE[1] + column if sensitive else channel
                    plane = maps[picture, own].numpy()
                    wanted = CELL[kind](plane, box.numpy(), row, column)
                    assert found[at, channel, row, column] == pytest.approx(wanted, abs=1e-9)


def test_no_boxes_at_all():
    found = regions.pooled(torch.zeros(2, 8, 6, 6), [torch.zeros(0, 4)] * 2, (7, 7), stride=8)
    assert found.shape == (0, 8, 7, 7)


def test_channels_that_do_not_divide():
    with pytest.raises(SizeError, match="10 channels for 3×3 cells"):
        regions.pooled(
            torch.zeros(1, 10, 4, 4), [torch.ones(1, 4)], (3, 3), stride=8, kind="ps_pool"
        )
