"""Colour histogram: which colours a picture has and how much of each, wherever they are.

Swain & Ballard, Color Indexing, International Journal of Computer Vision 7 (1991), section 3.1:
opponent axes rg = R - G, by = 2B - R - G, wb = R + G + B in 16 × 16 × 8 bins. Their intersection of
histograms compares the smaller shares; inner products of the square roots of shares (Hellinger's
kernel) do so within what is linear.

Shapes: N pictures, C channels, S pixels of the frame.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from timm.models import register_model
from timm.models._features_fx import register_notrace_module

from opsin.nets.classical._counted import Counted, Description, Pixels, Seen, framed, make, tally

__all__ = ["ColourHistogram", "colour_histogram"]

SIDE = 64
BINS = (16, 16, 8)  # of rg, by and wb
GREYS = 64


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class ColourHistogram(Description):
    """Counts colours, or shades of grey where there is no colour."""

    paper = "Swain & Ballard 1991"
    called = "colour histogram"
    effort = 0.07

    @property
    def width(self) -> int:
        """Return F."""
        return math.prod(BINS) if self.channels == 3 else GREYS

    def look(self, pixels: Pixels) -> Seen:
        """Return square roots of the shares of colours, (n, F)."""
        frames = framed(pixels, SIDE).astype(np.int64)  # (n, S, S, C)
        codes = opponent(frames) if frames.shape[3] == 3 else frames[..., 0] * GREYS // 256
        shares: Seen = tally(codes, self.width, 1).reshape(len(pixels), -1)
        return np.sqrt(shares)


def opponent(frames: Any) -> Any:
    """Return the bin of each pixel of pictures (n, S, S, 3), values 0..255, as (n, S, S).

    >>> opponent(np.array([[[[0, 0, 0], [255, 255, 255]]]])).tolist()
    [[[952, 959]]]
    """
    red, green, blue = (frames[..., channel] for channel in range(3))
    rg = (red - green + 255) * BINS[0] // 511
    by = (2 * blue - red - green + 510) * BINS[1] // 1021
    wb = (red + green + blue) * BINS[2] // 766
    return (rg * BINS[1] + by) * BINS[2] + wb


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def colour_histogram(pretrained: bool = False, **settings: Any) -> Counted:
    """Make a colour histogram with a linear layer."""
    return make(ColourHistogram, pretrained, settings)
