"""Fast R-CNN: given regions, pooled from one map of the whole picture.

Girshick, Fast R-CNN, 2015. Regions are those of selective search (Uijlings et al., 2013); in
training they come with the targets, so that they are searched for once and move with the picture.

Shapes: B pictures (B, C, h, w), R regions of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from opsin.nets.detectors import _dense
from opsin.nets.detectors._given import MOST, Given
from opsin.nets.detectors._regions import STRIDES, WIDTH, Merged, Pooling
from opsin.nets.detectors._trunk import Trunk


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> FastRcnn:
    """Return a Fast R-CNN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return FastRcnn(_dense.trunk(net, STRIDES, size), outputs, size)


class FastRcnn(Given):
    """Looks at the regions of selective search on one map of the whole picture."""

    asked = MOST

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.merged = Merged(backbone.channels, WIDTH)
        self.pooling = Pooling(WIDTH, outputs)

    def look(self, images: Tensor) -> list[Tensor]:
        """Return the one map."""
        return [self.merged(self.backbone(images))]

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return what is said of regions pooled from the map."""
        del images
        logits, codes = self.pooling(seen[0], regions, self.backbone.strides[0])
        return logits, codes
