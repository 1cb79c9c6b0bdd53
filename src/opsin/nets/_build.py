"""From a name to a net: timm's registry, then torchvision, and the families of this folder.

Shapes: N images, C channels, h and w of the input, K outputs.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import logging
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from opsin.errors import RecipeError, WeightsError
from opsin.nets import detectors
from opsin.nets._aliases import ALIASES, canonical
from opsin.nets._features import head
from opsin.nets._spec import is_spec

NOT_FAMILIES = ("weights",)
USUAL = (320, 320)  # (h, w) that a detector is built for where nothing is said
LARGEST = 1024  # pixels: where the search for a size that fits ends


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what timm and torchvision say while building: nothing a person could act on."""
    logger = logging.getLogger("timm")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@cache
def families() -> tuple[str, ...]:
    """Import the files of this folder that register nets with timm, once; return their names."""
    package = importlib.import_module("opsin.nets")
    found = [m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")]
    names = tuple(name for name in found if name not in NOT_FAMILIES)
    for name in names:
        importlib.import_module(f"opsin.nets.{name}")
    return names


def in_timm(name: str) -> bool:
    """Say whether timm (with our families) knows this net, and its weights where a tag says which.

    >>> in_timm("resnet50.a1_in1k"), in_timm("resnet50.best")
    (True, False)
    """
    with quiet():
        import timm

        families()
        try:
            return bool(timm.is_model(name) and [timm.models.get_pretrained_cfg(name)])
        except RuntimeError:  # no weights of this net have that tag
            return False


def in_torchvision(name: str) -> bool:
    """Say whether torchvision has a classifying net of this name."""
    return name in _torchvision_names()


def build(
    name: str,
    *,
    outputs: int,
    channels: int = 3,
    size: tuple[int, int] | None = None,
    dropout: float = 0.0,
    fill: Callable[[nn.Module], None] | None = None,
) -> nn.Module:
    """Return the net called ``name``, or described in a line, with fresh weights and ``outputs``.

    ``size`` (h, w) is checked against what the net can see; ``dropout`` acts before the head.
    ``fill`` is given the net that classifies, to put weights in: the net itself, or what a detector
    (``yolo on resnet18``) stands on, while it is whole. Raises ``WeightsError`` for an unknown
    name and ``RecipeError`` for a size or a dropout that the net cannot take.

    >>> net = build("lenet5", outputs=10, channels=1, size=(28, 28))
    >>> net(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """
    if detector := detectors.parted(name):
        kind, backbone = detector
        below = build(
            backbone, outputs=outputs, channels=channels, size=size, dropout=dropout, fill=fill
        )
        return detectors.build(kind, below, outputs=outputs, size=size or USUAL)
    net = _named(canonical(name), outputs, channels, size, dropout)
    if fill is not None:
        fill(net)
    return net


def _named(
    name: str, outputs: int, channels: int, size: tuple[int, int] | None, dropout: float
) -> nn.Module:
    """Return a net that classifies."""
    if is_spec(name):
        from opsin.nets._spec_net import build_line

        return build_line(name, outputs=outputs, channels=channels, size=size, dropout=dropout)
    with quiet():
        if in_timm(name):
            import timm

            settings: dict[str, Any] = {"drop_rate": dropout} if dropout else {}
            net: nn.Module = timm.create_model(
                name, num_classes=outputs, in_chans=channels, **settings
            )
        elif in_torchvision(name):
            net = _from_torchvision(name, outputs, channels, dropout)
        else:
            raise _unknown(name)
    if size is not None:
        check_size(name, net, channels, size)
    return net


def colours(net: nn.Module) -> int:
    """Return the channels of the pictures a net sees; raise ``WeightsError`` where no layer tells.

    >>> colours(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)))
    3
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            return module.in_channels
    raise WeightsError(
        f"{type(net).__name__}, which has no convolution",
        expected="a net whose layers are convolutions",
        remedy="Such as mobilenet_v2 or resnet18.",
    )


def on_meta(net: nn.Module, channels: int, size: tuple[int, int]) -> Any:
    """Run the net on one picture without memory or arithmetic; only shapes come out."""
    named = [*net.named_parameters(), *net.named_buffers()]
    tensors = {name: tensor.to("meta") for name, tensor in named}
    training = net.training
    try:
        with quiet(), torch.no_grad():
            picture = torch.empty((1, channels, *size), device="meta")
            return functional_call(net.eval(), tensors, (picture,))
    finally:
        net.train(training)


def check_size(name: str, net: nn.Module, channels: int, size: tuple[int, int]) -> None:
    """Raise ``RecipeError`` with the smallest square that fits, where (h, w) does not."""

    def fits(size: tuple[int, int]) -> bool:
        try:
            on_meta(net, channels, size)
        except (RuntimeError, AssertionError, ValueError):
            return False
        return True

    if fits(size):
        return
    lowest, highest = max(1, min(size)), LARGEST
    if not fits((highest, highest)):
        high, wide = _native(name, net)
        raise RecipeError(
            f"{size[0]}x{size[1]} pixels for {name}",
            expected=f"the one size this net takes, {high}x{wide}",
        )
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        lowest, highest = (lowest, middle) if fits((middle, middle)) else (middle, highest)
    raise RecipeError(
        f"{size[0]}x{size[1]} pixels for {name}",
        expected=f"at least {highest}x{highest}",
        remedy=f"Give --size {highest} or more, or a net that halves less often.",
    )


def _native(name: str, net: nn.Module) -> tuple[int, int]:
    """Return the size (h, w) that a net was made for."""
    if config := getattr(net, "pretrained_cfg", None):
        _, high, wide = config["input_size"]
        return high, wide
    from torchvision.models import get_model_weights

    side = get_model_weights(name).DEFAULT.transforms().crop_size[0]
    return side, side


@cache
def _torchvision_names() -> frozenset[str]:
    with quiet():
        from torchvision import models

        return frozenset(models.list_models(module=models))


def _from_torchvision(name: str, outputs: int, channels: int, dropout: float) -> nn.Module:
    """Build one of torchvision's nets, without the side heads some have for training."""
    from torchvision import models

    plain: dict[str, Any] = {"num_classes": outputs}
    if name == "googlenet":
        # Its pretrained weights expect the input scaling of the TensorFlow original.
        plain |= {"aux_logits": False, "init_weights": True, "transform_input": channels == 3}
    net: nn.Module = models.get_model(name, weights=None, **plain)
    head(net)  # a net whose last layer is no linear layer is refused here, not later
    if channels != 3:
        _first_convolution(net, channels)
    if dropout:
        _drop(name, net, dropout)
    return net


def _drop(name: str, net: nn.Module, dropout: float) -> None:
    """Set the share that a net's own dropout layers drop."""
    dropouts = [module for module in net.modules() if isinstance(module, nn.Dropout)]
    if not dropouts:
        raise RecipeError(f"dropout={dropout} for {name}", expected="a net that has dropout")
    for module in dropouts:
        module.p = dropout


def _first_convolution(net: nn.Module, channels: int) -> None:
    """Replace the first convolution by a fresh one for pictures of another number of channels."""
    path, first = next((p, m) for p, m in net.named_modules() if isinstance(m, nn.Conv2d))
    padding: Any = first.padding
    fresh = nn.Conv2d(
        channels,
        first.out_channels,
        kernel_size=(first.kernel_size[0], first.kernel_size[1]),
        stride=(first.stride[0], first.stride[1]),
        padding=padding,
        bias=first.bias is not None,
    )
    parent, _, last = path.rpartition(".")
    setattr(net.get_submodule(parent), last, fresh)


def _unknown(name: str) -> WeightsError:
    import timm

    every = sorted({*timm.list_models(), *_torchvision_names(), *ALIASES, *detectors.names()})
    near = difflib.get_close_matches(name, every, n=4, cutoff=0.5)
    return WeightsError(
        f"the net {name!r}",
        expected="a net that timm, torchvision or opsin knows",
        remedy=f"Did you mean {', '.join(near)}?" if near else "See `opsin nets`.",
    )
