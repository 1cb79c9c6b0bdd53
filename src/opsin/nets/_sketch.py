"""The blueprint of any net by name, from torch: built and run without memory for its weights.

Shapes: N pictures, C channels, h and w of the input, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from opsin.errors import SizeError, WeightsError
from opsin.nets import _remote
from opsin.nets._aliases import canonical
from opsin.nets._blueprint import Blueprint
from opsin.nets._build import build, in_timm, quiet
from opsin.nets._describe import Description, describe
from opsin.nets._record import record
from opsin.nets._zoo import only

Pair = tuple[int, int]


def native(name: str) -> tuple[int, Pair, int]:
    """Return the channels, the size (h, w) and the outputs that a net was made for.

    >>> native("lenet5"), native("inception_v3")
    ((1, (28, 28), 10), (3, (299, 299), 1000))
    """
    name = canonical(name)
    if not in_timm(name):
        return 3, _remote.preprocessing(name).size, 1000
    notes = _remote._config(name)
    channels, high, wide = notes.get("input_size") or (3, 224, 224)
    return channels, (high, wide), notes.get("num_classes") or 1000


def sketch(name: str, size: Pair, *, channels: int = 3, outputs: int = 1000) -> Blueprint:
    """Return the blueprint of the net called ``name`` for pictures (channels, h, w).

    Raises ``WeightsError`` for an unknown name, and ``SizeError`` that names the layer where
    pictures of this size do not go through.
    """
    net = bare(name, channels, outputs)
    try:
        return record(net, channels, size, name)
    except SizeError as error:
        usual = native(name)[1]
        if usual == size:
            raise
        describe(record(net, channels, usual, name), size)  # our own words name the layer
        raise only(error.received, usual) from error


def from_libraries(name: str) -> bool:
    """Say whether a net is timm's, torchvision's or ours: what a user registered may change."""
    import timm

    known = in_timm(name)
    return not known or timm.model_entrypoint(name).__module__.split(".")[0] in ("timm", "opsin")


def lasting(name: str, sides: Sequence[int]) -> Blueprint:
    """Return a blueprint that holds for square pictures of all ``sides`` from its ``least`` on.

    A net may take a shorter way for pictures of its own size: then the longer way is drawn, whose
    numbers are the same there.
    """
    channels, usual, outputs = native(name)
    wider = (usual[0] + 4, usual[1] + 4)
    net = bare(name, channels, outputs)
    truth = {side: _numbers(net, channels, side) for side in {*sides, *usual}}
    for drawn_at in (usual, wider):
        drawn = replace(record(net, channels, drawn_at, name), size=usual)
        wrong = [side for side, wanted in truth.items() if _ours(drawn, side) != wanted]
        if max(wrong, default=0) < min(usual):
            least = min(side for side in truth if side > max(wrong, default=0))
            return replace(drawn, least=(least, least))
    raise ValueError(f"{name} takes another way for each size")


def bare(name: str, channels: int, outputs: int) -> nn.Module:
    """Build a net without memory for its weights."""
    for place in (torch.device("meta"), _Weightless()):
        with suppress(NotImplementedError), place, quiet():  # numbers were asked for, to build by
            return build(name, outputs=outputs, channels=channels).eval()
    raise WeightsError(
        f"the net {name!r}", expected="a net that can be built without memory for its weights"
    )


class _Weightless(TorchFunctionMode):
    """Makes tensors that something is drawn into without memory; those that are counted have some.

    torchvision's RegNets read their widths off tensors.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (torch.empty, torch.zeros, torch.ones) and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _numbers(net: nn.Module, channels: int, side: int) -> tuple[object, ...] | None:
    """Return what the net itself says of square pictures, None where it refuses."""
    try:
        return _said(describe(record(net, channels, (side, side))))
    except SizeError:
        return None


def _ours(drawn: Blueprint, side: int) -> tuple[object, ...] | None:
    """Return what a blueprint says of them."""
    try:
        return _said(describe(drawn, (side, side)))
    except SizeError:
        return None


def _said(found: Description) -> tuple[object, ...]:
    return found.parameters, found.madds, found.rows[-1].shape, found.field
