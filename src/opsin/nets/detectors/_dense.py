"""What detectors share that answer at every place of their maps, in one stage.

Shapes: B pictures (B, C, h, w); A anchors at each of the places of all maps, M together, map after
map and in each as ``ops.anchors.grid`` lays them; T true boxes of a picture; K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from opsin.errors import WeightsError
from opsin.nets._build import colours, on_meta
from opsin.nets._cut import levels
from opsin.nets.detectors._detector import CLASS, FLAG
from opsin.nets.detectors._trunk import Trunk
from opsin.ops import anchors as anchor

PRIOR = 0.01  # Lin et al., Focal Loss (RetinaNet), 2017, section 4.1: nearly all is background
ROWS = 3  # of a map at least, and columns: on fewer most places are a border
SMALL = 128  # pixels: pictures below this side are always seen at their own size
STEP = 32  # pixels between the sides that pictures are seen at
SPREAD = 0.25  # by which share sides may differ from the usual one


# ── what they stand on ──────────────────────────────────────────────────────────────────────────


def trunk(net: nn.Module, wanted: Sequence[int], size: tuple[int, int]) -> Trunk:
    """Cut ``net`` at those of the ``wanted`` strides that it has and whose maps have rows enough.

    Raises ``WeightsError`` where there is none of them.
    """
    having = {level.stride for level in levels(net, size)}
    chosen = [s for s in wanted if s in having and min(size) >= ROWS * s]
    if not chosen:
        side = ROWS * min(having.intersection(wanted), default=0)
        raise WeightsError(
            f"{type(net).__name__} of strides {sorted(having)} for {size[0]} x {size[1]} pixels",
            expected=f"a map of {ROWS} rows or more, of a stride among {sorted(wanted)}",
            remedy=f"Give larger pictures (--size {side})."
            if side
            else "Give a --backbone that halves as often, such as mobilenet_v2 or resnet18.",
        )
    return Trunk(net, chosen, size)


def start(layer: nn.Conv2d, bias: float = 0.0) -> nn.Conv2d:
    """Return the last layer of a head, begun so that it says nearly the same everywhere."""
    nn.init.normal_(layer.weight, std=0.01)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, bias)
    return layer


def logit(share: float) -> float:
    """Return the number whose sigmoid is ``share``.

    >>> round(logit(0.01), 3)
    -4.595
    """
    return log(share / (1 - share))


def rows(maps: Sequence[Tensor], numbers: int) -> Tensor:
    """Return what heads say, (B, A·numbers, h, w) each, as (B, M, numbers), in float32.

    >>> rows([torch.zeros(2, 3 * 5, 4, 4), torch.zeros(2, 3 * 5, 2, 2)], 5).shape
    torch.Size([2, 60, 5])
    """
    said = [m.permute(0, 2, 3, 1).reshape(m.shape[0], -1, numbers) for m in maps]
    return torch.cat(said, 1).float()  # (B, M, numbers)


# ── where they look ─────────────────────────────────────────────────────────────────────────────


class Places(NamedTuple):
    """Holds for each of M anchors its place on its map (M, 2), sides (M, 2) and stride (M,).

    Places are columns and rows; sides are in pixels.
    """

    cells: Tensor
    sides: Tensor
    strides: Tensor

    @property
    def points(self) -> Tensor:
        """Return the middles (M, 2) of the cells, in pixels."""
        return (self.cells + 0.5) * self.strides[:, None]

    @property
    def boxes(self) -> Tensor:
        """Return the anchors themselves (M, 4)."""
        return torch.cat([self.points - self.sides / 2, self.points + self.sides / 2], 1)


def places(maps: Sequence[Tensor], sides: Sequence[Tensor], strides: Sequence[int]) -> Places:
    """Lay anchors of ``sides`` (A, 2), of each level, over all places of the maps (B, C, h, w).

    >>> found = places([torch.zeros(1, 8, 1, 2)], [torch.tensor([[4.0, 6.0]])], [8])
    >>> found.points.tolist(), found.boxes[1].tolist()
    ([[4.0, 4.0], [12.0, 4.0]], [10.0, 1.0, 14.0, 7.0])
    """
    parts = []
    for m, own, stride in zip(maps, sides, strides, strict=True):
        h, w = (int(side) for side in m.shape[-2:])
        cells = anchor.points((h, w), 1, 0.0).to(own)  # (h·w, 2)
        each = cells.repeat_interleave(len(own), 0)  # (h·w·A, 2)
        parts.append((each, own.repeat(h * w, 1), own.new_full((len(each),), stride)))
    cells, wide, strides_ = (torch.cat(part) for part in zip(*parts, strict=True))
    return Places(cells, wide, strides_)


def shapes_of(targets: Tensor, k: int, seed: int) -> Tensor | None:
    """Return ``k`` widths and heights (k, 2) of the objects of all targets (N, P, 6), by k-means.

    They are sorted by area. Where objects have too few different sides, some a quarter larger and
    smaller stand in. None where there are no objects.
    """
    found = targets[(targets[..., CLASS] >= 0) & (targets[..., FLAG] == 0)]
    sides = (found[:, 2:4] - found[:, :2]).double().cpu().numpy()
    sides = sides[(sides > 0).all(axis=1)]
    if not len(sides):
        return None
    while len(np.unique(sides, axis=0)) < k:
        sides = np.concatenate([sides * 0.8, sides, sides * 1.25])
    return torch.from_numpy(anchor.clusters(sides, k, seed).shapes).float()


# ── what they learn from ────────────────────────────────────────────────────────────────────────


def real(targets: Tensor) -> Tensor:
    """Return targets (N, P, 6) in which boxes without width or height are padding."""
    flat = (targets[..., 2:4] <= targets[..., :2]).any(-1)
    kept = targets.clone()
    kept[..., CLASS] = targets[..., CLASS].masked_fill(flat, -1)
    return kept


def sizes(trunk: Trunk, size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the sizes (h, w) near ``size`` that pictures are seen at while a detector learns.

    ``size`` itself, whatever it is, is one of them: that is what the detector will be asked at. It
    is the only one where it is small, or where the net takes no other.

    >>> from opsin.nets import build
    >>> sizes(trunk(build("resnet18", outputs=1), [32], (256, 256)), (256, 256))
    [(192, 192), (224, 224), (256, 256), (288, 288), (320, 320)]
    """
    least = min(size)
    if least < SMALL:
        return [size]
    lowest, highest = ceil(least * (1 - SPREAD) / STEP), floor(least * (1 + SPREAD) / STEP)
    shares = [STEP * step / least for step in range(lowest, highest + 1)]
    near = {(round(size[0] * s / STEP) * STEP, round(size[1] * s / STEP) * STEP) for s in shares}
    try:
        on_meta(trunk, colours(trunk), min(near))
    except (RuntimeError, AssertionError, ValueError):  # takes this one size only
        return [size]
    return sorted(near | {size})


def resized(
    images: Tensor, targets: Tensor, choices: Sequence[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Return pictures (B, C, h, w) and targets (B, P, 6) at a size drawn from ``choices``.

    Redmon & Farhadi, YOLO9000, 2017, section 2, "Multi-Scale Training".
    """
    before = images.shape[-2:]
    size = choices[int(torch.randint(len(choices), ()))]
    if len(choices) == 1 or tuple(before) == size:
        return images, targets
    seen = functional.interpolate(images, size=size, mode="bilinear", align_corners=False)
    moved = targets.clone()
    scale = targets.new_tensor([size[1] / before[1], size[0] / before[0]]).repeat(2)
    moved[..., :4] = targets[..., :4] * scale
    return seen, moved
