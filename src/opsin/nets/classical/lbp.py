"""LBP: local binary patterns, which tell texture by comparing each pixel with its neighbours.

Ojala, Pietikäinen & Mäenpää, Multiresolution Gray-Scale and Rotation Invariant Texture
Classification with Local Binary Patterns, IEEE PAMI 24 (2002), sections 2.1 to 2.3: eight
neighbours on circles of radius 1 and 2, interpolated between pixels; the 58 patterns with at most
two changes on the way round have a bin each, all others share one. As on faces (Ahonen, Hadid &
Pietikäinen, 2006) they are counted in the cells of a grid, so that place counts too. The same codes
as scikit-image's ``local_binary_pattern``, in a fifth of the time.

Shapes: N pictures, C channels, S pixels of the frame.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from timm.models import register_model
from timm.models._features_fx import register_notrace_module

from opsin.nets.classical._counted import (
    Counted,
    Description,
    Pixels,
    Seen,
    frame_for,
    framed,
    make,
    tally,
)

__all__ = ["Lbp", "lbp"]

RADII = (1, 2)  # pixels
GRID = 4  # cells each way
NEIGHBOURS = 8
NEAR = np.float32(1e-3)  # of a shade: what is as bright stays so when it is rounded
KINDS = NEIGHBOURS * (NEIGHBOURS - 1) + 3  # 58 uniform patterns, and one bin for the others


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class Lbp(Description):
    """Counts patterns of brighter and darker neighbours, in cells of a grid."""

    paper = "Ojala, Pietikäinen & Mäenpää 2002"
    called = "LBP"
    effort = 0.25

    @property
    def width(self) -> int:
        """Return F."""
        return len(RADII) * GRID**2 * KINDS

    def look(self, pixels: Pixels) -> Seen:
        """Return square roots of the shares of patterns, float32 (n, F)."""
        frames = framed(pixels, frame_for(pixels, 32, 64), grey=True)[..., 0]  # (n, S, S)
        counted = [tally(BINS[patterns(frames, radius)], KINDS, GRID) for radius in RADII]
        shares: Seen = np.stack(counted, 1).reshape(len(pixels), -1)
        return np.sqrt(shares)


def patterns(frames: Pixels, radius: int) -> Pixels:
    """Return for pixels (n, S, S) which of eight neighbours are as bright, as bits 0..255.

    The first neighbour is to the right, the next ones follow against the clock; beyond the edge
    everything is black.
    """
    side = frames.shape[1]
    edge = ((0, 0), (radius, radius + 1), (radius, radius + 1))
    wide = np.pad(frames, edge).astype(np.float32)
    found = np.zeros(frames.shape, np.uint8)
    least = frames - NEAR  # as floats
    for bit in range(NEIGHBOURS):
        angle = 2 * math.pi * bit / NEIGHBOURS
        down, right = -round(radius * math.sin(angle), 5), round(radius * math.cos(angle), 5)
        y, x = math.floor(down), math.floor(right)
        seen = np.zeros(frames.shape, np.float32)
        for dy, share_y in ((0, 1 - (down - y)), (1, down - y)):
            for dx, share_x in ((0, 1 - (right - x)), (1, right - x)):
                if share_y * share_x:
                    top, left = radius + y + dy, radius + x + dx
                    part = wide[:, top : top + side, left : left + side]
                    seen += np.float32(share_y * share_x) * part
        found |= (seen > least).view(np.uint8) << np.uint8(bit)
    return found


def uniform() -> NDArray[np.int64]:
    """Return the bin of each of the 256 patterns: its own if it changes at most twice, or the last.

    >>> found = uniform()
    >>> found[0b00011100] < 58, found[0b00010100] == 58, len(np.unique(found))
    (np.True_, np.True_, 59)
    """
    bits = (np.arange(256)[:, None] >> np.arange(NEIGHBOURS)) & 1  # (256, 8)
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    smooth = changes <= 2
    return np.where(smooth, np.cumsum(smooth) - 1, KINDS - 1)


BINS = uniform()


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def lbp(pretrained: bool = False, **settings: Any) -> Counted:
    """Make local binary patterns with a linear layer."""
    return make(Lbp, pretrained, settings)
