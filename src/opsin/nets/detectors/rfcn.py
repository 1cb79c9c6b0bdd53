"""R-FCN: every layer sees the whole picture; a region only reads off maps that know of places.

Dai, Li, He & Sun, R-FCN: Object Detection via Region-based Fully Convolutional Networks, 2016. For
each class there are k x k maps, one for each part of an object (top left, ...). A region pools each
of its parts from the map of that part, and the parts vote by their mean (equations 1 and 2). Boxes
are voted on in the same way, alike for every class (section 2).

Shapes: B pictures (B, C, h, w), R regions of all of them, K classes, k = 3 parts a side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from opsin.nets.detectors import _dense
from opsin.nets.detectors._proposing import Proposing
from opsin.nets.detectors._regions import STRIDES, WIDTH, sure
from opsin.nets.detectors._trunk import Trunk
from opsin.ops.regions import pooled

PARTS = 3  # a side


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> Rfcn:
    """Return an R-FCN of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return Rfcn(_dense.trunk(net, STRIDES, size), outputs, size)


class Rfcn(Proposing):
    """Looks at proposed regions through maps of the parts of objects.

    >>> from opsin.nets import build
    >>> net = build("rfcn on resnet18", outputs=4, size=(64, 96)).eval()
    >>> net(torch.zeros(2, 3, 64, 96)).shape
    torch.Size([2, 100, 8])
    """

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.classes = _dense.start(nn.Conv2d(WIDTH, (outputs + 1) * PARTS**2, 1))
        self.boxes = _dense.start(nn.Conv2d(WIDTH, 4 * PARTS**2, 1))
        with torch.no_grad():
            bias = self.classes.bias
            assert bias is not None
            bias[-(PARTS**2) :] = sure(outputs)

    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the votes of the parts of regions, on the finest map."""
        del images
        stride = self.backbone.strides[0]
        maps = (layer(seen[0]).float() for layer in (self.classes, self.boxes))
        logits, codes = (
            pooled(m, regions, (PARTS, PARTS), stride=stride, kind="ps_align").mean((2, 3))
            for m in maps
        )
        return logits, codes
