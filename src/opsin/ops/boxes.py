"""Boxes: how they are written, moved and cut, and how much two of them share.

A box is x1 y1 x2 y2 in pixels; edges are continuous: a picture W wide reaches from 0 to W, and a
box is x2 − x1 wide, with nothing added. What torchvision keeps is called, not written again.

The IoU family, each a number of at most 1, which only equal boxes reach:
    IoU   intersection / union, the Jaccard index
    GIoU  IoU − (hull − union) / hull; Rezatofighi et al., Generalized Intersection over Union, 2019
    DIoU  IoU − (distance of centres / diagonal of the hull)²; Zheng et al., Distance-IoU Loss, 2020
    CIoU  DIoU − αv, v how much the aspects differ; the same paper, equations 7 to 11

Shapes: boxes (N, 4) and (M, 4); sizes are (height, width).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torchvision import ops

Format = Literal["xyxy", "xywh", "cxcywh"]
Kind = Literal["iou", "giou", "diou", "ciou"]

_PAIRWISE = {
    "giou": ops.generalized_box_iou,
    "diou": ops.distance_box_iou,
    "ciou": ops.complete_box_iou,
}
_LOSSES = {
    "giou": ops.generalized_box_iou_loss,
    "diou": ops.distance_box_iou_loss,
    "ciou": ops.complete_box_iou_loss,
}


# ── how boxes are written ───────────────────────────────────────────────────────────────────────


def convert(boxes: Tensor, source: Format, target: Format) -> Tensor:
    """Return boxes (N, 4) of one format in another.

    "xywh" is the corner, width and height (COCO); "cxcywh" the centre, width and height (YOLO).

    >>> convert(torch.tensor([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "cxcywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    converted: Tensor = ops.box_convert(boxes, source, target)
    return converted


def scale(boxes: Tensor, before: tuple[float, float], after: tuple[float, float]) -> Tensor:
    """Return boxes (N, 4) as they lie once a picture is stretched from one size to another.

    >>> scale(torch.tensor([[10.0, 20.0, 30.0, 60.0]]), (100, 200), (50, 400)).tolist()
    [[20.0, 10.0, 60.0, 30.0]]
    """
    down, across = after[0] / before[0], after[1] / before[1]
    return boxes * boxes.new_tensor([across, down, across, down])


def clip(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes (N, 4) cut at the edges of a picture of ``size``.

    >>> clip(torch.tensor([[-5.0, 20.0, 30.0, 60.0]]), (50, 200)).tolist()
    [[0.0, 20.0, 30.0, 50.0]]
    """
    high, wide = size
    return boxes.clamp(min=0).minimum(boxes.new_tensor([wide, high, wide, high]))


def area(boxes: Tensor) -> Tensor:
    """Return areas (N,) in square pixels.

    >>> area(torch.tensor([[10.0, 20.0, 30.0, 60.0]])).tolist()
    [800.0]
    """
    areas: Tensor = ops.box_area(boxes)
    return areas


def centres(boxes: Tensor) -> Tensor:
    """Return the points (N, 2), x and y, in the middle of boxes.

    >>> centres(torch.tensor([[10.0, 20.0, 30.0, 60.0]])).tolist()
    [[20.0, 40.0]]
    """
    return (boxes[..., :2] + boxes[..., 2:]) / 2


# ── how much two share ──────────────────────────────────────────────────────────────────────────


def overlap(a: Tensor, b: Tensor, kind: Kind = "iou") -> Tensor:
    """Return (N, M), the IoU or one of its family of each box of ``a`` with each of ``b``.

    What is undefined, as the IoU of two boxes without area, is 0.

    >>> a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    >>> b = torch.tensor([[1.0, 0.0, 3.0, 2.0], [4.0, 0.0, 6.0, 2.0]])
    >>> for kind in ("iou", "giou", "diou", "ciou"):
    ...     print([round(x, 4) for x in overlap(a, b, kind)[0].tolist()])
    [0.3333, 0.0]
    [0.3333, -0.3333]
    [0.2564, -0.4]
    [0.2564, -0.4]
    """
    found: Tensor = ops.box_iou(a, b) if kind == "iou" else _PAIRWISE[kind](a, b)
    return found.nan_to_num(nan=0.0)


def paired(a: Tensor, b: Tensor, kind: Kind = "iou") -> Tensor:
    """Return (N,), the IoU or one of its family of each box of ``a`` with its own of ``b``.

    Losses are 1 minus this: gradients flow to both, but not through the α of CIoU, as in the paper.

    >>> a, b = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]])
    >>> round(float(paired(a, b, "diou")), 4)
    0.2564
    """
    if kind != "iou":
        loss: Tensor = _LOSSES[kind](a, b)
        return 1 - loss
    shared = _shared(a, b)
    return shared / (area(a) + area(b) - shared).clamp(min=torch.finfo(a.dtype).tiny)


def covered(a: Tensor, b: Tensor) -> Tensor:
    """Return (N, M), what share of each box of ``a`` lies in each of ``b``: intersection / area.

    This is how COCO judges what lies in a crowd (pycocotools, ``bbIou``).

    >>> a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    >>> covered(a, torch.tensor([[1.0, 0.0, 9.0, 9.0]])).tolist()
    [[0.5]]
    """
    shared = _shared(a[:, None], b[None])  # (N, M)
    return shared / area(a)[:, None].clamp(min=torch.finfo(a.dtype).tiny)


def _shared(a: Tensor, b: Tensor) -> Tensor:
    """Return the areas that boxes (..., 4) have in common, broadcast."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    return (high - low).clamp(min=0).prod(dim=-1)
