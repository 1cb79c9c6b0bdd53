"""Make larger or smaller."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities, in_order
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Scale(Geometry):
    """Enlarges about the centre by a factor between ``least`` and ``most``, both sides alike.

    Factors are even on a logarithmic axis: halving is as frequent as doubling.

    >>> str(Scale(0.8, 1.25))
    'scale 0.8 1.25'
    """

    least: float = amount("times the size", 0.1, 10, still=1)
    most: float = amount("times the size", 0.1, 10, still=1)

    def __post_init__(self) -> None:
        in_order(self, self.least, self.most)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw enlargements, (n, 3, 3)."""
        factor = np.exp(lots.uniform(np.log(self.least), np.log(self.most)))
        moves = identities(frame.n)
        moves[:, 0, 0] = moves[:, 1, 1] = factor
        return moves
