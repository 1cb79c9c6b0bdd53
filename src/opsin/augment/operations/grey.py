"""Take the colour away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Colour, Frame, amount, lights
from opsin.augment.light import saturated
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Grey(Colour):
    """Replaces colours by their luma in a share of the pictures.

    >>> str(Grey())
    'grey'
    """

    chance: float = amount("of the pictures", 0, 1, 0.1)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw which pictures lose their colour, (n, 3, 4)."""
        light = lights(frame.n)
        kept = np.where(lots.random() < self.chance, 0.0, 1.0)
        light[:, :, :3] = saturated(kept[:, None, None])
        return light
