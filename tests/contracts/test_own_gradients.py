"""Every net of our own hands back the gradient of what it computes, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from opsin import nets
from opsin.errors import RecipeError
from opsin.nets import _build
from opsin.ops import gradient_check

pytestmark = pytest.mark.contracts
SIDES = (28, 32, 48, 64, 96)  # pixels: the first that fits
MOST = 8  # parameters looked at in one net, evenly, the last among them


def own() -> list[str]:
    """Return the names of the nets that files of ``opsin.nets`` register with timm."""
    _build.families()
    return [n for n in timm.list_models() if timm.model_entrypoint(n).__module__ in _homes()]


def _homes() -> set[str]:
    return {f"opsin.nets.{name}" for name in _build.families()}


def made(name: str) -> tuple[nn.Module, torch.Tensor]:
    """Build a net for the smallest pictures that fit, with no weight left at 0; draw pictures."""
    channels = timm.get_pretrained_cfg(name).input_size[0]
    torch.manual_seed(0)
    for side in SIDES:
        try:
            net = nets.build(name, outputs=3, channels=channels, size=(side, side))
        except RecipeError:
            continue
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
        return net.train(), torch.randn(3, channels, side, side)
    raise AssertionError(f"{name} takes no pictures of {SIDES[-1]} pixels")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_there_are_nets_of_our_own() -> None:
    assert "lenet5" in own()


@pytest.mark.parametrize("name", own())
def test_gradients_of_a_net_of_our_own_are_right(name: str) -> None:
    net, pictures = made(name)
    parameters = list(net.parameters())
    for number, parameter in enumerate(reversed(parameters)):
        parameter.requires_grad_(number % -(-len(parameters) // MOST) == 0)
    labels = torch.tensor([0, 2, 1])
    check = gradient_check(net, lambda y: F.cross_entropy(y, labels), pictures, entries=1)
    assert check.ok, check
    assert len(check.rows) == 1 + sum(parameter.requires_grad for parameter in parameters)
