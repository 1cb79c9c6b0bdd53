"""What every detector of two stages owes, and the parts they are made of, by hand."""

from __future__ import annotations

import pytest
import torch
from boxed import LINE, drawn, losses, targets, terms
from torch import Tensor

from opsin import nets
from opsin.nets.detectors import _given, _proposing, _regions, rcnn
from opsin.nets.detectors._detector import Detector
from opsin.ops.boxes import overlap

KINDS = ["faster_rcnn", "fast_rcnn", "rcnn", "rfcn"]
NOTHING = torch.zeros(0, 4)


def made(kind: str, outputs: int = 2, channels: int = 3) -> Detector:
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {LINE}", outputs=outputs, channels=channels, size=(64, 64))
    assert isinstance(net, Detector)
    return net


def ready(net: Detector, rows: Tensor) -> Tensor:
    """Return targets with regions near the objects and elsewhere, for who wants them given."""
    net.ready(rows, 0)
    if net.proposals is None:
        return rows
    near = rows.clone()
    near[..., :4] += torch.tensor([1.0, -1, 2, 1])
    near[..., 4:] = torch.tensor([-2.0, 0.0])
    far = targets(*[[[2, 2, 14, 12, -2, 0], [40, 40, 60, 63, -2, 0]]] * len(rows))
    return torch.cat([rows, near, far], 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("outputs", "channels"), [(1, 3), (3, 1)])
def test_candidates(kind: str, outputs: int, channels: int) -> None:
    net = made(kind, outputs, channels).eval()
    images = drawn(2)[0][:, :channels]
    with torch.no_grad():
        found = net(images)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = net(images)
    assert found.dtype == coarse.dtype == torch.float32
    assert found.shape == coarse.shape == (2, net.asked, 4 + outputs)
    assert 0 <= float(found[..., 4:].min()) <= float(found[..., 4:].max()) <= 1
    assert (found[..., 2:4] >= found[..., :2]).all()
    assert float(found[..., :4].min()) >= 0
    assert float(found[..., :4].max()) <= 64


@pytest.mark.parametrize("kind", KINDS)
def test_everything_learns_and_the_same_twice(kind: str) -> None:
    images, rows = drawn(4)
    ends = []
    for _ in range(2):
        net = made(kind)
        given = ready(net, rows)
        ends.append(losses(net, images, given, 3))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_objects_teach_background_alone(kind: str) -> None:
    net = made(kind)
    images = drawn(2)[0]
    found = terms(net, images, ready(net, targets([], [])))
    assert all(torch.isfinite(term) for term in found.values())
    assert found["boxes"].item() == 0
    assert found["classes"].item() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ignored_teaches_nothing(kind: str) -> None:
    net = made(kind)
    images = drawn(2)[0]
    everything = [[-64, -64, 128, 128, 0, 1]]
    found = terms(net, images, ready(net, targets(everything, everything)))
    assert [term.item() for term in found.values()] == [0.0] * len(found)
    torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_regions_are_seen_by_a_net_that_does_not_pad() -> None:
    net = nets.build("rcnn on alexnet", outputs=2, size=(96, 96)).eval()  # 3 rows of stride 16
    with torch.no_grad():
        assert net(drawn(1)[0]).shape == (1, 100, 6)


def test_anchors_answer_by_their_overlap_and_each_object_has_its_best() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 4, 4], [50, 50, 60, 60]])
    truths = torch.tensor([[0.0, 0, 10, 9], [48, 48, 70, 70]])
    # IoU 0.9; 0.67, unjudged; 0.16, background; 0.21 is little, but the best that object has
    assert _proposing.assigned(anchors, truths, NOTHING).tolist() == [0, -2, -1, 1]
    crowd = torch.tensor([[0.0, 0, 20, 20]])
    assert _proposing.assigned(anchors, truths[1:], crowd).tolist() == [-2, -2, -2, 0]


def test_regions_come_likeliest_first_and_nothing_fills_up() -> None:
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 80, 40]])
    said = torch.zeros(3, 5)
    said[:, 4] = torch.tensor([1.0, 2.0, 3.0])
    found = _proposing.regions(said, anchors, (64, 64), 4)
    # the first is the same object as the second; the third is cut at the edge
    assert found.tolist() == [[20, 20, 64, 40], [0, 0, 10, 9], [0] * 4, [0] * 4]


def test_what_is_learnt_from_holds_the_truths_and_a_quarter_of_objects_at_most() -> None:
    rows = targets([[0, 0, 10, 10, 1, 0], [40, 40, 60, 60, 0, 1]])[0]
    drawn_ = torch.tensor([[0.0, 0, 10, 9], [41, 41, 59, 59], [20, 20, 30, 30], [0, 0, 0, 0]])
    torch.manual_seed(0)
    found = _regions.sampled(drawn_, rows, 3, 8)
    assert found.classes.tolist() == [1, 1, 3]  # the truth, the region on it, background
    assert found.regions[0].tolist() == [0, 0, 10, 10] == found.truths[0].tolist()
    assert [41.0] * 2 not in found.regions[:, :2].tolist()  # it lies in what is to be ignored
    many = torch.rand(60, 4) * 2 + torch.tensor([0.0, 0, 8, 8])
    few = _regions.sampled(torch.cat([many, many + 20]), rows, 3, 16)
    assert (few.classes < 3).sum() == 4 == len(few.truths)
    assert len(few.regions) == 16


def test_parts_of_an_object_vote_for_its_class() -> None:
    net = made("rfcn")
    maps = torch.zeros(1, 27, 8, 8)  # three classes, the last is background, nine parts each
    for part in range(9):  # each part of class 1 lies where that part of the region is
        row, column = divmod(part, 3)
        maps[0, 9 + part, 2 * row + 1 : 2 * row + 3, 2 * column + 1 : 2 * column + 3] = 1
    net.classes = torch.nn.Identity()  # type: ignore[assignment]
    net.boxes = _Still()  # type: ignore[assignment]
    there, beside = torch.tensor([[8.0, 8, 56, 56]]), torch.tensor([[0.0, 0, 16, 16]])
    logits, codes = net.judge(maps, [maps], [torch.cat([there, beside])])  # type: ignore[operator]
    assert logits[0].argmax() == 1
    assert float(logits[0, 1]) > 2 * float(logits[1, 1])
    assert codes.shape == (2, 4)


class _Still(torch.nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps[:, :1].expand(-1, 36, -1, -1) * 0


def test_given_regions_are_found_in_the_picture_itself() -> None:
    images = torch.zeros(2, 3, 96, 96)
    images[0, :, 20:60, 30:80] = 3.5
    for found in _given.regions(images, None, 50):
        assert found.shape == (50, 4)
        assert float(found.min()) >= 0
        assert float(found.max()) <= 96
    one = _given.regions(images[:1], None, 50)[0]
    assert float(overlap(torch.tensor([[30.0, 20, 80, 60]]), one).max()) > 0.8
    grey = _given.found(images[0, :1])
    assert len(grey) > 0
    assert rcnn.with_context(torch.tensor([[0.0, 0, 20, 10]])).tolist() == [[-3, -1.5, 23, 11.5]]
