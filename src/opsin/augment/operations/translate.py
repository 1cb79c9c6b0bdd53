"""Shift sideways and up or down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Translate(Geometry):
    """Shifts by up to ``share`` of the height and of the width, evenly to all sides.

    Shifts are whole pixels: nothing is blurred, and where nothing else moves nothing is sampled.

    >>> str(Translate(0.1))
    'translate 0.1'
    """

    share: float = amount("of the side", 0, 1, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw shifts, (n, 3, 3)."""
        most = self.share * np.array(frame.out[::-1])  # (x, y)
        moves = identities(frame.n)
        moves[:, :2, 2] = np.rint(lots.uniform(-most, most, 2))
        return moves
