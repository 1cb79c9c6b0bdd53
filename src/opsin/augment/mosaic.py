"""Boxes that move with pictures.

Shapes: B pictures, P boxes each; targets (B, P, 6): x1 y1 x2 y2 class flag.
"""

from __future__ import annotations

import torch
from torch import Tensor

from opsin.augment.draw import Draw


def moved(draw: Draw, targets: Tensor) -> Tensor:
    """Return targets (B, P, 6) where they lie in what was drawn; what left has the class −1."""
    boxes, remain = draw.boxes(targets[..., :4])
    gone = ~remain[..., None]
    rest = targets[..., 4:]
    rest = torch.cat([rest[..., :1].masked_fill(gone, -1.0), rest[..., 1:]], dim=-1)
    return torch.cat([boxes, rest], dim=-1)
