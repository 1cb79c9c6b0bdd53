"""AlexNet with two towers: the paper's sizes, and two towers computed apart."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from opsin import nets
from opsin.nets._build import on_meta
from opsin.nets.alexnet import normalisation

# Parameters of figure 2: filters of 11·11·3, 5·5·48, 3·3·256, 3·3·192, 3·3·192, with biases.
LAYERS = {
    "conv1": 34_944,
    "conv2": 307_456,
    "conv3": 885_120,
    "conv4": 663_936,
    "conv5": 442_624,
    "fc6": 37_752_832,
    "fc7": 16_781_312,
    "fc": 4_097_000,
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_have_the_parameters_of_the_paper(layer: str) -> None:
    with torch.device("meta"):
        net = nets.build("alexnet_two_towers", outputs=1000)
    assert sum(p.numel() for p in net.get_submodule(layer).parameters()) == LAYERS[layer]


def test_maps_have_the_sizes_of_the_paper() -> None:
    with torch.device("meta"):
        net = nets.build("alexnet_two_towers", outputs=1000)
        for layer, size in {"conv1": 55, "conv2": 27, "conv5": 13, "pool5": 6}.items():
            lower, _ = nets.cut(net, layer)
            assert on_meta(lower, 3, (224, 224)).shape[2:] == (size, size)


def test_normalisation_is_that_of_section_3_3() -> None:
    """b = a / (2 + 1e-4 · sum of a² over planes i - 2 to i + 2, where there are) ** 0.75."""
    torch.manual_seed(0)
    a = 30 * torch.randn(2, 9, 3, 4)
    wanted = torch.empty_like(a)
    for i in range(9):
        near = a[:, max(0, i - 2) : i + 3].square().sum(1)
        wanted[:, i] = a[:, i] / (2 + 1e-4 * near) ** 0.75
    assert torch.allclose(normalisation()(a), wanted, rtol=1e-5)


def half(tensor: Tensor, tower: int) -> Tensor:
    """Return the filters, biases or planes of one tower."""
    return tensor.chunk(2)[tower]


def test_two_towers_are_two_nets_that_meet_in_the_third_convolution() -> None:
    torch.manual_seed(0)
    net = nets.build("alexnet_two_towers", outputs=3, size=(64, 64)).eval()
    w = net.state_dict()
    x = torch.randn(2, 3, 64, 64)

    def conv(name: str, x: Tensor, tower: int, padding: int = 1, stride: int = 1) -> Tensor:
        weight, bias = (half(w[f"{name}.0.{part}"], tower) for part in ("weight", "bias"))
        return F.conv2d(x, weight, bias, stride, padding).relu()

    def both(towers: list[Tensor]) -> Tensor:
        return torch.cat(towers, 1)

    # Normalisation looks across the towers at their seam: it sees all planes, as in one net.
    first = normalisation()(both([conv("conv1", x, t, 2, 4) for t in (0, 1)]))
    towers = F.max_pool2d(first, 3, 2).chunk(2, 1)
    second = normalisation()(both([conv("conv2", towers[t], t, 2) for t in (0, 1)]))
    meet = F.max_pool2d(second, 3, 2)
    third = [conv("conv3", meet, t) for t in (0, 1)]  # sees both towers
    last = [conv("conv5", conv("conv4", third[t], t), t) for t in (0, 1)]
    with torch.no_grad():
        assert torch.allclose(net.forward_features(x), F.max_pool2d(both(last), 3, 2), atol=1e-4)
