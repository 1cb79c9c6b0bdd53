"""What all nets of our own share, through timm: its arguments, its features, its methods."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from opsin import nets
from opsin.nets import _build
from opsin.nets._own import Frame, pooled

_build.families()
FAMILIES = {f"opsin.nets.{name}" for name in _build.families()} - {"opsin.nets.classical"}
OWN = [n for n in timm.list_models() if timm.model_entrypoint(n).__module__ in FAMILIES]


def test_which_nets_are_our_own() -> None:
    assert set(OWN) >= {
        "alexnet_two_towers", "dropconnect", "inception_v2", "lenet5", "neocognitron", "network3",
        "plain34", "squeezenet1_0", "squeezenet1_1", "zfnet",
    }  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_timm_makes_it_with_its_own_arguments(name: str) -> None:
    channels, *size = timm.get_pretrained_cfg(name).input_size
    with torch.device("meta"):
        net = timm.create_model(name, num_classes=4, in_chans=2, drop_rate=0.3).eval()
        x = torch.zeros(1, 2, *size)
        assert net(x).shape == (1, 4)
        maps = net.forward_features(x)
        features = net.forward_head(maps, pre_logits=True)
        assert maps.ndim == 4 and features.shape == (1, net.num_features)
        net.reset_classifier(0)
        assert net(x).shape == (1, net.num_features)
        net.reset_classifier(7)
        assert net(x).shape == (1, 7) and net.get_classifier().out_features == 7
        usual = timm.create_model(name)
        assert usual(torch.zeros(2, channels, *size)).shape == (2, 10 if channels == 1 else 1000)


@pytest.mark.parametrize("name", OWN)
def test_timm_gives_its_features(name: str) -> None:
    """At every declared level, with the channels and about the stride declared."""
    channels, high, wide = timm.get_pretrained_cfg(name).input_size
    with torch.device("meta"):
        made = timm.create_model(name, features_only=True)
        found = made(torch.zeros(1, channels, high, wide))
    assert [m.shape[1] for m in found] == made.feature_info.channels()
    sides = [m.shape[2] for m in found]
    assert len(found) >= 3 and sides == sorted(sides, reverse=True)


@pytest.mark.parametrize("name", [name for name in OWN if "squeezenet" not in name])
def test_weights_that_nobody_publishes_are_refused_by_timm(name: str) -> None:
    with torch.device("meta"), pytest.raises(RuntimeError, match="pretrained"):
        timm.create_model(name, pretrained=True)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="colours"):
        timm.create_model("network3", colours=3)


def test_small_pictures_are_framed_and_large_ones_pass() -> None:
    frame = Frame(6)
    x = torch.ones(1, 2, 3, 8)
    framed = frame(x)
    assert framed.shape == (1, 2, 6, 8)
    assert framed[0, 0, :, 0].tolist() == [0, 1, 1, 1, 0, 0]
    assert frame(framed) is framed


def test_maps_of_the_usual_size_pass_the_pooling_unchanged() -> None:
    x = torch.randn(2, 5, 4, 4)
    assert torch.equal(pooled(4)(x), x.flatten(1))


@pytest.mark.parametrize("name", ["dropconnect", "network3", "neocognitron", "squeezenet1_1"])
def test_logits_are_of_a_sensible_size_at_the_start(name: str) -> None:
    """Neither dead nor wild: a first loss far above ln 10 is unlearning before learning."""
    channels = timm.get_pretrained_cfg(name).input_size[0]
    torch.manual_seed(0)
    net = nets.build(name, outputs=10, channels=channels, size=(32, 32)).train()
    logits = net(torch.randn(16, channels, 32, 32))
    loss = nn.functional.cross_entropy(logits, torch.arange(16) % 10)
    assert logits.std() > 1e-5 and loss < 5
