"""Regions that come from outside of the net: by a rule, in the picture itself.

The rule looks at a smaller picture: raccoons at 320 pixels were overlapped by the best of 300
regions with an IoU of 0.84 on average, searched at 200 pixels with 0.85, in a third of the time
(0.85 and 0.29 s, one core of a Zen 4, n = 40 pictures to learn from).

Shapes: B pictures (B, C, h, w), normalised; targets (B, P, 6); R regions of a picture.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin import proposals
from opsin.nets.detectors._detector import proposed
from opsin.nets.detectors._regions import Staged

WAY = "selective"
MOST = 300  # regions of a picture: of 2,000 in the papers, what a processor has time for
SIDE = 0.625  # of a picture's longer side is that of the one searched: 200 of 320 pixels
LEAST = 64  # pixels below which nothing is shrunk further
KEPT = 256  # pictures whose regions are remembered: validation asks for the same each epoch


class Given(Staged):
    """Is a detector of two stages whose regions are those of selective search.

    It remembers them, of as many pictures as ``KEPT``, until it is told to ``forget``.
    """

    proposals: ClassVar[str | None] = WAY

    def forget(self) -> None:
        """Let go of the regions of all pictures: who asks again waits until they are found."""
        _searched.cache_clear()

    def propose(
        self, images: Tensor, seen: list[Tensor], targets: Tensor | None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the regions among the targets, or search for them."""
        del seen
        return regions(images, targets, self.asked), {}


def regions(images: Tensor, targets: Tensor | None, most: int) -> list[Tensor]:
    """Return the regions of each picture: those in its targets, or, without, what is found now.

    Of the latter there are ``most`` (most, 4), rows of 0 at the end.
    """
    if targets is not None:
        return [proposed(rows) for rows in targets]
    return [_padded(found(image), most).to(images) for image in images]


def found(image: Tensor) -> Tensor:
    """Return what selective search finds in a picture (C, h, w) in any unit, best first.

    Its own darkest and lightest values become 0 and 255, as the rule wants bytes.
    """
    low, high = image.min(), image.max()
    bytes_ = ((image - low) / (high - low).clamp(min=1e-6) * 255).round().byte()
    return searched(bytes_.cpu().numpy(), WAY)


def searched(picture: NDArray[np.uint8], way: str) -> Tensor:
    """Return up to ``MOST`` regions (R, 4) of a picture (C, h, w) in bytes, as RGB.

    Of the pictures seen last they are remembered.
    """
    height, width = picture.shape[1:]
    rgb = np.broadcast_to(picture[:1], (3, height, width)) if len(picture) == 1 else picture[:3]
    return _searched(np.ascontiguousarray(rgb).tobytes(), height, width, way)


@lru_cache(maxsize=KEPT)
def _searched(picture: bytes, height: int, width: int, way: str) -> Tensor:
    """Return what is found in the bytes of a picture (3, height, width)."""
    pixels = np.frombuffer(picture, np.uint8).reshape(3, height, width)
    shrunk = {"side": max(LEAST, round(SIDE * max(height, width)))}
    return torch.from_numpy(proposals.propose(way, pixels, shrunk).boxes[:MOST].copy())


def _padded(boxes: Tensor, most: int) -> Tensor:
    """Return ``most`` rows (most, 4): the boxes, and rows of 0."""
    return torch.cat([boxes[:most], boxes.new_zeros(max(0, most - len(boxes)), 4)])
