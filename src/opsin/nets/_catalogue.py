"""Well-known nets in numbers: parameters, arithmetic, and where their weights come from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from opsin.nets import _remote
from opsin.nets._build import build, on_meta, quiet
from opsin.nets.weights import PACKAGES, locate, package_file

KNOWN = (
    "lenet5",
    "alexnet",
    "vgg11_bn",
    "vgg16",
    "vgg19",
    "googlenet",
    "inception_v3",
    "inception_v4",
    "legacy_xception",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnext50_32x4d",
    "seresnet50",
    "densenet121",
    "mobilenetv1_100",
    "mobilenetv2_100",
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "shufflenet_v2_x1_0",
    "mnasnet_100",
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "efficientnet_b0",
    "tf_efficientnetv2_s",
    "regnety_004",
    "regnety_016",
    "convnext_tiny",
)
# Packaged nets by what their features were worth on photographs, best for its time first.
OFFLINE = (
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "mobilenetv2_100",
)
NATIVE = {"lenet5": (1, (28, 28))}  # channels and size of nets without pretrained weights


def by_accuracy() -> list[tuple[str, int]]:
    """Return the nets whose weights are installed with their multiply-adds, the best on ImageNet
    first (77.5, 76.6, 75.5 and 71.9 % top-1, as their authors state)."""
    ranked = ("tf_efficientnet_lite2", "tf_efficientnet_lite1", "tf_efficientnet_lite0")
    installed = [n for n in (*ranked, "mobilenetv2_100") if package_file(PACKAGES[n])]
    return [(name, row(name)["madds"]) for name in installed or [best_offline()]]


def best_offline() -> str:
    """Return the best net whose weights are installed; the first of them where none is."""
    installed = [name for name in OFFLINE if package_file(PACKAGES[name])]
    return (installed or list(OFFLINE))[0]


def catalogue() -> list[dict[str, Any]]:
    """Return one row a well-known net; any other name of timm works too.

    ``parameters`` counts all weights, ``madds`` the multiply-adds for one picture of ``size``.
    """
    return [row(name) for name in KNOWN]


def row(name: str) -> dict[str, Any]:
    """Return the numbers of one net, counted without memory for its weights.

    >>> found = row("lenet5")
    >>> found["parameters"], found["madds"], found["size"]
    (61706, 416520, [28, 28])
    """
    channels, size = NATIVE.get(name, (3, _remote.preprocessing(name).size))
    outputs = 10 if name in NATIVE else 1000
    with torch.device("meta"), quiet():
        net = build(name, outputs=outputs, channels=channels).eval()
    found = locate(name)
    published = _remote.known(name)
    packaged = PACKAGES.get(name)
    facts = found or packaged or published
    return {
        "name": name,
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "madds": madds(_bare(net), channels, size),
        "size": list(size),
        "weights": found.origin if found else "download" if published else "none",
        "licence": facts.licence if facts else "",
    }


def _pass(x: Tensor) -> Tensor:
    return x


def _bare(net: nn.Module) -> nn.Module:
    """Let layers that neither multiply filters nor change shapes pass: counting takes half as long.

    The net is only good for counting afterwards.
    """
    passing = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.Dropout, nn.ReLU, nn.SiLU, nn.GELU)
    for module in net.modules():
        if isinstance(module, (*passing, nn.ReLU6, nn.Hardswish)):
            setattr(module, "forward", _pass)  # noqa: B010  an assignment would need its type
    return net


def parameters(name: str) -> int:
    """Return how many weights a net has with its usual head, counted without memory for them.

    >>> parameters("lenet5")
    61706
    """
    channels = NATIVE.get(name, (3, None))[0]
    with torch.device("meta"), quiet():
        net = build(name, outputs=10 if name in NATIVE else 1000, channels=channels)
    return sum(parameter.numel() for parameter in net.parameters())


def madds(net: nn.Module, channels: int, size: tuple[int, int]) -> int:
    """Return the multiply-adds of all convolutions and linear layers for one picture (h, w)."""
    counted = []

    def count(layer: nn.Module, _: Any, output: Tensor) -> None:
        weight = layer.weight
        assert isinstance(weight, Tensor)
        # Each output number is one dot product with a filter; a linear layer has no positions.
        counted.append(output.numel() * weight[0].numel())

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        on_meta(net, channels, size)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counted)
