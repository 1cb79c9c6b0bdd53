"""Faster R-CNN: what anchors match, what is proposed and how it begins, by hand and by a loop."""

from __future__ import annotations

import math

import pytest
import torch
from boxed import LINE, drawn, targets
from torch import Tensor

from opsin import nets
from opsin.nets.detectors import _proposing, _regions
from opsin.nets.detectors._detector import Detector
from opsin.ops import coding


def test_what_anchors_match() -> None:
    anchors = torch.tensor(
        [[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 30, 10], [40, 0, 50, 10], [43, 0, 53, 10]]
    )
    truth = torch.tensor([[0.0, 0, 10, 9]])
    none = torch.zeros(0, 4)
    # IoU 0.9, 5/9 and 0.3: a match, two between 0.3 and 0.7, and background
    assert _proposing.assigned(anchors, truth, none).tolist() == [0, -2, -2, -1, -1]
    small = torch.tensor([[40.0, 0, 43, 3]])  # overlaps one anchor, by 0.09: its best
    assert _proposing.assigned(anchors, small, none).tolist() == [-1, -1, -1, 0, -1]
    # To ignore: one that equals an anchor, and shares 7/13 with another
    ignored = torch.tensor([[40.0, 0, 50, 10]])
    assert _proposing.assigned(anchors, truth, ignored).tolist() == [0, -2, -2, -2, -2]
    # An anchor whose larger part lies outside, but which it would match: 0.09 of it at best
    assert _proposing.assigned(anchors, none, small).tolist() == [-1, -1, -1, -2, -1]
    assert _proposing.assigned(anchors, none, none).tolist() == [-1] * 5


def test_proposals_are_those_of_a_loop() -> None:
    draws = torch.Generator().manual_seed(3)
    corner, side = torch.rand(2, 15, 2, generator=draws)
    anchors = torch.cat([corner * 50, corner * 50 + 6 + side * 30], 1).repeat(4, 1)
    said = torch.randn(60, 5, generator=draws) * torch.tensor([0.1, 0.1, 0.1, 0.1, 1.0])
    found = _proposing.regions(said, anchors, (48, 56), 40)
    kept: list[list[float]] = []
    for place in sorted(range(60), key=lambda place: -float(said[place, 4])):
        x1, y1, x2, y2 = anchors[place].tolist()
        dx, dy, dw, dh, _ = said[place].tolist()
        x, y = (x1 + x2) / 2 + dx * (x2 - x1), (y1 + y2) / 2 + dy * (y2 - y1)
        wide, high = (x2 - x1) * math.exp(dw), (y2 - y1) * math.exp(dh)
        box = [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]
        box = [min(max(side, 0), end) for side, end in zip(box, (56, 48, 56, 48), strict=True)]
        if min(box[2] - box[0], box[3] - box[1]) < 1:  # beyond the picture
            continue
        if all(_iou(box, other) <= 0.7 for other in kept):
            kept.append(box)
    assert 5 < len(kept) < 40
    assert torch.allclose(found[: len(kept)], torch.tensor(kept), atol=1e-4)
    assert found.shape == (40, 4)
    assert not found[len(kept) :].any()


def _iou(a: list[float], b: list[float]) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(
        0.0, min(a[3], b[3]) - max(a[1], b[1])
    )
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def test_terms_of_proposing_by_hand() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 30], [0, 0, 10, 6]])
    said = torch.zeros(1, 3, 5)
    said[0, :, 4] = torch.tensor([2.0, -1.0, 9.0])  # the third is unjudged
    said[0, 0, :4] = torch.tensor([0.1, 0.0, 0.0, 0.0])
    found = _proposing.Proposed([], said, anchors).terms(targets([[1, 0, 11, 10, 0, 0]]))
    surprise = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    assert float(found["proposals"]) == pytest.approx(surprise)
    assert float(found["proposal boxes"]) == pytest.approx(0, abs=1e-7)  # moved by 0.1 as it is
    said[0, 0, 0] = 0.4
    found = _proposing.Proposed([], said, anchors).terms(targets([[1, 0, 11, 10, 0, 0]]))
    assert float(found["proposal boxes"]) == pytest.approx((0.3 - 1 / 18) / 2)


@pytest.mark.parametrize("kind", ["faster_rcnn", "rfcn"])
@pytest.mark.parametrize("outputs", [1, 80])
def test_it_begins_calm_however_many_classes(kind: str, outputs: int) -> None:
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {LINE}", outputs=outputs, size=(64, 64))
    with torch.no_grad():
        empty: dict[str, Tensor] = net(drawn(2)[0], targets([], []))
    # A quarter of what is drawn may be objects: background is believed to three quarters.
    assert float(empty["classes"]) == pytest.approx(-math.log(0.75), abs=0.05)
    assert float(empty["proposals"]) == pytest.approx(-math.log(0.99), abs=0.01)
    assert float(empty["boxes"]) == float(empty["proposal boxes"]) == 0


def test_regions_to_learn_from() -> None:
    rows = targets([[0, 0, 20, 20, 1, 0], [40, 40, 60, 60, 0, 1]])[0]
    near = torch.tensor([[0.0, 0, 20, 12 + i] for i in range(8)])  # IoU 0.6 and more
    far = torch.tensor([[20.0 + i, 0, 40 + i, 9] for i in range(9)])
    ignored = torch.tensor([[41.0, 40, 60, 60], [0, 0, 0, 0]])  # and one without area
    torch.manual_seed(0)
    found = _regions.sampled(torch.cat([near, far, ignored]), rows, 2, 16)
    assert found.classes.tolist() == [1] * 4 + [2] * 9
    assert found.truths.tolist() == [[0, 0, 20, 20]] * 4
    assert sorted(found.regions[4:].tolist()) == far.tolist()
    alone = _regions.sampled(torch.zeros(0, 4), rows, 2, 16)  # the true box itself is a region
    assert alone.regions.tolist() == [[0, 0, 20, 20]]


def test_a_region_becomes_the_box_it_was_taught() -> None:
    torch.manual_seed(0)
    net = nets.build(f"faster_rcnn on {LINE}", outputs=3, size=(64, 64)).eval()
    assert isinstance(net, Detector)
    region, truth = torch.tensor([[10.0, 10, 30, 30]]), torch.tensor([[12.0, 8, 40, 30]])
    with torch.no_grad():
        for layer in (net.pooling.head.classes, net.pooling.head.boxes):
            layer.weight.zero_()
        net.pooling.head.boxes.bias.copy_(coding.to_deltas(truth, region, coding.REGIONS)[0])
        net.pooling.head.classes.bias.copy_(torch.tensor([0.0, 2.0, 0.0, 1.0]))
        padded = torch.cat([region, torch.zeros(2, 4)])
        found = net._candidates(torch.zeros(1, 3, 64, 64), [torch.rand(1, 96, 8, 8)], [padded])
    shares = torch.tensor([0.0, 2.0, 0.0, 1.0]).exp()
    assert found[0, 0].tolist() == pytest.approx(
        [12, 8, 40, 30, *(shares[:3] / shares.sum()).tolist()], abs=1e-5
    )
    assert not found[0, 1:].any()
