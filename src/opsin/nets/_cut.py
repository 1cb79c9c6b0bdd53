"""Cutting a net in two at any depth, without writing a line for any architecture.

A net can be cut wherever a single tensor carries all that the rest needs. The halves hold the very
same layers, so training one half trains the net.

Shapes: N images, C channels, h and w of the input, C' h' w' of a map, K outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, fx, nn

from opsin.errors import WeightsError
from opsin.nets import _graph
from opsin.nets._build import colours, on_meta
from opsin.nets._features import head


@dataclass(frozen=True, slots=True)
class Stage:
    """Is a place where a net can be cut: the layer it comes after, and its shape there.

    ``stride`` is how many input pixels one step of the map covers, 0 once it is a vector.
    """

    name: str
    channels: int
    stride: int


def stages(net: nn.Module) -> list[str]:
    """Return the names of the places where a net can be cut, from the input to the head.

    Between two of them lies at least one convolution or linear layer; after the last one only the
    head is left. Raises ``WeightsError`` for a net that cannot be traced.

    >>> from opsin.nets import build
    >>> stages(build("lenet5", outputs=10))
    ['s2', 's4', 'global_pool', 'dropout']
    """
    return list(_graph.places(_graph.trace(net)))


def cut(net: nn.Module, stage: str) -> tuple[nn.Module, nn.Module]:
    """Return (lower, upper) such that ``upper(lower(x))`` is ``net(x)``, bit for bit.

    Both hold the layers of ``net`` itself, under their own names and in their present mode.
    """
    traced = _graph.trace(net)
    (place,) = _placed(traced, [stage])
    nodes = list(traced.graph.nodes)
    border = nodes.index(place) + 1
    lower = _graph.part(traced, nodes[:border], returns=[place], single=True)
    upper = _graph.part(traced, nodes[border:], takes=place)
    return lower, upper


def taps(net: nn.Module, names: Sequence[str]) -> nn.Module:
    """Return a net that gives what several stages see in one pass, side by side: (N, sum of C').

    Maps (N, C', h', w') are averaged over their positions, so that depths can be compared.
    """
    return _Averages(_seen_at(net, names))


def survey(net: nn.Module, size: tuple[int, int] = (224, 224)) -> list[Stage]:
    """Return every stage with its channels and stride, for pictures of ``size`` (h, w).

    Raises ``WeightsError`` for a net without convolutions, which has no maps.
    """
    names = stages(net)
    channels = colours(net)
    seen = _seen_at(net, names)
    shapes = [tuple(m.shape) for m in on_meta(seen, channels, size)]
    try:
        twice = (2 * size[0], 2 * size[1])
        larger = [tuple(m.shape) for m in on_meta(seen, channels, twice)]
    except (RuntimeError, AssertionError, ValueError):  # takes this one size only
        larger = shapes
    return [
        Stage(name, shape[1], _stride(size[0], shape, grown))
        for name, shape, grown in zip(names, shapes, larger, strict=True)
    ]


def _stride(height: int, shape: tuple[int, ...], grown: tuple[int, ...]) -> int:
    """Return how many input rows one row of a map covers, from its shapes at two heights.

    ``grown`` is the shape at twice the height: what borders cost is in both and cancels out.

    >>> _stride(28, (1, 16, 5, 5), (1, 16, 12, 12))  # 28 / 5 would be 6
    4
    """
    if len(shape) != 4 or shape[2] <= 1:
        return 0
    gained = grown[2] - shape[2]
    return round(height / (gained or shape[2]))


def levels(net: nn.Module, size: tuple[int, int] = (224, 224)) -> list[Stage]:
    """Return the stage that ends each resolution, finest first: what detectors stand on.

    They are those that timm names in ``feature_info``; for other nets the deepest of each stride.

    >>> from opsin.nets import build
    >>> [(level.channels, level.stride) for level in levels(build("resnet18", outputs=10))]
    [(64, 2), (64, 4), (128, 8), (256, 16), (512, 32)]
    """
    return _declared(net, _graph.trace(net)) or _deepest(net, size)


def _declared(net: nn.Module, traced: fx.GraphModule) -> list[Stage]:
    """Return the levels timm declares, if the net can be cut at each of them."""
    infos = list(getattr(net, "feature_info", None) or [])
    found = [Stage(info["module"], info["num_chs"], info["reduction"]) for info in infos]
    ends = _graph.ends(traced)
    return found if all(level.name in ends for level in found) else []


def _deepest(net: nn.Module, size: tuple[int, int]) -> list[Stage]:
    """Return the last stage of each stride."""
    deepest: dict[int, Stage] = {}
    for stage in survey(net, size):
        if stage.stride:
            deepest[stage.stride] = stage
    return list(deepest.values())


def depth_groups(net: nn.Module) -> list[list[nn.Parameter]]:
    """Return all parameters in groups by depth, from the stem to the head.

    A group is what works at one resolution; the head is a group of its own. A net that cannot be
    traced gives two groups: everything below the head, and the head.

    >>> from opsin.nets import build
    >>> [sum(p.numel() for p in g) for g in depth_groups(build("resnet18", outputs=10))]
    [9536, 147968, 525568, 2099712, 8393728, 5130]
    """
    own = getattr(net, "depth_groups", None)
    if own is not None:  # a detector knows what it stands on
        return cast("list[list[nn.Parameter]]", own())
    last = list(head(net).parameters())
    seen = {id(parameter) for parameter in last}
    try:
        traced = _graph.trace(net)
        borders = [level.name for level in _declared(net, traced) or _deepest(net, (224, 224))][:-1]
    except (WeightsError, RuntimeError):  # what takes one other size only has no levels at 224
        return [_new(net.parameters(), seen), last]
    nodes = list(traced.graph.nodes)
    ends = [nodes.index(node) + 1 for node in _placed(traced, borders)]
    groups = [
        _new(_graph.owned(traced, nodes[begin:end]), seen)
        for begin, end in zip([0, *ends], [*ends, len(nodes)], strict=True)
    ]
    groups[0] += _new(net.parameters(), seen)  # what tracing did not meet
    return [*(group for group in groups if group), last]


class _Averages(nn.Module):
    """Averages maps over their positions and lays all outputs side by side."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        seen = self.net(images)
        vectors = [m.mean((2, 3)) if m.ndim == 4 else m.flatten(1) for m in seen]
        return torch.cat(vectors, 1)  # (N, sum of C')


def _seen_at(net: nn.Module, names: Sequence[str]) -> fx.GraphModule:
    """Return a net that gives a tuple: what it sees at several stages."""
    traced = _graph.trace(net)
    chosen = _placed(traced, names)
    nodes = list(traced.graph.nodes)
    last = max(nodes.index(node) for node in chosen)
    return _graph.part(traced, nodes[: last + 1], returns=chosen)


def _placed(traced: fx.GraphModule, names: Sequence[str]) -> list[fx.Node]:
    """Return the nodes of stages, or of other layers that end where the net can be cut."""
    places = _graph.places(traced)
    known = _graph.ends(traced) | places
    for name in names:
        if name not in known:
            raise WeightsError(f"the stage {name!r}", expected=f"one of {', '.join(places)}")
    return [known[name] for name in names]


def _new(parameters: Iterable[nn.Parameter], seen: set[int]) -> list[nn.Parameter]:
    """Return the parameters not met before, and remember them."""
    found = []
    for parameter in parameters:
        if id(parameter) not in seen:
            seen.add(id(parameter))
            found.append(parameter)
    return found
