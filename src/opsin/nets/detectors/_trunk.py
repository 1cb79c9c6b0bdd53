"""What a detector stands on: a net that classifies, cut where its maps are useful.

Shapes: B pictures (B, C, h, w); a map (B, C', h', w') of stride s has about h / s rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Self

from torch import Tensor, nn

from opsin.errors import WeightsError
from opsin.nets import _graph
from opsin.nets._cut import levels

FINEST = 8  # stride from which on layers learn, where they were pretrained


class Trunk(nn.Module):
    """Gives the maps of a net at some strides, finest first.

    It holds the very layers of ``net`` up to the last of these; the rest is let go. Raises
    ``WeightsError`` for a net that has no map of a stride.

    >>> import torch
    >>> from opsin.nets import build
    >>> trunk = Trunk(build("resnet18", outputs=10), (8, 16))
    >>> [tuple(m.shape) for m in trunk(torch.zeros(1, 3, 64, 96))], trunk.channels
    ([(1, 128, 8, 12), (1, 256, 4, 6)], (128, 256))
    """

    def __init__(
        self, net: nn.Module, strides: Sequence[int], size: tuple[int, int] = (224, 224)
    ) -> None:
        super().__init__()
        found = levels(net, size)
        by_stride = {level.stride: level for level in found}
        if missing := [stride for stride in strides if stride not in by_stride]:
            raise WeightsError(
                f"{type(net).__name__}, whose maps have the strides {sorted(by_stride)}",
                expected=f"one of stride {missing[0]}",
                remedy="Give a --backbone that halves as often, such as mobilenet_v2 or resnet18.",
            )
        chosen = [by_stride[stride] for stride in strides]
        self.strides = tuple(level.stride for level in chosen)
        self.channels = tuple(level.channels for level in chosen)
        self.found, self.settled = tuple(sorted(by_stride)), False
        traced = _graph.trace(net)
        nodes = list(traced.graph.nodes)
        ends = _graph.ends(traced) | _graph.places(traced)
        last = nodes.index(ends[chosen[-1].name]) + 1
        self.net = _graph.part(traced, nodes[:last], returns=[ends[level.name] for level in chosen])
        named = {id(parameter): name for name, parameter in self.net.named_parameters()}
        borders = [nodes.index(ends[level.name]) + 1 for level in found]
        cuts = [0, *(border for border in borders if border < last), last]
        self.groups = []  # names of what works at each resolution: layers may yet be replaced
        for begin, end in itertools.pairwise(cuts):
            owned = [id(parameter) for parameter in _graph.owned(traced, nodes[begin:end])]
            self.groups.append([named.pop(key) for key in owned if key in named])
        self.groups[0] += named.values()  # what tracing did not meet

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of pictures (B, C, h, w), one for each stride."""
        return list(self.net(images))

    def settle(self) -> None:
        """Hold the layers below stride 8, and all statistics of batches, as they were pretrained.

        Edges and textures serve any picture, and few pictures estimate statistics worse than a
        million did (Ren et al., Faster R-CNN, 2017, section 3.3, hold both). It saves the backward
        pass where maps are largest.
        """
        self.settled = True
        below = sum(stride < FINEST for stride in self.found)
        for group in self.groups[: min(below, len(self.groups) - 1)]:
            for name in group:
                self.net.get_parameter(name).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set whether it is learning; statistics that are held stay as they are."""
        super().train(mode)
        if self.settled:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def depth_groups(self) -> list[list[nn.Parameter]]:
        """Return all parameters in groups by depth, the stem first: see ``nets.depth_groups``."""
        return [[self.net.get_parameter(name) for name in group] for group in self.groups if group]
