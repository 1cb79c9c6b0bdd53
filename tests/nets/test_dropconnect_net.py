"""The DropConnect net against its paper: what it holds, when it draws and what it draws."""

from __future__ import annotations

import pytest
import torch

from opsin import nets
from opsin.ops.dropconnect import DropConnect


@pytest.mark.parametrize(
    ("layer", "parameters"), [("conv1", 832), ("conv2", 51_264), ("fc1", 153_750), ("fc", 1510)]
)
def test_layers_have_the_parameters_of_the_paper(layer: str, parameters: int) -> None:
    net = nets.build("dropconnect", outputs=10, channels=1)
    assert sum(p.numel() for p in net.get_submodule(layer).parameters()) == parameters


def test_it_draws_in_training_only_and_also_once_cut() -> None:
    torch.manual_seed(0)
    net = nets.build("dropconnect", outputs=10, channels=1)
    x = torch.randn(4, 1, 28, 28)
    assert torch.equal(net.eval()(x), net(x))
    assert not torch.equal(net.train()(x), net(x))
    lower, upper = nets.cut(net, "global_pool")
    maps = lower(x)
    assert torch.equal(lower(x), maps)
    assert not torch.equal(upper(maps), upper(maps))
    assert torch.equal(upper.eval()(maps), upper(maps))


def test_the_rate_is_that_of_the_recipe() -> None:
    for asked, rate in ((0.0, 0.5), (0.25, 0.25)):
        net = nets.build("dropconnect", outputs=10, channels=1, dropout=asked)
        assert [m.rate for m in net.modules() if isinstance(m, DropConnect)] == [rate]
