"""Hide a square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Cover, Frame, Ints, amount


@dataclass(frozen=True, slots=True)
class Cutout(Cover):
    """Hides a square whose side is ``share`` of the shorter side, centred anywhere.

    What hangs over the edge is cut off, as in DeVries and Taylor, "Improved Regularization of
    Convolutional Neural Networks with Cutout", 2017, section 3.2.

    >>> Cutout(0.5).holes(np.random.default_rng(0), Frame(3, (8, 8), (8, 8))).shape
    (3, 4)
    """

    share: float = amount("of the side", 0, 1)

    def holes(self, random: np.random.Generator, frame: Frame) -> Ints:
        """Draw squares x1 y1 x2 y2, (n, 4)."""
        size = np.array(frame.out[::-1])  # (x, y)
        side = round(self.share * size.min())
        first = random.integers(0, size, (frame.n, 2)) - side // 2
        return np.concatenate([first.clip(0), (first + side).clip(0, size)], axis=1)
