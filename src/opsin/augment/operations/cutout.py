"""Hide a square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Cover, Frame, amount
from opsin.augment.lots import Ints, Lots


@dataclass(frozen=True, slots=True)
class Cutout(Cover):
    """Hides a square whose side is ``share`` of the shorter side, centred anywhere.

    What hangs over the edge is cut off, as in DeVries and Taylor, "Improved Regularization of
    Convolutional Neural Networks with Cutout", 2017, section 3.2.

    >>> str(Cutout(0.5))
    'cutout 0.5'
    """

    share: float = amount("of the side", 0, 1)

    def holes(self, lots: Lots, frame: Frame) -> Ints:
        """Draw squares x1 y1 x2 y2, (n, 4)."""
        size = np.array(frame.out[::-1])  # (x, y)
        side = round(self.share * size.min())
        first = lots.integers(0, size - 1, 2) - side // 2
        return np.concatenate([first.clip(0), (first + side).clip(0, size)], axis=1)
