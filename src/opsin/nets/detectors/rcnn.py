"""R-CNN: every region is cut out, brought to one size and seen by the whole net for itself.

Girshick, Donahue, Darrell & Malik, Rich Feature Hierarchies for Accurate Object Detection, 2014,
with the regions of selective search, some context round each (appendix A), and boxes corrected from
the last map (appendix C). Nothing is shared between regions, which is why it is slow. Learnt in one
piece here, where the paper fits support vector machines on stored features.

Shapes: B pictures (B, C, h, w), R regions of all of them, S the side of a region as it is seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.nets.detectors import _dense
from opsin.nets.detectors._given import Given
from opsin.nets.detectors._regions import Head
from opsin.nets.detectors._trunk import Trunk
from opsin.ops.regions import pooled

SIDE = 64  # pixels; 227 in the paper
CONTEXT = 0.15  # of a region's sides that are seen round it; 16 of 227 pixels in the paper
STRIDES = (8, 16)
BLOCK = 64  # regions seen at a time


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> Rcnn:
    """Return an R-CNN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    del size  # the net sees regions only
    return Rcnn(_dense.trunk(net, STRIDES, (SIDE, SIDE)), outputs, (SIDE, SIDE))


class Rcnn(Given):
    """Looks at the regions of selective search one by one."""

    asked = 100
    learnt_from = 16

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.cells = SIDE // backbone.strides[-1]
        self.head = Head(backbone.channels[-1] * self.cells**2, outputs)

    def look(self, images: Tensor) -> list[Tensor]:
        """Return nothing: no picture is seen as a whole."""
        del images
        return []

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return what the net says of regions cut out with their context."""
        del seen
        wide = [with_context(own) for own in regions]
        cut = pooled(images.float(), wide, (SIDE, SIDE), stride=1)  # (R, C, S, S)
        cut = cut.contiguous(memory_format=torch.channels_last)
        last = torch.cat([self.backbone(part)[-1] for part in torch.split(cut, BLOCK)])
        # Nets that do not pad, as AlexNet, have maps of fewer rows than their stride says.
        logits, codes = self.head(functional.adaptive_avg_pool2d(last, self.cells))
        return logits, codes


def with_context(regions: Tensor) -> Tensor:
    """Return regions (n, 4) grown by ``CONTEXT`` of their sides to all sides.

    >>> with_context(torch.tensor([[10.0, 10.0, 20.0, 30.0]])).tolist()
    [[8.5, 7.0, 21.5, 33.0]]
    """
    reach = (regions[:, 2:] - regions[:, :2]) * CONTEXT
    return torch.cat([regions[:, :2] - reach, regions[:, 2:] + reach], 1)
