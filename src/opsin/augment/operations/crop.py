"""Look at another part of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Floats, Frame, Geometry, identities


@dataclass(frozen=True, slots=True)
class Crop(Geometry):
    """Cuts the window from anywhere in the working picture instead of from its centre.

    >>> move = Crop().matrices(np.random.default_rng(0), Frame(1, (9, 9), (8, 8)))
    >>> bool((np.abs(move[0, :2, 2]) <= 1).all())
    True
    """

    def matrices(self, random: np.random.Generator, frame: Frame) -> Floats:
        """Draw windows in whole pixels, (n, 3, 3)."""
        corner = np.array(frame.corner[::-1])  # (x, y)
        room = np.maximum(np.subtract(frame.working, frame.out)[::-1], 0)
        moves = identities(frame.n)
        moves[:, :2, 2] = corner - random.integers(0, room, (frame.n, 2), endpoint=True)
        return moves
