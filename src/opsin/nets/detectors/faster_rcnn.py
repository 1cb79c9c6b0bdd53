"""Faster R-CNN: a small net proposes regions, a second one says what each holds, on the same maps.

Ren, He, Girshick & Sun, 2015. Here on a pyramid as light as that of ``yolo``; regions are pooled
(``align``) from its finest map, whose places know of the coarse ones.

Shapes: B pictures (B, C, h, w), R regions of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from opsin.nets.detectors import _dense
from opsin.nets.detectors._proposing import Proposing
from opsin.nets.detectors._regions import STRIDES, WIDTH, Pooling
from opsin.nets.detectors._trunk import Trunk


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> FasterRcnn:
    """Return a Faster R-CNN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return FasterRcnn(_dense.trunk(net, STRIDES, size), outputs, size)


class FasterRcnn(Proposing):
    """Looks at the regions that a net of its own proposes.

    >>> import torch
    >>> from opsin.nets import build
    >>> net = build("faster_rcnn on resnet18", outputs=4, size=(64, 96)).eval()
    >>> net(torch.zeros(2, 3, 64, 96)).shape
    torch.Size([2, 100, 8])
    """

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.pooling = Pooling(WIDTH, outputs)

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return what is said of regions pooled from the finest map."""
        del images
        logits, codes = self.pooling(seen[0], regions, self.backbone.strides[0])
        return logits, codes
