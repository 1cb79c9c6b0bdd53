"""What regions hold: which of them to learn from, and how they become candidates.

Girshick, Fast R-CNN, 2015, section 2.3. A region's box is corrected alike for every class: as R-FCN
showed, nothing is lost by it (Dai et al., 2016, section 2), and one object may be of any class.

Shapes: B pictures; n regions of a picture, R of all; T true boxes; K classes, the last of K + 1 is
background.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.nets.detectors import _dense
from opsin.nets.detectors._detector import Detector, objects
from opsin.nets.detectors._pyramid import pointwise, separable
from opsin.nets.detectors._trunk import Trunk
from opsin.ops import boxes as box
from opsin.ops import coding, matching, sampling
from opsin.ops.regions import pooled

ENOUGH = 0.5  # IoU from which on a region holds an object
SHARE = 0.25  # of the regions learnt from may hold one
STRIDES = (8, 16, 32)  # of the maps regions are looked for on
WIDTH = 96  # channels of the map regions are pooled from
CELLS = (7, 7)  # of a pooled region


class Sampled(NamedTuple):
    """Holds the regions of a picture that are learnt from (n, 4), their classes (n,) and boxes."""

    regions: Tensor
    classes: Tensor
    truths: Tensor  # (p, 4), of the first p regions, which hold an object


def sampled(regions: Tensor, targets: Tensor, outputs: int, count: int) -> Sampled:
    """Return ``count`` of the regions (R, 4) of a picture with targets (P, 6), or fewer.

    The true boxes themselves are among them. A region in what is to be ignored is left out.
    """
    truths, labels, ignored = objects(targets)
    real = (regions[:, 2:] > regions[:, :2]).all(1)
    every = torch.cat([truths, regions[real]])
    matches = matching.by_iou(box.overlap(truths, every), ENOUGH, ENOUGH)
    matches = matching.spare(matches, every, ignored)
    key = int(torch.randint(2**31, ()))
    positive, negative = sampling.balanced(matches, count, SHARE, key)
    own = matches[positive]
    nothing = labels.new_full((len(negative),), outputs)
    chosen = every[torch.cat([positive, negative])]
    return Sampled(chosen, torch.cat([labels[own], nothing]), truths[own])


class Staged(Detector):
    """Is a detector of two stages: regions are proposed, then each is looked at.

    Who is one says how to ``look`` at a picture, what to ``propose`` and how to ``judge`` regions.
    Sorting and suppression decide what is looked at: no runtime takes that over.
    """

    counted = True
    learnt_from = 64  # regions of a picture in a step
    asked = 100  # regions of a picture that become candidates

    def __init__(self, backbone: Trunk, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(backbone, outputs)
        self.sizes = _dense.sizes(backbone, size)

    @abstractmethod
    def look(self, images: Tensor) -> list[Tensor]:
        """Return what is seen of pictures (B, C, h, w) as a whole."""

    @abstractmethod
    def propose(
        self, images: Tensor, seen: list[Tensor], targets: Tensor | None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return regions of each picture, rows of 0 to fill up, and terms if it learns."""

    @abstractmethod
    def judge(
        self, images: Tensor, seen: list[Tensor], regions: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return logits (R, K + 1) and codes of boxes (R, 4) of the regions of all pictures."""

    def forward(self, images: Tensor, targets: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """Return candidates (B, M, 4 + K), or with ``targets`` what is yet to learn."""
        if targets is not None:
            images, targets = _dense.resized(images, _dense.real(targets), self.sizes)
        seen = self.look(images)
        regions, terms = self.propose(images, seen, targets)
        if targets is None:
            return self._candidates(images, seen, regions)
        chosen = [
            sampled(own, rows, self.outputs, self.learnt_from)
            for own, rows in zip(regions, targets, strict=True)
        ]
        logits, codes = self.judge(images, seen, [one.regions for one in chosen])
        return terms | _terms(logits.float(), codes.float(), chosen)

    def _candidates(self, images: Tensor, seen: list[Tensor], regions: list[Tensor]) -> Tensor:
        """Return what regions, as many in each picture, turn out to be: (B, M, 4 + K)."""
        b, m = len(regions), len(regions[0])
        logits, codes = self.judge(images, seen, regions)
        shares = logits.float().softmax(1)[:, : self.outputs]  # (B·M, K)
        every = torch.cat(regions)
        real = (every[:, 2:] > every[:, :2]).all(1, keepdim=True)
        boxes = coding.from_deltas(codes.float(), every, coding.REGIONS)
        h, w = images.shape[-2:]
        found = torch.cat([box.clip(boxes, (h, w)), shares], 1) * real
        return found.reshape(b, m, 4 + self.outputs)


def _terms(logits: Tensor, codes: Tensor, chosen: Sequence[Sampled]) -> dict[str, Tensor]:
    """Return cross-entropy of the classes, and smooth L1 of the boxes, over all regions."""
    classes = torch.cat([one.classes for one in chosen])  # (R,)
    background = logits.shape[1] - 1
    holds = classes < background
    every = torch.cat([one.regions for one in chosen])
    truths = torch.cat([one.truths for one in chosen])
    wanted = coding.to_deltas(truths, every[holds], coding.REGIONS)
    off = functional.smooth_l1_loss(codes[holds], wanted, reduction="sum")
    count = max(1, len(classes))
    confusion = functional.cross_entropy(logits, classes, reduction="sum")
    return {"classes": confusion / count, "boxes": off / count}


def sure(outputs: int) -> float:
    """Return the logit of background, beside 0 for each class, that fits what is drawn.

    >>> logits = torch.tensor([0.0, 0.0, 0.0, sure(3)])
    >>> [round(share, 3) for share in logits.softmax(0).tolist()]
    [0.083, 0.083, 0.083, 0.75]
    """
    return log(outputs * (1 - SHARE) / SHARE)


class Merged(nn.Module):
    """Makes one map of maps of ``channels``, at the stride of the finest: coarse ones enlarged.

    >>> maps = [torch.zeros(2, 8, 10, 10), torch.zeros(2, 16, 5, 5)]
    >>> Merged([8, 16], 32)(maps).shape
    torch.Size([2, 32, 10, 10])
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([pointwise(each, width) for each in channels])
        self.after = separable(width, width)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the map (B, width, h, w)."""
        seen = [layer(m) for layer, m in zip(self.lateral, maps, strict=True)]
        size = seen[0].shape[-2:]
        larger = [functional.interpolate(m, size=size, mode="nearest") for m in seen[1:]]
        merged: Tensor = self.after(sum(larger, seen[0]))
        return merged


class Pooling(nn.Module):
    """Pools regions from a map of a stride, and lets a head say what they hold.

    >>> said = Pooling(8, 3)(torch.zeros(1, 8, 6, 6), [torch.tensor([[0.0, 0, 16, 16]])], 8)
    >>> [tuple(part.shape) for part in said]
    [(1, 4), (1, 4)]
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.head = Head(width * CELLS[0] * CELLS[1], outputs)

    def forward(
        self, maps: Tensor, regions: Sequence[Tensor], stride: int
    ) -> tuple[Tensor, Tensor]:
        """Return logits (R, K + 1) and codes (R, 4) of regions on maps (B, W, h, w)."""
        logits, codes = self.head(pooled(maps.float(), regions, CELLS, stride=stride))
        return logits, codes


class Head(nn.Module):
    """Says what pooled regions (R, F) hold: logits (R, K + 1) and codes (R, 4)."""

    def __init__(self, features: int, outputs: int, width: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width))
        self.classes, self.boxes = nn.Linear(width, outputs + 1), nn.Linear(width, 4)
        for layer, spread in ((self.classes, 0.01), (self.boxes, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.classes.bias[-1] = sure(outputs)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and codes."""
        found = functional.relu(self.layers(pooled.flatten(1)))
        return self.classes(found), self.boxes(found)
