"""What every detector of one stage owes, on drawn pictures and a net of four convolutions."""

from __future__ import annotations

import pytest
import torch
from boxed import LINE, drawn, losses, targets, terms

from opsin import nets
from opsin.errors import WeightsError
from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import Detector

KINDS = ["yolo", "yolo9000", "ssd"]


def made(kind: str, outputs: int = 2, size: tuple[int, int] = (64, 64)) -> Detector:
    torch.manual_seed(0)
    net = nets.build(f"{kind} on {LINE}", outputs=outputs, size=size)
    assert isinstance(net, Detector)
    return net


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("outputs", "size"), [(1, (64, 64)), (3, (50, 83))])
def test_candidates(kind: str, outputs: int, size: tuple[int, int]) -> None:
    net = made(kind, outputs, size).eval()
    images = torch.rand(2, 3, *size)
    with torch.no_grad():
        found = net(images)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = net(images)
    assert found.dtype == coarse.dtype == torch.float32
    assert found.shape == coarse.shape == (2, found.shape[1], 4 + outputs)
    assert float(found[..., 4:].min()) >= 0
    assert float(found[..., 4:].max()) <= 1
    assert (found[..., 2:4] >= found[..., :2]).all()
    assert (found[..., :4] >= 0).all()
    assert (found[..., [0, 2]] <= size[1]).all()
    assert (found[..., [1, 3]] <= size[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_everything_learns_and_the_same_twice(kind: str) -> None:
    images, rows = drawn(6)
    ends = []
    for _ in range(2):
        net = made(kind)
        net.ready(rows, 0)
        ends.append(losses(net, images, rows, 4))
        assert ends[-1][-1] < ends[-1][0]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_objects_teach_background(kind: str) -> None:
    net = made(kind)
    images, empty = drawn(2)[0], targets([], [])
    descent = torch.optim.SGD(net.parameters(), 0.01)
    for _ in range(3):
        found = terms(net, images, empty)
        assert found["box"].item() == 0
        said = sum(term.item() for term in found.values())
        descent.zero_grad()
        torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
        descent.step()
    assert 0 < sum(term.item() for term in terms(net, images, empty).values()) < said


@pytest.mark.parametrize("kind", KINDS)
def test_odd_objects(kind: str) -> None:
    net = made(kind)
    images = drawn(4)[0]
    rows = targets(
        [[10, 10, 11, 11, 0, 0]],  # one pixel
        [],
        [[0, 0, 64, 64, 1, 0], [63, 63, 64, 64, 0, 0], [20, 20, 20, 30, 1, 0]],  # one without width
        [[5, 5, 30, 30, -2, 0]],  # a proposal is no object
    )
    found = terms(net, images, rows)
    assert all(torch.isfinite(term) for term in found.values())
    assert found["box"].item() > 0
    torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_ignored_teaches_nothing(kind: str) -> None:
    net = made(kind).eval()  # the running means keep one picture from moving another
    images = drawn(1)[0]
    with torch.no_grad():
        whole = terms(net, images, targets([[-64, -64, 128, 128, 0, 1]]))
        padded = terms(net, images, targets([[8, 8, 30, 30, 0, 0]]))
        crowded = terms(net, images, targets([[8, 8, 30, 30, 0, 0], [-64, -64, 128, 128, 1, 1]]))
    assert [float(term) for term in whole.values()] == [0.0] * len(whole)
    assert float(crowded["box"]) == float(padded["box"]) > 0
    assert sum(map(float, crowded.values())) < sum(map(float, padded.values()))


@pytest.mark.parametrize("kind", KINDS)
def test_too_small_a_picture(kind: str) -> None:
    with pytest.raises(WeightsError, match="a map of 3 rows or more, of a stride among"):
        made(kind, size=(16, 64))


def test_a_remedy_is_one_that_helps() -> None:
    shallow = nets.build("lenet5", outputs=2, size=(28, 28))
    with pytest.raises(WeightsError, match="a --backbone that halves as often") as refused:
        _dense.trunk(shallow, [8, 16, 32], (28, 28))
    assert "larger" not in str(refused.value)
    deep = nets.build("resnet18", outputs=2)
    with pytest.raises(WeightsError, match="--size 48"):
        _dense.trunk(deep, [16, 32], (40, 40))
    _dense.trunk(deep, [16, 32], (48, 48))


def test_sizes_to_learn_at_move_pictures_and_boxes_together() -> None:
    image = torch.zeros(1, 1, 128, 192)
    image[..., 32:64, 48:96] = 1
    rows = targets([[48, 32, 96, 64, 1, 0]])
    seen = set()
    for seed in range(12):
        torch.manual_seed(seed)
        small, moved = _dense.resized(image, rows, [(96, 160), (128, 192), (160, 256)])
        h, w = small.shape[-2:]
        seen.add((h, w))
        x1, y1, x2, y2 = moved[0, 0, :4].tolist()
        assert [x1, x2] == pytest.approx([48 * w / 192, 96 * w / 192])
        assert [y1, y2] == pytest.approx([32 * h / 128, 64 * h / 128])
        inside = float(
            small[..., round(y1) + 1 : round(y2) - 1, round(x1) + 1 : round(x2) - 1].min()
        )
        assert inside == pytest.approx(1)
        assert float(small.sum()) == pytest.approx((x2 - x1) * (y2 - y1), rel=0.1)
    assert seen == {(96, 160), (128, 192), (160, 256)}


@pytest.mark.parametrize("side", [128, 160, 200, 240, 300, 304, 417])
def test_the_usual_size_is_one_of_those_to_learn_at(side: int) -> None:
    trunk = _dense.trunk(nets.build("resnet18", outputs=1), [16], (side, side))
    found = _dense.sizes(trunk, (side, side))
    assert (side, side) in found
    assert len(found) == len(set(found)) > 1
    for h, w in found:
        assert h == w
        assert h == side or h % 32 == 0
        assert 0.75 * side <= h <= 1.25 * side


def test_anchors_are_those_of_the_objects() -> None:
    rows = targets([[0, 0, 10, 10, 0, 0], [0, 0, 11, 11, 0, 0], [5, 5, 45, 25, 1, 0]], [])
    found = _dense.shapes_of(rows, 2, 0)
    assert found is not None
    # of sides 10, 10.5 and 11 the last fits both best: (100 / 121 + 1) / 2 is the mean IoU
    assert found.tolist() == [[11.0, 11.0], [40.0, 20.0]]
    few = _dense.shapes_of(rows, 9, 0)  # of three kinds of boxes
    assert few is not None
    assert few.shape == (9, 2)
    assert (few.prod(1).diff() >= 0).all()
    assert _dense.shapes_of(targets([], [[0, 0, 9, 9, 0, 1]]), 9, 0) is None


def test_anchors_lie_as_rows_of_the_head() -> None:
    said = torch.arange(2 * 2 * 3 * 2 * 5).reshape(2, 2 * 5, 3, 2).float()  # A = 2
    rows = _dense.rows([said], 5)
    sides = torch.tensor([[8.0, 8.0], [16.0, 4.0]])
    found = _dense.places([said], [sides], [8])
    for place, (column, row) in enumerate(found.cells.long().tolist()):
        which = int(found.sides[place, 0] == 16)
        assert rows[1, place].tolist() == said[1, which * 5 : which * 5 + 5, row, column].tolist()
