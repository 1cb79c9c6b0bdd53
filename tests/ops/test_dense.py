"""Dense scores are those of the windows they replace, to the last bit."""

import numpy as np
import pytest
import torch
from torch import nn

from opsin.errors import SizeError
from opsin.ops import dense
from opsin.ops.arithmetic import Window

LENET = [Window(5), Window(2, 2), Window(3), Window(2, 2)]


def whole(module, seed=0):
    """Give a module small whole numbers, so that sums are exact in whatever order they are made."""
    draws = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data = torch.randint(-2, 3, parameter.shape, generator=draws).to(parameter)
    return module.eval()


def body():
    return nn.Sequential(
        nn.Conv2d(3, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.MaxPool2d(2)
    )


def windows_of(picture, boxes):
    picture = nn.functional.pad(picture, (0, 3, 0, 3))  # what no layer sees may lie beyond the edge
    return torch.stack(
        [picture[:, int(y1) : int(y2), int(x1) : int(x2)] for x1, y1, x2, y2 in boxes]
    )


@pytest.mark.parametrize("size", [(20, 20), (22, 27), (21, 23)])
def test_scores_are_those_of_the_windows(size):
    net = whole(body()).double()
    shape = tuple(net(torch.zeros(1, 3, *size).double()).shape[1:])
    inputs = shape[0] * shape[1] * shape[2]
    head = whole(
        nn.Sequential(nn.Flatten(), nn.Linear(inputs, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3))
    ).double()
    picture = torch.randint(0, 9, (3, 41, 50)).double()
    boxes = dense.places(LENET, size, (41, 50))
    assert dense.unlike(LENET, size) == []
    with torch.no_grad():
        one_by_one = head(net(windows_of(picture, boxes)))
        scores = dense.convolved(list(head), shape)(net(picture[None]))
    at_once = scores[0].flatten(1).T  # (n, K)
    assert torch.equal(at_once, one_by_one)
    assert len(boxes) > 20
    assert at_once.unique().numel() > 20


def test_poolings_and_norms_in_a_head():
    net = whole(body()).double()
    norm = nn.BatchNorm1d(6)
    norm.running_mean.copy_(torch.arange(6.0))
    head = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), norm, nn.Linear(6, 2))
    head = head.double().eval()
    picture = torch.randn(3, 36, 40).double()
    boxes = dense.places(LENET, (24, 24), (36, 40))
    with torch.no_grad():
        one_by_one = head(net(windows_of(picture, boxes)))
        at_once = dense.convolved(list(head), (6, 4, 4))(net(picture[None]))[0].flatten(1).T
    torch.testing.assert_close(at_once, one_by_one)


def test_padding_changes_scores_and_is_named():
    layers = [Window(3, padding=1), Window(2, 2)]
    (why,) = dense.unlike(layers, (8, 8))
    assert why.startswith("layer 1 (3×3, padding 1) pads")
    net = whole(nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.MaxPool2d(2)))
    head = whole(nn.Linear(32, 1))
    picture = torch.randint(1, 9, (3, 16, 16)).float()
    boxes = dense.places(layers, (8, 8), (16, 16))
    with torch.no_grad():
        one_by_one = head(net(windows_of(picture, boxes)).flatten(1))
        at_once = dense.convolution(head, (2, 4, 4))(net(picture[None]))[0].flatten(1).T
    assert not torch.equal(at_once, one_by_one)


def test_steps_between_strides_are_named():
    assert dense.unlike(LENET, (20, 20), (4, 8)) == []
    (why,) = dense.unlike(LENET, (20, 20), (2, 4))
    assert "multiply to 4×4: windows 2×4 pixels apart lie between" in why


def test_a_pooling_that_hangs_over_the_end_is_named():
    (why,) = dense.unlike([Window(3), Window(2, 2, ceil=True)], (9, 9))
    assert "hangs over the end" in why
    assert dense.unlike([Window(3), Window(2, 2, ceil=True)], (10, 10)) == []


def test_where_windows_land():
    boxes = dense.places(LENET, (20, 24), (28, 24))
    assert boxes.tolist() == [[0, 0, 24, 20], [0, 4, 24, 24], [0, 8, 24, 28]]
    assert dense.places([], (5, 5), (6, 5)).dtype == np.float32


def test_heads_without_a_counterpart():
    with pytest.raises(SizeError, match="a LayerNorm after a map of 8×2×2"):
        dense.convolved([nn.LayerNorm(8)], (8, 2, 2))
    with pytest.raises(SizeError, match="a dense layer of 9 inputs after a map of 2×2×2"):
        dense.convolution(nn.Linear(9, 1), (2, 2, 2))
