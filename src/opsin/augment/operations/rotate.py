"""Turn about the centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Rotate(Geometry):
    """Turns by an angle drawn evenly between -degrees and +degrees; positive is clockwise.

    >>> str(Rotate(15))
    'rotate 15'
    """

    degrees: float = amount("degrees", 0, 180, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw turns, (n, 3, 3)."""
        angle = np.radians(lots.uniform(-self.degrees, self.degrees))
        moves = identities(frame.n)
        moves[:, 0, 0] = moves[:, 1, 1] = np.cos(angle)
        moves[:, 1, 0] = np.sin(angle)
        moves[:, 0, 1] = -moves[:, 1, 0]
        return moves
