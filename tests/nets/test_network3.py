"""Network3 against the layers of Nielsen's book."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from opsin import nets


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [("conv1", 520), ("conv2", 20_040), ("fc1", 641_000), ("fc2", 1_001_000), ("fc", 10_010)],
)
def test_layers_have_the_parameters_of_the_book(layer: str, parameters: int) -> None:
    net = nets.build("network3", outputs=10, channels=1)
    assert sum(p.numel() for p in net.get_submodule(layer).parameters()) == parameters


def test_it_computes_what_the_book_says() -> None:
    """Valid 5×5, ReLU, 2×2 pooling, twice; then 640, 1000, 1000 and 10 units."""
    torch.manual_seed(0)
    net = nets.build("network3", outputs=10, channels=1).eval()
    w = net.state_dict()
    x = torch.randn(3, 1, 28, 28)
    y = F.max_pool2d(F.conv2d(x, w["conv1.0.weight"], w["conv1.0.bias"]).relu(), 2)
    y = F.max_pool2d(F.conv2d(y, w["conv2.0.weight"], w["conv2.0.bias"]).relu(), 2)
    assert y.shape == (3, 40, 4, 4)
    y = (y.flatten(1) @ w["fc1.1.weight"].T + w["fc1.1.bias"]).relu()
    y = (y @ w["fc2.1.weight"].T + w["fc2.1.bias"]).relu()
    wanted = y @ w["fc.weight"].T + w["fc.bias"]
    assert torch.allclose(net(x), wanted, atol=1e-6)


def test_all_three_dense_layers_drop_their_input() -> None:
    net = nets.build("network3", outputs=10, channels=1)
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [0.5] * 3
    net = nets.build("network3", outputs=10, channels=1, dropout=0.2)
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [0.2] * 3
