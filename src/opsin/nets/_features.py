"""What every net offers: its last layer, and the features before it.

Shapes: N images, C channels, h and w of the input, F features, K outputs.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from opsin.errors import WeightsError


def head(net: nn.Module) -> nn.Linear:
    """Return the last layer (F to K); raise ``WeightsError`` where it is not a linear one."""
    last = net.get_submodule(_head_path(net))
    assert isinstance(last, nn.Linear)
    return last


def set_head(net: nn.Module, linear: nn.Linear) -> None:
    """Put another last layer in place; it must take as many features as the net gives."""
    path = _head_path(net)
    if linear.in_features != num_features(net):
        raise WeightsError(
            f"a head for {linear.in_features} features",
            expected=f"one for the {num_features(net)} features of {type(net).__name__}",
        )
    parent, _, name = path.rpartition(".")
    setattr(net.get_submodule(parent), name, linear)
    if hasattr(net, "num_classes"):
        net.num_classes = linear.out_features  # type: ignore[assignment]


def num_features(net: nn.Module) -> int:
    """Return F, how many numbers the last layer sees.

    >>> from opsin.nets import build
    >>> num_features(build("lenet5", outputs=10))
    84
    """
    return head(net).in_features


def headless(net: nn.Module) -> nn.Module:
    """Return the net without its last layer: pictures (N, C, h, w) to features (N, F).

    All other layers are the very same objects, so what one learns the other knows.
    """
    return _without(net, _head_path(net).split("."))


def pooled(net: nn.Module, images: Tensor) -> Tensor:
    """Return the features (N, F) before the last layer, for float images (N, C, h, w).

    >>> import torch
    >>> from opsin.nets import build
    >>> pooled(build("lenet5", outputs=10, channels=3), torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 84])
    """
    features: Tensor = headless(net)(images)
    return features.flatten(1)


def _head_path(net: nn.Module) -> str:
    """Return the name of the last linear layer, refusing nets that end in something else."""
    path, last = "", None
    classifier = getattr(net, "get_classifier", None)
    declared = classifier() if callable(classifier) else None
    for name, module in net.named_modules():
        if isinstance(module, nn.Linear) and (module is declared or declared is None):
            path, last = name, module
    ends_otherwise = declared is None and _last_convolution_classifies(net, last)
    if last is None or ends_otherwise:
        raise WeightsError(
            f"{type(net).__name__}, which does not end in a linear layer",
            expected="a net with one linear layer as its head",
            remedy="Choose another net, see `opsin nets`.",
        )
    return path


def _last_convolution_classifies(net: nn.Module, last: nn.Linear | None) -> bool:
    """Say whether a convolution comes after every linear layer, as in SqueezeNet."""
    layers = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return not layers or layers[-1] is not last


def _without(module: nn.Module, path: list[str]) -> nn.Module:
    """Copy the modules along a path, share all others, and put nothing at its end."""
    twin = copy.copy(module)
    child = module._modules[path[0]]
    assert child is not None
    emptied = nn.Identity() if len(path) == 1 else _without(child, path[1:])
    # A shallow copy still shares the table of children: give the twin its own.
    twin._modules = dict(module._modules) | {path[0]: emptied}
    return twin
