"""How a net says a box: as numbers near 0, relative to an anchor, a cell or a point.

Each pair ``to_…`` and ``from_…`` are exact inverses, as far as the numbers stay in range.

    deltas     Girshick et al., Rich Feature Hierarchies (R-CNN), 2014, appendix C; with variances,
               SSD's (Liu et al., 2016, equation 2; 0.1 and 0.2 in its code)
    offsets    Redmon & Farhadi, YOLO9000, 2017, section 2, "Direct location prediction"
    distances  Tian et al., FCOS, 2019, section 3.1

Shapes: boxes, anchors and codes (N, 4), points (N, 2), all matched row by row.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from opsin.ops import boxes as box

Weights = tuple[float, float, float, float]

PLAIN: Weights = (1.0, 1.0, 1.0, 1.0)  # proposals
REGIONS: Weights = (10.0, 10.0, 5.0, 5.0)  # Fast R-CNN's, whose deltas are divided by 0.1 and 0.2
LARGEST = log(1000 / 16)  # of a logarithm of sides: a stride of 16 makes at most 1,000 pixels
EDGE = 1e-6  # how near to 0 and 1 a place in a cell may come: sigmoids do not reach them


def weights(variances: tuple[float, float] = (0.1, 0.2)) -> Weights:
    """Return the weights of deltas that SSD's variances, of centres and of sides, stand for.

    >>> weights()
    (10.0, 10.0, 5.0, 5.0)
    """
    centre, side = 1 / variances[0], 1 / variances[1]
    return centre, centre, side, side


# ── deltas ──────────────────────────────────────────────────────────────────────────────────────


def to_deltas(boxes: Tensor, anchors: Tensor, weights: Weights = PLAIN) -> Tensor:
    """Return (N, 4): how far centres lie apart in anchors' sides, and logarithms of sides.

    >>> anchor = torch.tensor([[0.0, 0.0, 10.0, 20.0]])
    >>> to_deltas(torch.tensor([[2.0, 0.0, 12.0, 20.0]]), anchor, REGIONS).tolist()
    [[2.0, 0.0, 0.0, 0.0]]
    """
    wanted, given = (box.convert(b, "xyxy", "cxcywh") for b in (boxes, anchors))
    moved = (wanted[:, :2] - given[:, :2]) / given[:, 2:]
    grown = (wanted[:, 2:] / given[:, 2:]).log()
    return torch.cat([moved, grown], dim=1) * moved.new_tensor(weights)


def from_deltas(codes: Tensor, anchors: Tensor, weights: Weights = PLAIN) -> Tensor:
    """Return the boxes (N, 4) that codes (N, 4) say of anchors; sides grow by at most 1000 / 16.

    >>> anchor = torch.tensor([[0.0, 0.0, 10.0, 20.0]])
    >>> from_deltas(torch.tensor([[2.0, 0.0, 0.0, 0.0]]), anchor, REGIONS).tolist()
    [[2.0, 0.0, 12.0, 20.0]]
    """
    given = box.convert(anchors, "xyxy", "cxcywh")
    plain = codes / codes.new_tensor(weights)
    middle = given[:, :2] + plain[:, :2] * given[:, 2:]
    sides = given[:, 2:] * plain[:, 2:].clamp(max=LARGEST).exp()
    return torch.cat([middle - sides / 2, middle + sides / 2], dim=1)


# ── offsets in cells ────────────────────────────────────────────────────────────────────────────


def from_offsets(
    codes: Tensor, cells: Tensor, priors: Tensor, stride: Tensor | float, spread: float = 1.0
) -> Tensor:
    """Return the boxes (N, 4) that codes say of cells (N, 2), column and row, and priors (N, 2).

    The centre lies at σ(t) in its cell of ``stride`` pixels, the sides are the prior's times e^t. A
    ``spread`` above 1 lets centres reach the cell's edges, and beyond (Bochkovskiy et al., YOLOv4,
    2020, section 3.4, "Eliminate grid sensitivity").

    >>> from_offsets(torch.zeros(1, 4), torch.tensor([[2.0, 1.0]]), torch.tensor([[10.0, 30.0]]),
    ...              16).tolist()
    [[35.0, 9.0, 45.0, 39.0]]
    """
    within = codes[:, :2].sigmoid() * spread - (spread - 1) / 2
    middle = (cells + within) * _column(stride)
    sides = priors * codes[:, 2:].clamp(max=LARGEST).exp()
    return torch.cat([middle - sides / 2, middle + sides / 2], dim=1)


def to_offsets(
    boxes: Tensor, cells: Tensor, priors: Tensor, stride: Tensor | float, spread: float = 1.0
) -> Tensor:
    """Return the codes (N, 4) of boxes whose centres lie in their cells.

    >>> to_offsets(torch.tensor([[35.0, 9.0, 45.0, 39.0]]), torch.tensor([[2.0, 1.0]]),
    ...            torch.tensor([[10.0, 30.0]]), 16).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """
    wanted = box.convert(boxes, "xyxy", "cxcywh")
    within = wanted[:, :2] / _column(stride) - cells
    share = (within + (spread - 1) / 2) / spread
    return torch.cat([share.logit(EDGE), (wanted[:, 2:] / priors).log()], dim=1)


def _column(stride: Tensor | float) -> Tensor | float:
    """Return strides (N,) as (N, 1), and a number as it is."""
    return stride[:, None] if isinstance(stride, Tensor) else stride


# ── distances to the sides ──────────────────────────────────────────────────────────────────────


def to_distances(boxes: Tensor, points: Tensor, stride: Tensor | float = 1.0) -> Tensor:
    """Return (N, 4): how far left, top, right and bottom are from points, in strides.

    >>> to_distances(torch.tensor([[0.0, 0.0, 30.0, 20.0]]), torch.tensor([[10.0, 5.0]])).tolist()
    [[10.0, 5.0, 20.0, 15.0]]
    """
    return torch.cat([points - boxes[:, :2], boxes[:, 2:] - points], dim=1) / _column(stride)


def from_distances(codes: Tensor, points: Tensor, stride: Tensor | float = 1.0) -> Tensor:
    """Return the boxes (N, 4) whose sides lie so many strides from points (N, 2).

    >>> codes = torch.tensor([[10.0, 5.0, 20.0, 15.0]])
    >>> from_distances(codes, torch.tensor([[10.0, 5.0]])).tolist()
    [[0.0, 0.0, 30.0, 20.0]]
    """
    far = codes * _column(stride)
    return torch.cat([points - far[:, :2], points + far[:, 2:]], dim=1)
