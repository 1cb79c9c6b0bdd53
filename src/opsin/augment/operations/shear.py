"""Slant, as handwriting does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Shear(Geometry):
    """Slants uprights by an angle between -degrees and +degrees; rows stay level.

    >>> str(Shear(10))
    'shear 10'
    """

    degrees: float = amount("degrees", 0, 80, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw slants, (n, 3, 3)."""
        moves = identities(frame.n)
        moves[:, 0, 1] = np.tan(np.radians(lots.uniform(-self.degrees, self.degrees)))
        return moves
