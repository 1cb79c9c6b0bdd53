"""YOLO: boxes and classes at every place of three maps, in one look.

The parts: anchors by k-means, centres in cells and sides times anchors (Redmon & Farhadi, YOLO9000,
2017, section 2); three levels (the same, YOLOv3, 2018, section 2.3) on a pyramid; centres that
reach half a cell beyond their own (Bochkovskiy et al., YOLOv4, 2020, section 3.4). An object is
answered for by as many anchors as it has good predictions, the cheapest of those near its centre
and of its shape (Ge et al., YOLOX, 2021, section 2.4; Wang et al., YOLOv7, 2022, section 4.2).
Their boxes learn by CIoU; objectness learns how good the box is. What the paper of 2017 does is
``yolo9000``.

Shapes: B pictures (B, C, h, w); A = 3 anchors at each place, M candidates of a picture, T true
boxes; K classes; what the head says (B, M, 5 + K): four codes of a box, objectness, classes.
"""

from __future__ import annotations

from math import log
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import Detector, objects
from opsin.nets.detectors._pyramid import Pyramid, separable
from opsin.nets.detectors._trunk import Trunk
from opsin.ops import anchors as anchor
from opsin.ops import boxes as box
from opsin.ops import coding, matching

STRIDES = (8, 16, 32)
WIDTH = 96  # channels of pyramid and heads
FACTOR = 4.0  # by which an anchor's side may differ from that of an object it answers for
NEAR = 1.0  # strides between the middle of a cell and a centre it may answer for
OVERLAP = 3.0  # weight of the overlap in the cost of an answer, YOLOX's
BOX = 2.0  # weight of boxes in the loss; at YOLOX's 5 classes are learnt late from few pictures
TINY = 1e-6


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> Yolo:
    """Return a YOLO of ``outputs`` classes that stands on ``net``, for pictures of (h, w)."""
    return Yolo(_dense.trunk(net, STRIDES, size), outputs, size)


class Yolo(Detector):
    """Finds objects by anchors at each place; ``anchors`` (levels · A, 2) go from small to large.

    >>> from opsin.nets import build
    >>> net = build("yolo on resnet18", outputs=4, size=(64, 96)).eval()
    >>> net(torch.zeros(2, 3, 64, 96)).shape  # 3 anchors at 8 x 12 and 4 x 6 places
    torch.Size([2, 360, 8])
    """

    levels: ClassVar[int] = len(STRIDES)  # that answer, the coarsest of those there are
    ratios: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0)  # of the A anchors while nothing is known
    spread: ClassVar[float] = 2.0  # of centres, in cells: half a cell beyond on each side
    prior: ClassVar[float] = _dense.PRIOR  # objectness at first
    anchors: Tensor

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs)
        strides, channels = list(backbone.strides), list(backbone.channels)
        self.extra = nn.ModuleList()  # what a net lacks that does not halve often enough
        while strides[-1] < STRIDES[-1] and min(size) >= 2 * _dense.ROWS * strides[-1]:
            self.extra.append(separable(channels[-1], WIDTH, 2))
            strides.append(2 * strides[-1])
            channels.append(WIDTH)
        self.strides = strides[-self.levels :]
        self.pyramid = Pyramid(channels, WIDTH)
        each = len(self.ratios)
        self.heads = nn.ModuleList([_head(each, outputs, self.prior) for _ in self.strides])
        usual = [anchor.shapes([4 * s], self.ratios) for s in self.strides]
        self.register_buffer("anchors", torch.cat(usual))
        self.sizes = _dense.sizes(backbone, size)

    def ready(self, targets: Tensor, seed: int) -> None:
        """Choose the anchors by the objects of all targets (N, P, 6)."""
        found = _dense.shapes_of(targets, len(self.anchors), seed)
        if found is not None:
            self.anchors.copy_(found)

    def forward(self, images: Tensor, targets: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """Return candidates (B, M, 4 + K), or with ``targets`` what is yet to learn."""
        if targets is not None:
            images, targets = _dense.resized(images, targets, self.sizes)
        maps = self.backbone(images)
        for layer in self.extra:
            maps.append(layer(maps[-1]))
        maps = self.pyramid(maps)[-len(self.strides) :]
        said = [head(m) for head, m in zip(self.heads, maps, strict=True)]
        codes = _dense.rows(said, 5 + self.outputs)  # (B, M, 5 + K)
        found = _dense.places(said, self.anchors.chunk(len(maps)), self.strides)
        boxes = decoded(codes, found, self.spread)
        if targets is not None:
            return self.terms(codes, boxes, found, _dense.real(targets))
        h, w = images.shape[-2:]
        return torch.cat([box.clip(boxes, (h, w)), self.scores(codes)], 2)

    def scores(self, codes: Tensor) -> Tensor:
        """Return how sure codes (B, M, 5 + K) are of each class (B, M, K)."""
        return codes[..., 4:5].sigmoid() * codes[..., 5:].sigmoid()

    def terms(
        self, codes: Tensor, boxes: Tensor, places: _dense.Places, targets: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the loss of codes (B, M, 5 + K) that say ``boxes`` (B, M, 4)."""
        matches, wanted, classes = [], [], []
        for rows, seen, said in zip(targets, boxes.detach(), codes.detach(), strict=True):
            truths, labels, ignored = objects(rows)
            own = assigned(said, seen, truths, labels, places)
            matches.append(unjudged(own, places, ignored))
            wanted.append(truths[own[own >= 0]])
            classes.append(labels[own[own >= 0]])
        matched = torch.stack(matches)  # (B, M)
        positive = matched >= 0
        truth, label = torch.cat(wanted), torch.cat(classes)  # of the positives, P of them
        overlap = box.paired(boxes[positive], truth)
        quality = torch.zeros_like(codes[..., 4])
        quality[positive] = overlap.detach().clamp(0, 1)
        surprise = functional.binary_cross_entropy_with_logits(
            codes[..., 4], quality, reduction="none"
        )
        onehot = functional.one_hot(label, self.outputs).to(codes)
        confusion = functional.binary_cross_entropy_with_logits(
            codes[..., 5:][positive], onehot, reduction="sum"
        )
        count = max(len(truth), len(codes))  # pictures without objects count for one
        missed = 1 - box.paired(boxes[positive], truth, "ciou")
        return {
            "box": BOX * missed.sum() / count,
            "objectness": surprise[matched != matching.UNJUDGED].sum() / count,
            "class": confusion / count,
        }


def _head(each: int, outputs: int, prior: float) -> nn.Sequential:
    """Return the layers that say (B, each · (5 + K), h, w) of a map of the pyramid."""
    last = _dense.start(nn.Conv2d(WIDTH, each * (5 + outputs), 1))
    with torch.no_grad():
        last.bias.view(each, -1)[:, 4] = _dense.logit(prior)  # type: ignore[union-attr]
    return nn.Sequential(separable(WIDTH, WIDTH), last)


def decoded(codes: Tensor, places: _dense.Places, spread: float) -> Tensor:
    """Return the boxes (B, M, 4) that codes (B, M, 4 or more) say."""
    b, m = codes.shape[:2]
    cells, sides = (part.expand(b, m, 2).reshape(-1, 2) for part in places[:2])  # (B·M, 2)
    strides = places.strides.expand(b, m).reshape(-1)
    flat = coding.from_offsets(codes[..., :4].reshape(-1, 4), cells, sides, strides, spread)
    return flat.reshape(b, m, 4)


# ── who answers for what ────────────────────────────────────────────────────────────────────────


def assigned(
    codes: Tensor, boxes: Tensor, truths: Tensor, labels: Tensor, places: _dense.Places
) -> Tensor:
    """Return matches (M,) of what is said, codes (M, 5 + K) and boxes (M, 4), with ``truths``.

    Anchors may answer that are near an object's centre and of about its shape; if none is of its
    shape, those of the nearest shape. SimOTA chooses among these.
    """
    may = fitting(truths, places) & matching.near_centre(
        places.points, truths, places.strides, NEAR
    )  # (T, M)
    some = may.any(0).nonzero()[:, 0]  # (S,), a few of M
    overlap = box.overlap(truths, boxes[some])  # (T, S)
    unsure = functional.softplus(-codes[some, 4])[None]
    wrong = functional.softplus(-codes[some, 5:]).T[labels]  # (T, S): minus log of the right score
    cost = (unsure + wrong) / 2 - OVERLAP * overlap.clamp(min=TINY).log()
    matches = torch.full_like(places.strides, matching.NEGATIVE, dtype=torch.int64)
    matches[some] = matching.simota(overlap, cost, may[:, some])
    return matches


def fitting(truths: Tensor, places: _dense.Places) -> Tensor:
    """Return (T, M), whether an anchor's sides are a box's but for ``FACTOR``, or the nearest."""
    wanted = (truths[:, 2:] - truths[:, :2])[:, None]  # (T, 1, 2)
    apart = (wanted / places.sides).log().abs().amax(2)  # (T, M)
    return apart <= apart.amin(1, keepdim=True).clamp(min=log(FACTOR))


def unjudged(matches: Tensor, places: _dense.Places, ignored: Tensor) -> Tensor:
    """Return matches (M,) in which background at the place of a box to ignore is unjudged."""
    there = matching.inside(places.points, ignored) | matching.near_centre(
        places.points, ignored, places.strides, NEAR
    )
    spared = there.any(0) & (matches == matching.NEGATIVE)
    return matches.masked_fill(spared, matching.UNJUDGED)
