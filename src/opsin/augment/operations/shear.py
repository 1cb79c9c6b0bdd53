"""Slant, as handwriting does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Floats, Frame, Geometry, amount, identities


@dataclass(frozen=True, slots=True)
class Shear(Geometry):
    """Slants uprights by an angle between -degrees and +degrees; rows stay level.

    >>> str(Shear(10))
    'shear 10'
    """

    degrees: float = amount("degrees", 0, 80)

    def matrices(self, random: np.random.Generator, frame: Frame) -> Floats:
        """Draw slants, (n, 3, 3)."""
        moves = identities(frame.n)
        moves[:, 0, 1] = np.tan(np.radians(random.uniform(-self.degrees, self.degrees, frame.n)))
        return moves
