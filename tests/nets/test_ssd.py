"""SSD: default boxes, what they match, and the terms by hand."""

from __future__ import annotations

import math

import pytest
import torch
from boxed import LINE, targets

from opsin import nets
from opsin.nets.detectors import ssd
from opsin.ops import coding

GRID = torch.tensor([[0.0, 0, 16, 16], [16, 0, 32, 16], [32, 0, 48, 16], [0, 16, 64, 64]])


def made(outputs: int = 2) -> ssd.SSD:
    torch.manual_seed(0)
    net = nets.build(f"ssd on {LINE}", outputs=outputs, size=(64, 64))
    assert isinstance(net, ssd.SSD)
    return net


def test_default_boxes_double_from_map_to_map() -> None:
    net = made()
    assert net.strides == (8, 16, 32)  # the last is not the net's own
    root = math.sqrt(2)
    first = [[1, 1], [root, root], [root, 1 / root], [1 / root, root]]
    assert ssd._unit(0).flatten().tolist() == pytest.approx([s for box in first for s in box])
    assert len(ssd._unit(1)) == 6
    net.ready(targets([[0, 0, 12, 12, 0, 0]] * 9 + [[0, 0, 40, 40, 1, 0]]), 0)
    assert float(net.scale) == 1.5  # strides of 8 pixels
    net.ready(targets([[0, 0, 2, 2, 0, 0]]), 0)
    assert float(net.scale) == 1.0


def test_matches() -> None:
    truths = torch.tensor([[0.0, 0, 16, 15], [33, 1, 37, 5]])
    assert ssd.assigned(truths, torch.zeros(0, 4), GRID).tolist() == [0, -1, 1, -1]
    ignored = torch.tensor([[16.0, 0, 32, 16]])
    assert ssd.assigned(truths, ignored, GRID).tolist() == [0, -2, 1, -1]
    assert ssd.assigned(truths[:0], ignored, GRID).tolist() == [-1, -2, -1, -1]
    assert ssd.assigned(truths[:0], ignored[:0], GRID).tolist() == [-1] * 4


def test_codes_there_and_back() -> None:
    net = made().eval()
    with torch.no_grad():
        for head in net.heads:
            head[-1].bias.zero_()
            head[-1].weight.zero_()
        found = net(torch.rand(1, 3, 64, 64))
    assert found[0, 4 * 9, :4].tolist() == [0, 0, 28, 28]  # 32 pixels round 12, 12, clipped
    assert found[..., 4:].flatten().tolist() == pytest.approx([1 / 3] * found[..., 4:].numel())
    wanted = torch.tensor([[1.0, 2, 20, 14]])
    codes = coding.to_deltas(wanted, GRID[:1], ssd.WEIGHTS)
    assert codes[0, 0].item() == pytest.approx((10.5 - 8) / 16 / 0.1)
    assert codes[0, 3].item() == pytest.approx(math.log(12 / 16) / 0.2)
    assert torch.allclose(coding.from_deltas(codes, GRID[:1], ssd.WEIGHTS), wanted, atol=1e-5)


def test_terms_by_hand() -> None:
    net = made()
    many = torch.cat([GRID, torch.tensor([[50.0, 50, 60, 60]]).repeat(36, 1)])
    codes = torch.zeros(1, 40, 7)
    codes[0, 4:, 4] = torch.linspace(1, 5, 36)  # more and more sure of background
    said = net.terms(codes, many, targets([[0, 0, 16, 16, 1, 0]] + [[33, 1, 37, 5, 0, 0]] * 2))
    # Two match, each with log 3; the hardest 8 of 38 are two of log 3 and the least sure ones.
    sure = [math.log1p(2 * math.exp(-float(s))) for s in torch.linspace(1, 5, 36)]
    hard = 2 * math.log(3) + sum(sure[:6])
    assert float(said["class"]) == pytest.approx((2 * math.log(3) + hard) / 2, rel=1e-4)
    moved = [abs((35 - 40) / 16 / 0.1), abs((3 - 8) / 16 / 0.1), *[math.log(4 / 16) / 0.2] * 2]
    smooth = sum(abs(m) - 0.5 for m in moved)
    assert float(said["box"]) == pytest.approx(smooth / 2, rel=1e-4)
