"""Fast R-CNN: given regions, pooled from one map of the whole picture.

Girshick, Fast R-CNN, 2015. Regions are those of selective search (Uijlings et al., 2013); in
training they come with the targets, so that they are searched for once and move with the picture.

Shapes: B pictures (B, C, h, w), R regions of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from opsin.nets.detectors import _dense, _given
from opsin.nets.detectors._regions import Head, Merged, Staged
from opsin.nets.detectors._trunk import Trunk
from opsin.nets.detectors.faster_rcnn import CELLS, STRIDES, WIDTH
from opsin.ops.regions import pooled


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> FastRcnn:
    """Return a Fast R-CNN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return FastRcnn(_dense.trunk(net, STRIDES, size), outputs, size)


class FastRcnn(Staged):
    """Looks at the regions of selective search on one map of the whole picture."""

    proposals: ClassVar[str | None] = _given.WAY
    asked = _given.MOST

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.merged = Merged(backbone.channels, WIDTH)
        self.head = Head(WIDTH * CELLS[0] * CELLS[1], outputs)

    def look(self, images: Tensor) -> list[Tensor]:
        """Return the one map."""
        return [self.merged(self.backbone(images))]

    def propose(
        self, images: Tensor, seen: list[Tensor], targets: Tensor | None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the regions among the targets, or search for them."""
        del seen
        return _given.regions(images, targets, self.asked), {}

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return what the head says of regions pooled from the map."""
        del images
        cells = pooled(seen[0].float(), regions, CELLS, stride=self.backbone.strides[0])
        logits, codes = self.head(cells)
        return logits, codes
