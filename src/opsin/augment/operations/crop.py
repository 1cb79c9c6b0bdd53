"""Look at another part of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Crop(Geometry):
    """Cuts the window from anywhere in the working picture instead of from its centre.

    >>> str(Crop())
    'crop'
    """

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw windows in whole pixels, (n, 3, 3)."""
        corner = np.array(frame.corner[::-1])  # (x, y)
        room = np.maximum(np.subtract(frame.working, frame.out)[::-1], 0)
        moves = identities(frame.n)
        moves[:, :2, 2] = corner - lots.integers(0, room, 2)
        return moves
