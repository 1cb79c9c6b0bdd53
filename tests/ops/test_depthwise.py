"""The oracle is torch's own convolution and its gradient."""

import copy

import pytest
import timm
import torch
from torch import nn

from opsin.ops.depthwise import depthwise, quicken


@pytest.mark.parametrize("side", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(14, 14), (7, 9)])
def test_output_and_gradients_equal_torch(side: int, stride: int, size: tuple[int, int]) -> None:
    draw = torch.Generator().manual_seed(side * 10 + stride)
    x = torch.randn(2, 6, *size, generator=draw, dtype=torch.float64)
    weight = torch.randn(6, 1, side, side, generator=draw, dtype=torch.float64)
    ours = [t.clone().requires_grad_() for t in (x, weight)]
    theirs = [t.clone().requires_grad_() for t in (x, weight)]
    y = depthwise(*ours, stride=stride, padding=side // 2)
    wanted = nn.functional.conv2d(*theirs, None, stride, side // 2, 1, 6)
    slope = torch.randn(y.shape, generator=draw, dtype=torch.float64)
    y.backward(slope)
    wanted.backward(slope)
    torch.testing.assert_close(y, wanted)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "mobilenetv2_100"])
def test_quickened_nets_compute_the_same_and_keep_their_parameters(name: str) -> None:
    torch.manual_seed(0)
    net = timm.create_model(name, num_classes=3).eval()
    quick = quicken(copy.deepcopy(net))
    assert quick.state_dict().keys() == net.state_dict().keys()
    x = torch.randn(2, 3, 64, 48)
    with torch.no_grad():
        torch.testing.assert_close(quick(x), net(x), rtol=1e-4, atol=1e-5)
    for each in (net, quick):
        each(x).square().sum().backward()
    wanted = dict(net.named_parameters())
    for key, mine in quick.named_parameters():
        torch.testing.assert_close(mine.grad, wanted[key].grad, rtol=1e-2, atol=1e-3)
