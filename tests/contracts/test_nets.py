"""Holds the contract of a net over every famous net, and over one of each other way of building.

The nets come one after the other and only one is in memory at a time; pictures are small, since the
largest nets have 140 million weights.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from safetensors import torch as safetensors
from torch import nn

from opsin import nets
from opsin.errors import RecipeError
from opsin.nets._build import check_size, on_meta
from opsin.nets._lineage import ORIGINS

# Channels and size (height, width) where they are not 3 and 64×64: large enough for every halving.
SIZES = {
    "lenet5": (1, (28, 28)),
    "network3": (1, (28, 28)),
    "dropconnect": (1, (28, 28)),
    "neocognitron": (1, (32, 32)),
    "vgg11_bn": (3, (32, 32)),
    "vgg16": (3, (32, 32)),
    "vgg19": (3, (32, 32)),
    "inception_v3": (3, (96, 96)),
    "inception_v4": (3, (96, 96)),
}
# They differ from a smaller net of their family in depth and width alone, and go without the checks
# that take long: cutting, saving and many sizes.
DEEPER = {
    "vgg11_bn": "vgg16",
    "vgg19": "vgg16",
    "resnet101": "resnet50",
    "resnet152": "resnet50",
    "regnety_016": "regnety_004",
    **{f"efficientnet_b{i}": "efficientnet_b0" for i in range(1, 8)},
    **{f"tf_efficientnet_lite{i}": "tf_efficientnet_lite0" for i in range(1, 5)},
}
THOROUGH = [name for name in (*ORIGINS, "convnext_atto") if name not in DEEPER]
NAMES = [*THOROUGH, *DEEPER]
pytestmark = pytest.mark.contracts
thorough = pytest.mark.parametrize("name", THOROUGH, indirect=True, scope="module")


def shape(name: str) -> tuple[int, tuple[int, int]]:
    """Return the channels and the size (h, w) a net is tried with."""
    return SIZES.get(name, (3, (64, 64)))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Give the name of one net after the other: all tests of one come before the next."""
    return str(request.param)


@pytest.fixture(scope="module")
def net(name: str) -> Iterator[nn.Module]:
    """Give the net itself, in evaluation mode."""
    channels, size = shape(name)
    torch.manual_seed(0)
    made = nets.build(name, outputs=7, channels=channels, size=size).eval()
    yield made


def pictures(name: str, n: int = 2) -> torch.Tensor:
    channels, size = shape(name)
    return torch.randn((n, channels, *size), generator=torch.Generator().manual_seed(1))


def test_forward_gives_one_row_a_picture(name: str, net: nn.Module) -> None:
    with torch.no_grad():
        assert net(pictures(name)).shape == (2, 7)


def test_the_head_sees_the_pooled_features(name: str, net: nn.Module) -> None:
    x = pictures(name)
    with torch.no_grad():
        features = nets.pooled(net, x)
        assert features.shape == (2, nets.num_features(net))
        assert torch.equal(nets.head(net)(features), net(x))
        assert torch.equal(nets.headless(net)(x).flatten(1), features)


@thorough
def test_cut_anywhere_and_nothing_changes(name: str, net: nn.Module) -> None:
    x = pictures(name)
    own = {id(parameter) for parameter in net.parameters()}
    places = nets.stages(net)
    assert len(places) >= 3 and len(set(places)) == len(places)
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


@thorough
def test_taps_average_what_the_lower_halves_see(name: str, net: nn.Module) -> None:
    x = pictures(name)
    first, *_, last = nets.stages(net)
    with torch.no_grad():
        seen = [nets.cut(net, place)[0](x) for place in (first, last)]
        means = [s.mean((2, 3)) if s.ndim == 4 else s.flatten(1) for s in seen]
        assert torch.equal(nets.taps(net, [first, last])(x), torch.cat(means, 1))


@thorough
def test_survey_tells_the_channels_of_each_stage(name: str, net: nn.Module) -> None:
    x = pictures(name)
    found = nets.survey(net, shape(name)[1])
    assert [stage.name for stage in found] == nets.stages(net)
    middle = found[len(found) // 2]
    with torch.no_grad():
        assert nets.cut(net, middle.name)[0](x).shape[1] == middle.channels


def test_levels_are_places_to_cut_with_the_stride_they_say(name: str, net: nn.Module) -> None:
    channels, size = shape(name)
    found = nets.levels(net, size)
    assert len(found) >= 2
    strides = [level.stride for level in found]
    assert strides == sorted(strides)
    for level in found:
        lower = nets.cut(net, level.name)[0]
        small, large = (on_meta(lower, channels, (k * size[0], k * size[1])) for k in (1, 2))
        assert small.shape[1] == level.channels, level
        # What borders cost is the same at twice the size.
        assert (large.shape[2] - small.shape[2]) * level.stride == size[0], level


@thorough
def test_depth_groups_hold_each_parameter_once_and_the_head_last(name: str, net: nn.Module) -> None:
    groups = nets.depth_groups(net)
    listed = [id(parameter) for group in groups for parameter in group]
    assert sorted(listed) == sorted(id(parameter) for parameter in net.parameters())
    assert len(groups) >= 3
    assert groups[-1] == list(nets.head(net).parameters())
    assert any(parameter is next(net.parameters()) for parameter in groups[0])


def test_backward_reaches_every_parameter(name: str, net: nn.Module) -> None:
    net.train()
    net.zero_grad(set_to_none=True)
    net(pictures(name)).square().sum().backward()
    missed = [n for n, p in net.named_parameters() if p.grad is None]
    net.zero_grad(set_to_none=True)
    net.eval()
    assert not missed


@thorough
def test_saved_and_loaded_it_says_the_same(name: str, net: nn.Module) -> None:
    channels, size = shape(name)
    saved = safetensors.save(net.state_dict())
    torch.manual_seed(1)
    other = nets.build(name, outputs=7, channels=channels, size=size).eval()
    other.load_state_dict(safetensors.load(saved))
    with torch.no_grad():
        assert torch.equal(other(pictures(name)), net(pictures(name)))


def test_another_head_and_other_channels(name: str) -> None:
    """Without memory for weights: shapes are all there is to see."""
    channels, size = shape(name)
    other = 4 - channels  # grey for colour, colour for grey
    with torch.device("meta"):
        net = nets.build(name, outputs=5, channels=other, size=size).eval()
        nets.set_head(net, nn.Linear(nets.num_features(net), 3))
        x = torch.zeros(2, other, *size)
        assert net(x).shape == (2, 3)
        assert nets.pooled(net, x).shape == (2, nets.num_features(net))


@thorough
@pytest.mark.parametrize("size", [(5, 9), (99, 75)])
def test_any_size_goes_in_or_is_refused(name: str, net: nn.Module, size: tuple[int, int]) -> None:
    channels = shape(name)[0]
    try:
        check_size(name, net, channels, size)
    except RecipeError as refused:
        assert "at least" in str(refused) and "--size" in str(refused)
    else:
        with torch.no_grad():
            assert net(torch.zeros(1, channels, *size)).shape == (1, 7)


@pytest.mark.parametrize(("name", "least"), [("vgg11_bn", 32), ("alexnet", 63)])
def test_a_size_too_small_is_refused_with_the_least_that_fits(name: str, least: int) -> None:
    with pytest.raises(RecipeError, match=f"at least {least}x{least}"):
        nets.build(name, outputs=2, size=(7, 7))
    nets.build(name, outputs=2, size=(least, least))


def test_the_one_size_of_a_net_is_told() -> None:
    with torch.device("meta"), pytest.raises(RecipeError, match="takes, 224x224"):
        nets.build("vit_b_32", outputs=2, size=(640, 640))


def test_a_cut_net_drops_in_training_and_not_in_evaluation() -> None:
    net = nets.build("mobilenetv2_100", outputs=3, dropout=0.5)
    last = nets.stages(net)[-2]
    _, upper = nets.cut(net, last)
    x = nets.cut(net, last)[0].eval()(torch.randn(2, 3, 64, 64))
    assert not torch.equal(upper.train()(x), upper(x))
    upper.eval()
    assert torch.equal(upper(x), upper(x))
