"""Nets by name: who answers to it, and what is said when nobody does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import timm
import torch
from torch import nn

from opsin import nets
from opsin.errors import RecipeError, WeightsError


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(WeightsError, match="resnet18"):
        nets.build("resnet_18", outputs=2)
    with pytest.raises(WeightsError, match="opsin nets"):
        nets.build("§§§", outputs=2)


def test_torchvisions_name_for_mobilenet_gives_timms_class() -> None:
    net = nets.build("mobilenet_v2", outputs=2)
    assert type(net) is type(timm.create_model("mobilenetv2_100"))


def test_nets_are_built_fresh_and_the_seed_decides() -> None:
    def first(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return next(nets.build("resnet18", outputs=2).parameters())

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_dropout_acts_before_the_head() -> None:
    for name in ("resnet18", "mnasnet0_5", "lenet5"):
        net = nets.build(name, outputs=2, channels=3, dropout=0.5)
        torch.manual_seed(0)
        x = torch.randn(2, 3, 64, 64)
        assert not torch.equal(nets.head(net.train())(nets.pooled(net, x)), net(x)), name


def test_dropout_where_there_is_none_is_refused() -> None:
    with pytest.raises(RecipeError, match="dropout"):
        nets.build("shufflenet_v2_x0_5", outputs=2, dropout=0.5)


def test_a_net_without_a_linear_head_is_refused() -> None:
    """dpn68 ends in a convolution, as SqueezeNet does in torchvision."""
    with pytest.raises(WeightsError, match="linear"):
        nets.head(nets.build("dpn68", outputs=2))


def test_a_head_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(WeightsError, match="84"):
        nets.set_head(nets.build("lenet5", outputs=2), nn.Linear(85, 2))


def test_an_unknown_stage_is_told_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="s2, s4, global_pool, dropout"):
        nets.cut(nets.build("lenet5", outputs=2), "s3")


class Winding(nn.Module):
    """Goes a way that depends on the picture, so that it cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x).mean((2, 3))
        outputs: torch.Tensor = self.fc(-x if x.sum() > 0 else x)
        return outputs


def test_a_net_that_cannot_be_traced_says_so_and_still_has_two_depths() -> None:
    net = Winding()
    with pytest.raises(WeightsError, match="cannot be traced"):
        nets.stages(net)
    lower, last = nets.depth_groups(net)
    assert len(lower) == len(last) == 2
    assert nets.pooled(net, torch.zeros(1, 3, 8, 8)).shape == (1, 4)
