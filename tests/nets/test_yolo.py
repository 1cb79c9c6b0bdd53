"""YOLO: codes of boxes there and back, who answers for what, and the terms by hand."""

from __future__ import annotations

import math

import pytest
import torch
from boxed import LINE, targets

from opsin import nets
from opsin.nets.detectors import _dense, yolo, yolo9000
from opsin.ops import coding

SIDES = [torch.tensor([[8.0, 8.0], [20.0, 10.0]]), torch.tensor([[30.0, 30.0], [40.0, 60.0]])]


def places() -> _dense.Places:
    """Return anchors on maps of 8 x 8 and 4 x 4 places of a picture of 64 pixels."""
    maps = [torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 4, 4)]
    return _dense.places(maps, SIDES, [8, 16])


def at(found: _dense.Places, stride: int, column: int, row: int, wide: float) -> int:
    """Return the index of an anchor."""
    where = (found.strides == stride) & (found.cells == torch.tensor([column, row])).all(1)
    (index,) = (where & (found.sides[:, 0] == wide)).nonzero()[:, 0].tolist()
    return int(index)


def test_codes_there_and_back() -> None:
    found = places()
    boxes = found.boxes + torch.tensor([1.0, -2.0, 3.0, 4.0])
    codes = coding.to_offsets(boxes, found.cells, found.sides, found.strides, 2.0)
    again = yolo.decoded(torch.stack([codes, codes]), found, 2.0)
    assert torch.allclose(again, torch.stack([boxes, boxes]), atol=1e-3)


def test_only_what_is_near_and_alike_may_answer() -> None:
    found = places()
    truth = torch.tensor([[16.0, 16, 24, 24]])  # its centre is that of the cell 2, 2
    codes = torch.zeros(len(found.strides), 7)
    own = yolo.assigned(codes, found.boxes, truth, torch.tensor([0]), found)
    taken = (own >= 0).nonzero()[:, 0].tolist()
    assert at(found, 8, 2, 2, 8.0) in taken  # the very box
    for index in taken:
        assert ((found.points[index] - 20).abs() < found.strides[index]).all()
        assert (found.sides[index] / 8).log().abs().max() <= math.log(4)
    assert at(found, 16, 1, 1, 40.0) not in taken


def test_an_object_unlike_all_anchors_still_has_one() -> None:
    found = places()
    truth = torch.tensor([[20.0, 20, 21, 21]])
    own = yolo.assigned(torch.zeros(160, 6), found.boxes, truth, torch.tensor([0]), found)
    taken = (own >= 0).nonzero()[:, 0].tolist()
    assert len(taken) == 1
    assert found.sides[taken[0]].tolist() == [8.0, 8.0]


def test_terms_by_hand() -> None:
    net = nets.build(f"yolo on {LINE}", outputs=2, size=(64, 64))
    assert isinstance(net, yolo.Yolo)
    found = places()
    truth = [20.0, 20.0, 21.0, 21.0]  # matches one anchor, of 8 x 8
    codes = torch.zeros(1, 160, 7)
    codes[..., 4] = -2.0
    boxes = yolo.decoded(codes, found, 2.0)
    said = net.terms(codes, boxes, found, targets([[*truth, 1, 0]]))
    # the box 16 16 24 24 of the cell 2, 2 holds the object in its middle but for half a pixel
    iou = 1 / 64
    apart = (0.5**2 + 0.5**2) / (8**2 + 8**2)
    assert float(said["box"]) == pytest.approx(2 * (1 - iou + apart), rel=1e-4)
    assert float(said["class"]) == pytest.approx(2 * math.log(2), rel=1e-5)
    background = math.log1p(math.exp(-2))
    wanted = 159 * background + (background + 2 * iou)  # −log(1 − σ(o)) − o · target
    assert float(said["objectness"]) == pytest.approx(wanted, rel=1e-5)


def test_anchors_are_dealt_from_small_to_large() -> None:
    net = nets.build(f"yolo on {LINE}", outputs=1, size=(64, 64))
    rows = [[0, 0, 6 + i, 5 + i * 0.5, 0, 0] for i in range(30)]
    net.ready(targets(rows), 3)
    assert net.anchors.shape == (6, 2)
    assert (net.anchors.prod(1).diff() > 0).all()
    assert net.anchors[0, 0] < 12 < 26 < net.anchors[5, 0]
    before = net.anchors.clone()
    net.ready(targets([], []), 3)
    assert torch.equal(net.anchors, before)
    assert torch.equal(dict(net.state_dict())["anchors"], before)


def test_in_the_paper_one_anchor_answers() -> None:
    found = places()
    found = _dense.Places(*(part[found.strides == 16] for part in found))
    truths = torch.tensor([[17.0, 33, 46, 62], [2, 2, 40, 64]])  # centres 31.5 47.5 and 21 33
    own = yolo9000.by_shape(truths, found)
    assert own[at(found, 16, 1, 2, 30.0)] == 0
    assert own[at(found, 16, 1, 2, 40.0)] == 1
    assert int((own >= 0).sum()) == 2


def test_squared_errors_by_hand() -> None:
    net = nets.build(f"yolo9000 on {LINE}", outputs=2, size=(64, 64))
    assert isinstance(net, yolo9000.Yolo9000)
    found = places()
    found = _dense.Places(*(part[found.strides == 16] for part in found))
    codes = torch.zeros(1, 32, 7)
    boxes = yolo.decoded(codes, found, 1.0)
    truth = [12.0, 8.0, 36.0, 40.0]  # its centre, 24 24, is that of the cell 1, 1
    said = net.terms(codes, boxes, found, targets([[*truth, 0, 0]]))
    iou = 24 * 30 / (24 * 32 + 30 * 30 - 24 * 30)
    assert float(said["box"]) == pytest.approx(
        math.log(24 / 30) ** 2 + math.log(32 / 30) ** 2, rel=1e-4
    )
    assert float(said["objectness"]) == pytest.approx(5 * (0.5 - iou) ** 2 + 31 * 0.25, rel=1e-4)
    assert float(said["class"]) == pytest.approx(0.5)
