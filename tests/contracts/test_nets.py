"""Holds the contract of a net over well-known families, small: one of each way of building."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torch import nn

from opsin import nets
from opsin.errors import RecipeError

# Name, channels, size: small enough to be fast, large enough for every halving.
SMALL = {
    "lenet5": (1, (28, 28)),
    "alexnet": (3, (64, 64)),
    "vgg11_bn": (3, (32, 32)),
    "googlenet": (3, (64, 64)),
    "resnet18": (3, (64, 64)),
    "resnet50": (3, (64, 64)),
    "densenet121": (3, (64, 64)),
    "mobilenetv2_100": (3, (64, 64)),
    "mobilenetv3_small_100": (3, (64, 64)),
    "tf_efficientnet_lite0": (3, (64, 64)),
    "shufflenet_v2_x1_0": (3, (64, 64)),
    "regnety_004": (3, (64, 64)),
    "convnext_atto": (3, (64, 64)),
}
pytestmark = pytest.mark.contracts
every = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def made(name: str) -> nn.Module:
    channels, size = SMALL[name]
    torch.manual_seed(0)
    return nets.build(name, outputs=7, channels=channels, size=size).eval()


def pictures(name: str, n: int = 2) -> torch.Tensor:
    channels, size = SMALL[name]
    return torch.randn((n, channels, *size), generator=torch.Generator().manual_seed(1))


@every
def test_forward_gives_one_row_a_picture(name: str) -> None:
    with torch.no_grad():
        assert made(name)(pictures(name)).shape == (2, 7)


@every
def test_the_head_sees_the_pooled_features(name: str) -> None:
    net, x = made(name), pictures(name)
    with torch.no_grad():
        features = nets.pooled(net, x)
        assert features.shape == (2, nets.num_features(net))
        assert torch.equal(nets.head(net)(features), net(x))
        assert torch.equal(nets.headless(net)(x).flatten(1), features)


@every
def test_cut_anywhere_and_nothing_changes(name: str) -> None:
    net, x = made(name), pictures(name)
    own = {id(parameter) for parameter in net.parameters()}
    places = nets.stages(net)
    assert len(places) >= 4 and len(set(places)) == len(places)
    chosen = (
        places if len(places) < 6 else [places[0], *places[1 : -1 : len(places) // 3], places[-1]]
    )
    with torch.no_grad():
        wanted = net(x)
        for place in chosen:
            lower, upper = nets.cut(net, place)
            assert torch.equal(upper(lower(x)), wanted), place
            halves = [*lower.parameters(), *upper.parameters()]
            assert {id(parameter) for parameter in halves} <= own
        assert torch.equal(lower(x).flatten(1), nets.pooled(net, x))


@every
def test_taps_average_what_the_lower_halves_see(name: str) -> None:
    net, x = made(name), pictures(name)
    first, *_, last = nets.stages(net)
    with torch.no_grad():
        seen = [nets.cut(net, place)[0](x) for place in (first, last)]
        means = [s.mean((2, 3)) if s.ndim == 4 else s.flatten(1) for s in seen]
        assert torch.equal(nets.taps(net, [first, last])(x), torch.cat(means, 1))


@every
def test_survey_tells_the_channels_of_each_stage(name: str) -> None:
    net, x = made(name), pictures(name)
    found = nets.survey(net, SMALL[name][1])
    assert [stage.name for stage in found] == nets.stages(net)
    middle = found[len(found) // 2]
    with torch.no_grad():
        assert nets.cut(net, middle.name)[0](x).shape[1] == middle.channels


@every
def test_levels_are_places_to_cut(name: str) -> None:
    net, x = made(name), pictures(name)
    found = nets.levels(net, SMALL[name][1])
    assert len(found) >= 2
    strides = [level.stride for level in found]
    assert strides == sorted(strides)
    with torch.no_grad():
        assert nets.cut(net, found[-1].name)[0](x).shape[1] == found[-1].channels


@every
def test_depth_groups_hold_each_parameter_once_and_the_head_last(name: str) -> None:
    net = made(name)
    groups = nets.depth_groups(net)
    listed = [id(parameter) for group in groups for parameter in group]
    assert sorted(listed) == sorted(id(parameter) for parameter in net.parameters())
    assert len(groups) >= 3
    assert groups[-1] == list(nets.head(net).parameters())
    assert any(parameter is next(net.parameters()) for parameter in groups[0])


@every
def test_backward_reaches_every_parameter(name: str) -> None:
    net = made(name).train()
    net.zero_grad(set_to_none=True)
    net(pictures(name)).square().sum().backward()
    missed = [n for n, p in net.named_parameters() if p.grad is None]
    net.zero_grad(set_to_none=True)
    net.eval()
    assert not missed


@pytest.mark.parametrize("name", [name for name in SMALL if name not in ("vgg11_bn", "alexnet")])
def test_another_head_and_other_channels(name: str) -> None:
    channels, size = SMALL[name]
    other = 4 - channels  # grey for colour, colour for grey
    net = nets.build(name, outputs=5, channels=other, size=size, dropout=0.0).eval()
    nets.set_head(net, nn.Linear(nets.num_features(net), 3))
    with torch.no_grad():
        assert net(torch.zeros(2, other, *size)).shape == (2, 3)


@pytest.mark.parametrize(("name", "least"), [("vgg11_bn", 32), ("alexnet", 63)])
def test_a_size_too_small_is_refused_with_the_least_that_fits(name: str, least: int) -> None:
    with pytest.raises(RecipeError, match=f"at least {least}x{least}"):
        nets.build(name, outputs=2, size=(7, 7))
    nets.build(name, outputs=2, size=(least, least))


def test_a_cut_net_drops_in_training_and_not_in_evaluation() -> None:
    net = nets.build("mobilenetv2_100", outputs=3, dropout=0.5)
    last = nets.stages(net)[-2]
    _, upper = nets.cut(net, last)
    x = nets.cut(net, last)[0].eval()(torch.randn(2, 3, 64, 64))
    assert not torch.equal(upper.train()(x), upper(x))
    upper.eval()
    assert torch.equal(upper(x), upper(x))
