"""SSD: default boxes of many shapes on maps from fine to coarse, each classified in one look.

Liu et al., SSD: Single Shot MultiBox Detector, 2016: default boxes (section 2.2), matched by IoU so
that each object has one at least; offsets by smooth L1 and classes, of which background is one, by
softmax (equations 1 to 3); three hard negatives for each positive. Heads and extra maps are made of
depthwise convolutions as in SSDLite (Sandler et al., MobileNetV2, 2018, section 6.2), which at 128
channels have an eighth of the multiplications of whole ones.

Other than in the paper, scales double from map to map as strides do, where its equation 4 has equal
steps: from 0.03 to 0.9 of a picture these would leave gaps of a factor of 8, in which objects match
nothing. The smallest scale is that of the user's small objects.

Shapes: B pictures (B, C, h, w); A default boxes at each place, M of a picture; T true boxes; K
classes, of which background is not one; what the heads say (B, M, 4 + K + 1), background first.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import Detector, objects
from opsin.nets.detectors._pyramid import pointwise, separable
from opsin.nets.detectors._trunk import Trunk
from opsin.ops import anchors as anchor
from opsin.ops import boxes as box
from opsin.ops import coding, matching, sampling

STRIDES = (8, 16, 32)
RATIOS = ((2,), (2, 3))  # width / height beside squares, and turned round: first map, all others
SCALE, LEAST = 4.0, 1.0  # strides: the side of squares where nothing is known, and the smallest
SHARE = 0.1  # of the objects that are smaller than the smallest squares
WIDTH = 128  # channels of what heads stand on
MATCH = 0.5  # IoU from which on a default box answers for an object
WEIGHTS = coding.weights((0.1, 0.2))  # SSD's variances
HARD = 3.0  # negatives for each positive
FEW = 8  # negatives of a picture at least, so that those without objects teach too


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> SSD:
    """Return an SSD of ``outputs`` classes that stands on ``net``, for pictures of (h, w)."""
    return SSD(_dense.trunk(net, STRIDES, size), outputs, size)


class SSD(Detector):
    """Finds objects by default boxes on the maps of the backbone and on coarser ones after them.

    >>> from opsin.nets import build
    >>> net = build("ssd on resnet18", outputs=4, size=(64, 64)).eval()
    >>> net(torch.zeros(2, 3, 64, 64)).shape  # 4 boxes at 8 x 8 places, 6 at 4 x 4 and 2 x 2
    torch.Size([2, 376, 8])
    """

    scale: Tensor

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs)
        strides, side = list(backbone.strides), -(-min(size) // backbone.strides[-1])
        self.lateral = nn.ModuleList([pointwise(each, WIDTH) for each in backbone.channels])
        self.extra = nn.ModuleList()
        while side > 2:  # down to two rows
            self.extra.append(separable(WIDTH, WIDTH, 2))
            strides.append(2 * strides[-1])
            side = -(-side // 2)
        self.strides = tuple(strides)
        self.heads = nn.ModuleList(
            [_head(len(_unit(level)), outputs) for level in range(len(strides))]
        )
        self.register_buffer("scale", torch.tensor(SCALE))  # in strides
        self.sizes = _dense.sizes(backbone, size)

    def ready(self, targets: Tensor, seed: int) -> None:
        """Choose the scale of default boxes by the objects of all targets (N, P, 6)."""
        del seed
        boxes = objects(_dense.real(targets).flatten(0, 1))[0]
        if len(boxes):
            sides = box.area(boxes).sqrt().sort().values / self.strides[0]
            self.scale.copy_(sides[int(SHARE * len(sides))].clamp(LEAST, SCALE))

    def forward(self, images: Tensor, targets: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """Return candidates (B, M, 4 + K), or with ``targets`` what is yet to learn."""
        if targets is not None:
            images, targets = _dense.resized(images, targets, self.sizes)
        maps = [layer(m) for layer, m in zip(self.lateral, self.backbone(images), strict=True)]
        for layer in self.extra:
            maps.append(layer(maps[-1]))
        said = [head(m) for head, m in zip(self.heads, maps, strict=True)]
        codes = _dense.rows(said, 5 + self.outputs)  # (B, M, 4 + 1 + K)
        sides = [
            _unit(level).to(self.scale) * self.scale * stride
            for level, stride in enumerate(self.strides)
        ]
        defaults = _dense.places(said, sides, self.strides).boxes  # (M, 4)
        if targets is not None:
            return self.terms(codes, defaults, _dense.real(targets))
        b, m = codes.shape[:2]
        every = defaults.expand(b, m, 4).reshape(-1, 4)  # (B·M, 4)
        boxes = coding.from_deltas(codes[..., :4].reshape(-1, 4), every, WEIGHTS).reshape(b, m, 4)
        h, w = images.shape[-2:]
        return torch.cat([box.clip(boxes, (h, w)), codes[..., 4:].softmax(2)[..., 1:]], 2)

    def terms(self, codes: Tensor, defaults: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss of codes (B, M, 4 + 1 + K) about ``defaults`` (M, 4)."""
        matches, wanted, classes = [], [], []
        for rows in targets:
            truths, labels, ignored = objects(rows)
            own = assigned(truths, ignored, defaults)
            matches.append(own)
            wanted.append(truths[own[own >= 0]])
            classes.append(labels[own[own >= 0]])
        matched = torch.stack(matches)  # (B, M)
        positive = matched >= 0
        right = torch.zeros_like(matched)  # 0 is background
        right[positive] = torch.cat(classes) + 1
        surprise = functional.cross_entropy(
            codes[..., 4:].transpose(1, 2), right, reduction="none"
        )  # (B, M)
        hard = sampling.hardest(surprise, matched, HARD, least=FEW)
        given = defaults.expand(len(codes), *defaults.shape)[positive]
        moves = coding.to_deltas(torch.cat(wanted), given, WEIGHTS)
        count = max(len(given), len(codes))  # pictures without objects count for one
        missed = functional.smooth_l1_loss(codes[..., :4][positive], moves, reduction="sum")
        return {"box": missed / count, "class": surprise[positive | hard].sum() / count}


def _unit(level: int) -> Tensor:
    """Return the default boxes (A, 2) of a level for squares of side 1, the next level's of 2."""
    return anchor.ssd_shapes([RATIOS[min(level, 1)], ()], 1.0, 2.0)[0]


def _head(each: int, outputs: int) -> nn.Sequential:
    """Return the layers that say (B, each · (4 + 1 + K), h, w) of a map."""
    last = _dense.start(nn.Conv2d(WIDTH, each * (5 + outputs), 1))
    with torch.no_grad():  # background at first, all classes alike
        last.bias.view(each, -1)[:, 4] = log(outputs) - _dense.logit(_dense.PRIOR)  # type: ignore[union-attr]
    return nn.Sequential(separable(WIDTH, WIDTH), last)


def assigned(truths: Tensor, ignored: Tensor, defaults: Tensor) -> Tensor:
    """Return matches (M,) of default boxes (M, 4) with true boxes (T, 4).

    What an object to ignore (I, 4) would match, and what lies in it, is unjudged.
    """
    overlap = box.overlap(torch.cat([truths, ignored]), defaults)  # (T + I, M)
    own = matching.by_iou(overlap, MATCH, MATCH, force="each")
    judged = own.masked_fill(own >= len(truths), matching.UNJUDGED)
    return matching.spare(judged, defaults, ignored)
