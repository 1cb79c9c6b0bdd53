"""Nets by name, built and recorded without memory for their weights."""

from __future__ import annotations

import pytest
import torch
from watched import Watch

from opsin.errors import SizeError, WeightsError
from opsin.nets._named import described
from opsin.nets._sketch import bare, sketch


@pytest.mark.parametrize(
    ("name", "millions"),
    [("regnet_y_400mf", 4.3), ("vit_tiny_patch16_224", 5.7), ("regnety_002", 3.2)],
)
def test_no_weights_are_made(name: str, millions: float) -> None:
    """torchvision's RegNets read their widths off tensors: those have memory, of a few numbers."""
    with Watch() as watch:
        drawn = sketch(name, (224, 224))
    assert watch.largest < 100
    net = bare(name, 3, 1000)
    assert all(p.is_meta for p in net.parameters())
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 1) == millions
    assert drawn.layers[-1].outputs == 1000


def test_a_size_that_a_net_does_not_take_is_said_with_one_that_it_takes() -> None:
    with pytest.raises(SizeError, match=r"256×256.*model \(224\).*takes, as 224×224"):
        sketch("vit_tiny_patch16_224", (256, 256))
    with pytest.raises(SizeError, match=r"3×3×3 at layer features.0 .*at least 63×63"):
        sketch("alexnet", (3, 3))


def test_weights_that_there_are_not_are_no_net() -> None:
    assert torch.get_default_device().type == "cpu"
    with pytest.raises(WeightsError, match="resnet50"):
        described("resnet50.no_such_tag")
