"""A net as a list of layers and what feeds what: enough to say its sizes and costs without it.

Nothing here needs torch. ``_record`` draws a blueprint off a net, ``_spec`` off a line of text, and
``_describe`` measures it for pictures of any size.

Shapes leave the picture's number N out: a map is (C, h, w), a vector (F,).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from opsin.ops.arithmetic import Window

# What a layer can be, and what its ``shape`` then holds:
#   picture                           what goes in
#   conv  transposed  max  average    a window that slides
#   adaptive                          pooling to the size (h, w)
#   dense                             a linear layer over the last axis
#   pad                               pixels added (above, below, left, right)
#   mean                              the mean over all positions: (1, 1) keeps them as axes
#   flatten                           everything in a row
#   same                              something for each number: activation, norm, dropout
#   norm                              batch norm, two parameters a channel
#   merge                             several of one shape become one, number by number
#   join                              laid side by side along the axis (axis,)
#   turn                              axes in another order, as torch's permute
#   reshape                           other axes; None stands for the h and w that came in
#   fixed                             anything else: the very shape that came out
OPS = (
    "picture", "conv", "transposed", "max", "average", "adaptive", "dense", "pad", "mean",
    "flatten", "same", "norm", "merge", "join", "turn", "reshape", "fixed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """Is one step of a net: ``op`` is a word of ``OPS``, ``word`` what people call it.

    ``inputs`` are the places of the layers it takes. ``outputs`` are channels or features, of
    windows and dense layers; 0 outputs, or 0 groups, are as many as come in. ``parameters`` and
    ``madds`` are given where no rule gives them.
    """

    name: str
    op: str
    inputs: tuple[int, ...] = ()
    window: Window | None = None
    outputs: int = 0
    groups: int = 1
    bias: bool = False
    shape: tuple[int | None, ...] = ()
    extra: tuple[int, int] = (0, 0)  # output padding of a transposed convolution
    parameters: int = 0
    madds: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Is a net to be measured: the first layer is the picture, the last gives the outputs.

    ``size`` (h, w) and ``channels`` are those of the pictures it is made for, ``head`` the place
    of the layer that ``classes`` replaces. Pictures smaller than ``least`` may take another way
    through the net. ``unused`` counts parameters that no layer asks for while predicting.
    """

    name: str
    layers: tuple[Layer, ...]
    size: tuple[int, int]
    channels: int = 3
    head: int | None = None
    unused: int = 0
    least: tuple[int, int] = (1, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, short: a layer holds what differs from its defaults."""
        plain = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        layers = [_changed(place, layer) for place, layer in enumerate(self.layers)]
        return plain | {"layers": layers}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Blueprint:
        """Make a blueprint from plain data."""
        layers = tuple(_layer(place, each) for place, each in enumerate(plain["layers"]))
        pairs = {name: _pair(plain[name]) for name in ("size", "least")}
        return cls(**{**plain, **pairs, "layers": layers})

    def line(self) -> str:
        """Return the blueprint as one line of JSON.

        >>> layers = (Layer("picture", "picture"), Layer("fc", "dense", (0,), outputs=10))
        >>> drawn = Blueprint("tiny", layers, (1, 1), 4)
        >>> Blueprint.from_dict(json.loads(drawn.line())) == drawn
        True
        """
        return json.dumps(self.to_dict(), separators=(",", ":"), ensure_ascii=False)


LETTERS = "noiwkgbsepmt"
SHORT = {spec.name: letter for spec, letter in zip(fields(Layer), LETTERS, strict=True)}


def _changed(place: int, layer: Layer) -> dict[str, Any]:
    """Return the fields of a layer that differ from their defaults, under one letter each.

    A layer takes what the one before it gives, where it does not say otherwise.
    """
    usual = {spec.name: spec.default for spec in fields(Layer)} | {"inputs": (place - 1,)}
    plain: dict[str, Any] = {}
    for name, letter in SHORT.items():
        value = getattr(layer, name)
        if value != usual[name]:
            plain[letter] = _numbers(value) if isinstance(value, Window) else value
    return plain


def _numbers(window: Window) -> list[Any]:
    return [window.kernel, window.stride, window.padding, window.dilation, window.ceil]


def _layer(place: int, plain: dict[str, Any]) -> Layer:
    read: dict[str, Any] = {"inputs": (place - 1,)}
    for name, letter in SHORT.items():
        if letter in plain:
            value = plain[letter]
            read[name] = tuple(value) if isinstance(value, list) else value
    if "window" in read:
        read["window"] = _window(*(_pair(v) if isinstance(v, list) else v for v in plain["w"]))
    return Layer(**read)


_window = lru_cache(maxsize=1024)(Window)  # many layers slide the same one


def _pair(values: Sequence[int]) -> tuple[int, int]:
    high, wide = values
    return high, wide
