"""Faster R-CNN: a small net proposes regions, a second one says what each holds, on the same maps.

Ren, He, Girshick & Sun, 2015. Here on a pyramid as light as that of ``yolo``; regions are pooled
(``align``) from its finest map, whose places know of the coarse ones.

Shapes: B pictures (B, C, h, w), R regions of all of them, W channels of the pyramid.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from opsin.nets.detectors import _dense
from opsin.nets.detectors._proposing import Proposer
from opsin.nets.detectors._pyramid import Pyramid
from opsin.nets.detectors._regions import Head, Staged
from opsin.nets.detectors._trunk import Trunk
from opsin.ops.regions import pooled

STRIDES = (8, 16, 32)
WIDTH = 96  # channels of the pyramid
CELLS = (7, 7)  # of a pooled region


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> FasterRcnn:
    """Return a Faster R-CNN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return FasterRcnn(_dense.trunk(net, STRIDES, size), outputs, size)


class FasterRcnn(Staged):
    """Looks at the regions that a net of its own proposes.

    >>> import torch
    >>> from opsin.nets import build
    >>> net = build("faster_rcnn on resnet18", outputs=4, size=(64, 96)).eval()
    >>> net(torch.zeros(2, 3, 64, 96)).shape
    torch.Size([2, 100, 8])
    """

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.pyramid = Pyramid(backbone.channels, WIDTH)
        self.proposer = Proposer(WIDTH, backbone.strides)
        self.head = Head(WIDTH * CELLS[0] * CELLS[1], outputs)

    def ready(self, targets: Tensor, seed: int) -> None:
        """Choose the anchors by the objects of all targets (N, P, 6)."""
        self.proposer.ready(targets, seed)

    def look(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the pyramid."""
        maps: list[Tensor] = self.pyramid(self.backbone(images))
        return maps

    def propose(
        self, images: Tensor, seen: list[Tensor], targets: Tensor | None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return what the proposer finds likely, and what it has yet to learn."""
        h, w = images.shape[-2:]
        found = self.proposer(seen, (h, w), self.asked if targets is None else 2 * self.asked)
        return found.boxes, {} if targets is None else found.terms(targets)

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return what the head says of regions pooled from the finest map."""
        del images
        cells = pooled(seen[0].float(), regions, CELLS, stride=self.backbone.strides[0])
        logits, codes = self.head(cells)
        return logits, codes
