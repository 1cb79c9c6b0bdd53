"""Other names of nets: each leads to a net, and none hides another."""

from __future__ import annotations

import pytest
import timm
import torch
from torchvision import models

from opsin import nets
from opsin.nets import _build
from opsin.nets._aliases import ALIASES, canonical

TORCHVISION = models.list_models(module=models)


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_leads_to_a_net_and_hides_no_other(alias: str) -> None:
    name = ALIASES[alias]
    assert canonical(name) == name
    assert _build.in_timm(name) or _build.in_torchvision(name)
    with torch.device("meta"), _build.quiet():
        if alias in TORCHVISION:
            hidden = models.get_model(alias, weights=None)
        elif timm.is_model(alias):
            hidden = timm.create_model(alias)
        else:
            return
        assert count(hidden) == count(nets.build(alias, outputs=1000))


def test_an_alias_is_described_without_torch_as_the_net_it_means() -> None:
    assert nets.described("inception_v1").parameters == nets.described("googlenet").parameters


def test_has_weights_knows_aliases() -> None:
    assert nets.has_weights("mobilenet_v2") and nets.has_weights("squeezenet")
    assert not nets.has_weights("plain_34")
