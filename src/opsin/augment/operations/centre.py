"""Bring the ink to the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from opsin.augment._operation import Frame, Geometry, identities
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Centre(Geometry):
    """Shifts each picture so that its centre of mass lies in the middle of the window.

    Mass is how far a pixel is from the colour of the border: ink on paper of any shade. Shifts are
    whole pixels, so that nothing is blurred; a picture without ink stays. Bends do not count.

    >>> str(Centre())
    'centre'
    """

    looks: ClassVar[bool] = True

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Return the shifts, (n, 3, 3)."""
        assert frame.mass is not None
        moves = identities(frame.n)
        moves[:, :2, 2] = -np.rint(frame.mass)
        return moves
