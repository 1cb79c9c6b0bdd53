"""Where to look: a small net that says for each anchor whether it holds an object, and moves it.

Ren, He, Girshick & Sun, Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
Networks, 2015, section 3.1. Its anchors are found among the user's boxes, as in YOLO9000, so that
there is nothing to set.

Shapes: maps (B, W, h, w) of one width W; A anchors at each place, M of all maps; T true boxes of a
picture; R proposals.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import objects
from opsin.nets.detectors._pyramid import Pyramid, separable
from opsin.nets.detectors._regions import WIDTH, Staged
from opsin.nets.detectors._trunk import Trunk
from opsin.ops import anchors as anchor
from opsin.ops import boxes as box
from opsin.ops import coding, matching, sampling, suppress

EACH = 3  # anchors at a place
LOW, HIGH = 0.3, 0.7  # IoU below which an anchor is background, from which on it is an object
DRAWN, SHARE = 256, 0.5  # anchors of a picture that count in a step, and how many hold an object
LOOKED_AT = 1000  # anchors, the likeliest of a picture, that suppress each other
OVERLAP = 0.7  # IoU above which of two proposals one is enough
LEAST = 1.0  # pixels: the smaller side of a proposal


class Proposing(Staged):
    """Is a detector of two stages whose regions come from a net of its own, on a light pyramid."""

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs, size)
        self.pyramid = Pyramid(backbone.channels, WIDTH)
        self.proposer = Proposer(WIDTH, backbone.strides)

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


class Proposer(nn.Module):
    """Proposes regions on maps of ``strides``; ``anchors`` (levels · A, 2) go from small to large.

    >>> proposer = Proposer(8, (8, 16))
    >>> found = proposer([torch.zeros(2, 8, 4, 4), torch.zeros(2, 8, 2, 2)], (32, 32), 10)
    >>> [tuple(boxes.shape) for boxes in found.boxes]
    [(10, 4), (10, 4)]
    """

    anchors: Tensor

    def __init__(self, width: int, strides: Sequence[int]) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.seen = separable(width, width)
        self.says = _dense.start(nn.Conv2d(width, EACH * 5, 1))
        with torch.no_grad():
            bias = self.says.bias
            assert bias is not None
            bias.view(EACH, 5)[:, 4] = _dense.logit(_dense.PRIOR)
        usual = [anchor.shapes([4 * s], (0.5, 1.0, 2.0)) for s in strides]
        self.register_buffer("anchors", torch.cat(usual))

    def ready(self, targets: Tensor, seed: int) -> None:
        """Choose the anchors by the objects of all targets (N, P, 6)."""
        found = _dense.shapes_of(targets, len(self.anchors), seed)
        if found is not None:
            self.anchors.copy_(found)

    def forward(self, maps: Sequence[Tensor], size: tuple[int, int], most: int) -> Proposed:
        """Return the ``most`` likeliest regions of each picture of ``size``, and what was said."""
        said = [self.says(self.seen(m)) for m in maps]
        places = _dense.places(said, self.anchors.chunk(len(maps)), self.strides)
        rows = _dense.rows(said, 5)  # (B, M, 5): codes of a box, and the logit of an object
        found = [regions(own.detach(), places.boxes, size, most) for own in rows]
        return Proposed(found, rows, places.boxes)


class Proposed:
    """Holds regions (R, 4) of each picture, what was said (B, M, 5), and of which anchors."""

    def __init__(self, boxes: list[Tensor], said: Tensor, anchors: Tensor) -> None:
        self.boxes, self.said, self.anchors = boxes, said, anchors

    def terms(self, targets: Tensor) -> dict[str, Tensor]:
        """Return what was wrong with what was said, for targets (B, P, 6).

        Of each picture the same number of anchors counts, objects and background balanced
        (section 3.1.3); boxes learn where there is an object.
        """
        surprise, off = self.said.new_zeros(()), self.said.new_zeros(())
        for own, rows in zip(self.said, targets, strict=True):
            truths, _, ignored = objects(rows)
            matches = assigned(self.anchors, truths, ignored)
            key = int(torch.randint(2**31, ()))
            positive, negative = sampling.balanced(matches, DRAWN, SHARE, key)
            chosen = torch.cat([positive, negative])
            wanted = (matches[chosen] >= 0).to(own)
            surprise = surprise + functional.binary_cross_entropy_with_logits(
                own[chosen, 4], wanted, reduction="sum"
            ) / max(1, len(chosen))
            codes = coding.to_deltas(truths[matches[positive]], self.anchors[positive])
            off = off + functional.smooth_l1_loss(
                own[positive, :4], codes, beta=1 / 9, reduction="sum"
            ) / max(1, len(chosen))
        n = len(self.said)
        return {"proposals": surprise / n, "proposal boxes": off / n}


def assigned(anchors: Tensor, truths: Tensor, ignored: Tensor) -> Tensor:
    """Return matches (M,) of anchors with truths (section 3.1.2); each truth has its best anchor.

    What an object to ignore (I, 4) would match, and what lies in it, is unjudged.

    >>> anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 4], [50, 50, 60, 60]])
    >>> assigned(anchors, torch.tensor([[0.0, 0, 10, 9]]), torch.zeros(0, 4)).tolist()
    [0, -2, -1]
    """
    overlap = box.overlap(torch.cat([truths, ignored]), anchors)  # (T + I, M)
    own = matching.by_iou(overlap, LOW, HIGH, force="best")
    judged = own.masked_fill(own >= len(truths), matching.UNJUDGED)
    return matching.spare(judged, anchors, ignored)


def regions(said: Tensor, anchors: Tensor, size: tuple[int, int], most: int) -> Tensor:
    """Return ``most`` regions (most, 4) of one picture, likeliest first; rows of 0 fill up.

    What lies beyond the picture, or is narrower than a pixel, is no region: as nothing overlaps it,
    suppression would leave it in the place of others.
    """
    likeliest = said[:, 4].topk(min(LOOKED_AT, len(said))).indices
    boxes = box.clip(coding.from_deltas(said[likeliest, :4], anchors[likeliest]), size)
    wide = (boxes[:, 2:] - boxes[:, :2] >= LEAST).all(1)
    boxes, likeliest = boxes[wide], likeliest[wide]
    kept = suppress.nms(boxes, said[likeliest, 4], OVERLAP, most=most)
    found = boxes.new_zeros(most, 4)
    found[: len(kept)] = boxes[kept]
    return found
