"""Erase a rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Cover, Frame, amount
from opsin.augment.lots import Ints, Lots

AREA = (0.02, 0.4)  # of the window
ASPECT = (0.3, 1 / 0.3)  # height over width


@dataclass(frozen=True, slots=True)
class Erase(Cover):
    """Erases, in a share of the pictures, a rectangle of 2 to 40 % of the area, of any place.

    From Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, section 3.2, with their areas
    and aspects; filled with the mean colour (their RE-M) as everything that is hidden. Aspects are
    even on a logarithmic axis, and a rectangle longer than the window is cut to it.

    >>> str(Erase())
    'erase'
    """

    chance: float = amount("of the pictures", 0, 1, 0.5)

    def holes(self, lots: Lots, frame: Frame) -> Ints:
        """Draw rectangles x1 y1 x2 y2, (n, 4); of no size where nothing is erased."""
        size = np.array(frame.out[::-1])  # (x, y)
        area = lots.uniform(*AREA) * size.prod()
        aspect = np.exp(lots.uniform(*np.log(ASPECT)))
        sides = np.stack([np.sqrt(area / aspect), np.sqrt(area * aspect)], axis=1)
        sides = np.clip(sides.round().astype(np.int64), 1, size)
        sides[lots.random() >= self.chance] = 0
        first = np.floor(lots.random(2) * (size - sides + 1)).astype(np.int64)
        return np.concatenate([first, first + sides], axis=1)
