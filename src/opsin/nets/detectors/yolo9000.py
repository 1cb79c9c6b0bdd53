"""YOLO as in its second paper: one map, five anchors, squared errors.

Redmon & Farhadi, YOLO9000: Better, Faster, Stronger, 2017, section 2: the cell in which an object's
centre lies answers for it, with the anchor that is most like it. Errors are squared as in the first
paper (Redmon et al., You Only Look Once, 2016, equation 3): of centres in their cells, logarithms
of sides, objectness, which is to be the IoU, and classes. Background counts less, and not at all
where a box meets some object at an IoU above 0.6. What finer maps see comes by the pyramid, in
place of the paper's passthrough.

Shapes: B pictures, M = h·w·5 candidates of a picture; T true boxes; K classes; codes (B, M, 5 + K).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import objects
from opsin.nets.detectors.yolo import STRIDES, Yolo, unjudged
from opsin.ops import boxes as box
from opsin.ops import coding, matching

SEEN, UNSEEN = 5.0, 1.0  # weights of objectness where there is an object, and where there is none
MET = 0.6  # IoU above which a box that answers for nothing is not to blame


def build(net: nn.Module, *, outputs: int, size: tuple[int, int]) -> Yolo9000:
    """Return a YOLO of 2017 of ``outputs`` classes on ``net``, for pictures of (h, w)."""
    return Yolo9000(_dense.trunk(net, STRIDES, size), outputs, size)


class Yolo9000(Yolo):
    """Finds objects by five anchors at each place of the coarsest map.

    >>> from opsin.nets import build
    >>> net = build("yolo9000 on resnet18", outputs=4, size=(64, 96)).eval()
    >>> net(torch.zeros(2, 3, 64, 96)).shape  # 5 anchors at 4 x 6 places
    torch.Size([2, 120, 8])
    """

    levels: ClassVar[int] = 1
    ratios: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0, 4.0)
    spread: ClassVar[float] = 1.0
    prior: ClassVar[float] = 0.5

    def scores(self, codes: Tensor) -> Tensor:
        """Return how sure codes (B, M, 5 + K) are of each class (B, M, K), of which one is true."""
        return codes[..., 4:5].sigmoid() * codes[..., 5:].softmax(2)

    def terms(
        self, codes: Tensor, boxes: Tensor, places: _dense.Places, targets: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the loss of codes (B, M, 5 + K) that say ``boxes`` (B, M, 4)."""
        parts = [self.picture(*each, places) for each in zip(targets, codes, boxes, strict=True)]
        summed = torch.stack(parts).mean(0)
        return dict(zip(("box", "objectness", "class"), summed, strict=True))

    def picture(self, rows: Tensor, codes: Tensor, boxes: Tensor, places: _dense.Places) -> Tensor:
        """Return the three terms (3,) of one picture: targets (P, 6), codes (M, 5 + K)."""
        truths, labels, ignored = objects(rows)
        own = by_shape(truths, places)
        mine, sure = own >= 0, codes[:, 4].sigmoid()
        truth = truths[own[mine]]
        met = box.overlap(truths, boxes.detach()) > MET  # (T, M)
        blamed = (unjudged(own, places, ignored) == matching.NEGATIVE) & ~met.any(0)
        wanted = coding.to_offsets(
            truth, places.cells[mine], places.sides[mine], places.strides[mine]
        )
        middle = codes[mine, :2].sigmoid() - wanted[:, :2].sigmoid()
        sides = codes[mine, 2:4] - wanted[:, 2:]
        better = sure[mine] - box.paired(boxes[mine], truth).detach()
        onehot = nn.functional.one_hot(labels[own[mine]], self.outputs).to(codes)
        return torch.stack(
            [
                middle.square().sum() + sides.square().sum(),
                SEEN * better.square().sum() + UNSEEN * sure[blamed].square().sum(),
                (codes[mine, 5:].softmax(1) - onehot).square().sum(),
            ]
        )


def by_shape(truths: Tensor, places: _dense.Places) -> Tensor:
    """Return matches (M,): in the cell of its centre the anchor most like it answers for a box.

    Of several boxes in one cell and of one shape the last counts.
    """
    matches = torch.full_like(places.strides, matching.NEGATIVE, dtype=torch.int64)
    middles = box.centres(truths)
    for index, (x, y) in enumerate(zip(*middles.T, strict=True)):
        column, row = (torch.stack([x, y]) / places.strides[0]).floor()
        here = ((places.cells[:, 0] == column) & (places.cells[:, 1] == row)).nonzero()[:, 0]
        if len(here):
            sides = places.sides[here]
            own = truths[index, 2:] - truths[index, :2]
            alike = box.overlap(_cornered(own[None]), _cornered(sides))[0]
            matches[here[alike.argmax()]] = index
    return matches


def _cornered(sides: Tensor) -> Tensor:
    """Return boxes (N, 4) of these widths and heights (N, 2), all at one corner."""
    return torch.cat([torch.zeros_like(sides), sides], 1)
