"""Mirror left and right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Floats, Frame, Geometry, amount, identities


@dataclass(frozen=True, slots=True)
class Flip(Geometry):
    """Mirrors left and right in a share of the pictures.

    >>> Flip(1.0).matrices(np.random.default_rng(0), Frame(1, (8, 8), (8, 8)))[0, 0].tolist()
    [-1.0, 0.0, 0.0]
    """

    chance: float = amount("of the pictures", 0, 1, 0.5)

    def matrices(self, random: np.random.Generator, frame: Frame) -> Floats:
        """Draw mirrors, (n, 3, 3)."""
        moves = identities(frame.n)
        moves[:, 0, 0] = np.where(random.random(frame.n) < self.chance, -1.0, 1.0)
        return moves
