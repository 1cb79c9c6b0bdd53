"""Regions that come from outside of the net: by a rule, in the picture itself.

Shapes: B pictures (B, C, h, w), normalised; targets (B, P, 6); R regions of a picture.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from opsin import proposals
from opsin.nets.detectors._detector import proposed

WAY = "selective"
MOST = 300  # regions of a picture: of 2,000 in the papers, what a processor has time for
KEPT = 256  # pictures whose regions are remembered: validation asks for the same each epoch


def regions(images: Tensor, targets: Tensor | None, most: int) -> list[Tensor]:
    """Return the regions of each picture: those in its targets, or, without, what is found now.

    Of the latter there are ``most`` (most, 4), rows of 0 at the end.
    """
    if targets is not None:
        return [proposed(rows) for rows in targets]
    return [_padded(found(image), most).to(images) for image in images]


def found(image: Tensor) -> Tensor:
    """Return what selective search finds in a picture (C, h, w) in any unit, best first.

    Its own darkest and lightest values become 0 and 255, as the rule wants bytes; grey is repeated.
    Of the pictures seen last it is remembered, as they are searched again after each epoch.
    """
    low, high = image.min(), image.max()
    bytes_ = ((image - low) / (high - low).clamp(min=1e-6) * 255).round().byte()
    rgb = bytes_[:1].expand(3, -1, -1) if len(bytes_) == 1 else bytes_
    height, width = rgb.shape[1:]
    return _searched(np.ascontiguousarray(rgb.cpu().numpy()).tobytes(), height, width)


@lru_cache(maxsize=KEPT)
def _searched(picture: bytes, height: int, width: int) -> Tensor:
    """Return what is found in the bytes of a picture (3, height, width)."""
    pixels = np.frombuffer(picture, np.uint8).reshape(3, height, width)
    return torch.from_numpy(proposals.propose(WAY, pixels).boxes[:MOST].copy())


def _padded(boxes: Tensor, most: int) -> Tensor:
    """Return ``most`` rows (most, 4): the boxes, and rows of 0."""
    return torch.cat([boxes[:most], boxes.new_zeros(max(0, most - len(boxes)), 4)])
