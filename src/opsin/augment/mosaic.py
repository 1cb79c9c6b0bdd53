"""Boxes that move with pictures, and pictures laid four to a frame.

Shapes: B pictures (B, C, h, w), P boxes each; targets (B, P, 6): x1 y1 x2 y2 class flag. The class
−1 is padding; below that are boxes that are only proposed, which move as all others do.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from opsin.augment.draw import Draw
from opsin.augment.mixing import _stream

PADDING = -1.0
LEAST = 0.1  # share of a box that must be visible, as in ``Draw.boxes``
NEAR, FAR = 0.25, 0.75  # share of the sides between which the four pictures meet


def moved(draw: Draw, targets: Tensor) -> Tensor:
    """Return targets (B, P, 6) where they lie in what was drawn; what left has the class −1.

    Boxes follow the ellipses in them: what is learnt from boxes round turned corners is too large.
    """
    boxes, remain = draw.boxes(targets[..., :4], outline="ellipse")
    gone = ~remain[..., None]
    rest = targets[..., 4:]
    rest = torch.cat([rest[..., :1].masked_fill(gone, PADDING), rest[..., 1:]], dim=-1)
    return torch.cat([boxes, rest], dim=-1)


def mosaic(
    images: Tensor, targets: Tensor, seed: tuple[int, ...], share: float
) -> tuple[Tensor, Tensor]:
    """Return images of which a ``share`` show four pictures, halved, and the targets (B, Q, 6).

    The four, the picture itself and the next three of a drawn order, meet at a point drawn for
    each from the middle of the frame; what hangs over is cut, what stays bare is 0. Boxes move
    along and are cut; one of which less than a tenth is visible becomes padding. From Bochkovskiy
    et al., "YOLOv4", 2020, section 3.3.

    >>> images, targets = mosaic(torch.ones(4, 3, 8, 8), torch.zeros(4, 2, 6), (0,), 1.0)
    >>> tuple(images.shape), targets.shape[1] <= 8
    ((4, 3, 8, 8), True)
    """
    random = _stream(seed, 3)
    n, (height, width) = len(images), images.shape[2:]
    chosen = np.flatnonzero(random.random(n) < share).tolist()
    order = random.permutation(n)
    place = np.argsort(order)  # where each picture is in that order
    middles = random.uniform(NEAR, FAR, (n, 2)) * (width, height)  # x, y
    small = functional.interpolate(images, (max(1, height // 2), max(1, width // 2)), mode="area")
    found = images.clone()
    laid = [targets[at] for at in range(n)]
    for at in chosen:
        four = order[(place[at] + np.arange(4)) % n].tolist()
        x, y = (int(value) for value in middles[at].round())
        found[at] = 0
        laid[at] = torch.cat(
            [_lay(small[one], targets[one], found[at], k, (x, y)) for k, one in enumerate(four)]
        )
    return found, _padded(laid)


def _lay(small: Tensor, boxes: Tensor, frame: Tensor, corner: int, at: tuple[int, int]) -> Tensor:
    """Lay a halved picture into one corner of a frame (C, h, w) at ``at``; return its boxes (P, 6).

    Corners are counted as one reads: upper left, upper right, lower left, lower right.
    """
    (high, wide), (height, width) = small.shape[1:], frame.shape[1:]
    left = at[0] if corner % 2 else at[0] - wide
    top = at[1] if corner >= 2 else at[1] - high
    x1, y1, x2, y2 = max(0, left), max(0, top), min(width, left + wide), min(height, top + high)
    frame[:, y1:y2, x1:x2] = small[:, y1 - top : y2 - top, x1 - left : x2 - left]
    scale = boxes.new_tensor([wide / width, high / height] * 2)
    whole = boxes[:, :4] * scale + boxes.new_tensor([left, top] * 2)
    low, most = boxes.new_tensor([x1, y1] * 2), boxes.new_tensor([x2, y2] * 2)
    cut = torch.minimum(torch.maximum(whole, low), most)
    visible = _area(cut) >= LEAST * _area(whole).clamp(min=1e-9)
    kinds = boxes[:, 4].masked_fill(~visible, PADDING)
    return torch.cat([cut, kinds[:, None], boxes[:, 5:]], dim=1)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)


def _padded(laid: list[Tensor]) -> Tensor:
    """Return targets (B, Q, 6) of what is no padding in each of (P, 6), padded at the end."""
    kept = [boxes[boxes[:, 4] != PADDING] for boxes in laid]
    made = laid[0].new_zeros(len(laid), max(1, *map(len, kept)), 6)
    made[..., 4] = PADDING
    for row, boxes in zip(made, kept, strict=True):
        row[: len(boxes)] = boxes
    return made
