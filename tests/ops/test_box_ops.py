"""Boxes by counting pixels and by the papers' formulas on plain numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from opsin.ops import boxes as box

KINDS = ("iou", "giou", "diou", "ciou")
whole = st.integers(0, 11)


@st.composite
def corners(draw):
    x1, y1 = draw(st.tuples(whole, whole))
    return [x1, y1, x1 + draw(st.integers(1, 8)), y1 + draw(st.integers(1, 8))]


def painted(corner):
    """A box of whole pixels as a mask."""
    mask = np.zeros((20, 20), bool)
    x1, y1, x2, y2 = corner
    mask[y1:y2, x1:x2] = True
    return mask


def by_paper(a, b, kind):
    """The value from pixels counted and, for distances and aspects, from the equations."""
    one, other = painted(a), painted(b)
    iou = (one & other).sum() / (one | other).sum()
    x1, y1, x2, y2 = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
    hull = painted([x1, y1, x2, y2]).sum()
    apart = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    diou = iou - apart / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
    angles = [math.atan((c[2] - c[0]) / (c[3] - c[1])) for c in (a, b)]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    alpha = v / (1 - iou + v) if v else 0.0
    return {
        "iou": iou,
        "giou": iou - (hull - (one | other).sum()) / hull,
        "diou": diou,
        "ciou": diou - alpha * v,
    }[kind]


@settings(max_examples=60, deadline=None)
@given(a=st.lists(corners(), min_size=1, max_size=3), b=st.lists(corners(), min_size=1, max_size=3))
def test_overlaps_are_those_of_the_papers(a, b):
    one, other = (torch.tensor(x, dtype=torch.float64) for x in (a, b))
    for kind in KINDS:
        wanted = [[by_paper(x, y, kind) for y in b] for x in a]
        np.testing.assert_allclose(box.overlap(one, other, kind).numpy(), wanted, atol=2e-6)
        rows = [by_paper(x, y, kind) for x, y in zip(a, b, strict=False)]
        n = len(rows)
        np.testing.assert_allclose(box.paired(one[:n], other[:n], kind).numpy(), rows, atol=2e-6)
    share = [[(painted(x) & painted(y)).sum() / painted(x).sum() for y in b] for x in a]
    np.testing.assert_allclose(box.covered(one, other).numpy(), share, atol=1e-12)


def test_facts_iou_is_intersection_over_union():
    a, b = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 2, 6, 6]])
    assert float(box.overlap(a, b)) == pytest.approx(4 / (16 + 16 - 4))


def test_boxes_of_nothing_overlap_nothing():
    nothing, some = torch.zeros(1, 4), torch.tensor([[0.0, 0, 2, 2]])
    for kind in KINDS:
        assert torch.isfinite(box.overlap(nothing, some, kind)).all()
    assert float(box.overlap(nothing, nothing)) == 0
    assert float(box.paired(nothing, nothing)) == 0
    assert box.overlap(torch.zeros(0, 4), some).shape == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_boxes_apart_only_where_the_paper_says(kind):
    moved = torch.tensor([[0.0, 0, 2, 2]], requires_grad=True)
    (1 - box.paired(moved, torch.tensor([[5.0, 0, 7, 2]]), kind)).sum().backward()
    assert bool(moved.grad.abs().sum() > 0) is (kind != "iou")


@given(corners())
def test_formats_come_back(corner):
    made = torch.tensor([corner], dtype=torch.float64)
    for kind in ("xywh", "cxcywh"):
        assert torch.equal(box.convert(box.convert(made, "xyxy", kind), kind, "xyxy"), made)


def test_scaling_and_clipping():
    made = torch.tensor([[10.0, 20, 30, 60]])
    grown = box.scale(made, (100, 200), (300, 100))
    assert grown.tolist() == [[5, 60, 15, 180]]
    assert box.scale(grown, (300, 100), (100, 200)).tolist() == made.tolist()
    assert box.clip(torch.tensor([[-3.0, -4, 500, 600]]), (100, 200)).tolist() == [[0, 0, 200, 100]]
