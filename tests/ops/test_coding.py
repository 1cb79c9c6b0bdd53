"""Codes come back as the boxes they came from, and are those of torchvision's coders."""

import pytest
import torch
from torchvision.models.detection._utils import BoxCoder, BoxLinearCoder

from opsin.ops import boxes as box
from opsin.ops import coding


def drawn(seed, n=50):
    draws = torch.Generator().manual_seed(seed)
    corner = torch.rand(n, 2, generator=draws, dtype=torch.float64) * 200
    sides = 4 + torch.rand(n, 2, generator=draws, dtype=torch.float64) * 80
    return torch.cat([corner, corner + sides], dim=1)


@pytest.mark.parametrize("weights", [coding.PLAIN, coding.REGIONS, coding.weights((0.2, 0.5))])
def test_deltas(weights):
    boxes, anchors = drawn(0), drawn(1)
    codes = coding.to_deltas(boxes, anchors, weights)
    theirs = BoxCoder(weights).encode_single(boxes, anchors)
    torch.testing.assert_close(codes, theirs)
    torch.testing.assert_close(coding.from_deltas(codes, anchors, weights), boxes)
    wild = codes * 40
    theirs = BoxCoder(weights).decode_single(wild, anchors)
    torch.testing.assert_close(coding.from_deltas(wild, anchors, weights), theirs)


def test_ssd_variances_by_its_equation():
    truth, default = [12.0, 8.0, 30.0, 20.0], [10.0, 10.0, 20.0, 20.0]  # cx cy w h
    made = [box.convert(torch.tensor([b]), "cxcywh", "xyxy") for b in (truth, default)]
    found = coding.to_deltas(*made, coding.weights((0.1, 0.2)))[0]
    wanted = [(12 - 10) / 20 / 0.1, (8 - 10) / 20 / 0.1, torch.tensor(1.5).log() / 0.2, 0.0]
    torch.testing.assert_close(found, torch.tensor(wanted))


@pytest.mark.parametrize("spread", [1.0, 1.2, 2.0])
def test_offsets(spread):
    boxes = drawn(2)
    strides = torch.tensor([8.0, 16.0], dtype=torch.float64).repeat(25)
    cells = (box.centres(boxes) / strides[:, None]).floor()
    priors = torch.rand(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 50
    priors += 5
    codes = coding.to_offsets(boxes, cells, priors, strides, spread)
    back = coding.from_offsets(codes, cells, priors, strides, spread)
    torch.testing.assert_close(back, boxes, rtol=0, atol=1e-4)  # places stay 1e-6 off the edges
    x, _, wide, _ = codes[0].tolist()
    own = [
        float(8 * (cells[0, 0] + spread / (1 + torch.tensor(-x).exp()) - (spread - 1) / 2)),
        float(priors[0, 0] * torch.tensor(wide).exp()),
    ]
    middle = box.convert(boxes[:1], "xyxy", "cxcywh")[0]
    assert own == pytest.approx([float(middle[0]), float(middle[2])], abs=1e-3)


def test_centres_stay_in_their_cells_only_without_spread():
    far = torch.tensor([[20.0, -20.0, 0, 0]])
    cell, prior = torch.tensor([[3.0, 3.0]]), torch.tensor([[8.0, 8.0]])
    plain = box.centres(coding.from_offsets(far, cell, prior, 16))[0].tolist()
    assert plain == pytest.approx([64.0, 48.0], abs=1e-3)
    wider = box.centres(coding.from_offsets(far, cell, prior, 16, 2.0))[0].tolist()
    assert wider == pytest.approx([72.0, 40.0], abs=1e-3)


def test_distances():
    boxes, anchors = drawn(4), drawn(5)
    points = box.centres(anchors)
    codes = coding.to_distances(boxes, points)
    torch.testing.assert_close(codes, BoxLinearCoder(False).encode(anchors, boxes))
    torch.testing.assert_close(coding.from_distances(codes, points), boxes)
    strided = coding.to_distances(boxes, points, torch.full((50,), 8.0, dtype=torch.float64))
    torch.testing.assert_close(strided * 8, codes)
    torch.testing.assert_close(coding.from_distances(strided, points, 8.0), boxes)
