"""Mirror left and right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Flip(Geometry):
    """Mirrors left and right in a share of the pictures.

    >>> str(Flip(0.2))
    'flip 0.2'
    """

    chance: float = amount("of the pictures", 0, 1, 0.5)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw mirrors, (n, 3, 3)."""
        moves = identities(frame.n)
        moves[:, 0, 0] = np.where(lots.random() < self.chance, -1.0, 1.0)
        return moves
