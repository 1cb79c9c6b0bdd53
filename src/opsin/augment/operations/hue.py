"""Turn the colour wheel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Colour, Frame, amount, lights
from opsin.augment.light import YIQ
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Hue(Colour):
    """Turns hues by an angle between -degrees and +degrees, luma and saturation kept.

    The turn is about the grey axis of YIQ (FCC 1953), a matrix, where the hue of HSV bends.

    >>> str(Hue(20))
    'hue 20'
    """

    degrees: float = amount("degrees", 0, 180, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw turns of the wheel, (n, 3, 4)."""
        angle = np.radians(lots.uniform(-self.degrees, self.degrees))
        turn = np.tile(np.eye(3), (frame.n, 1, 1))
        turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
        turn[:, 2, 1] = np.sin(angle)
        turn[:, 1, 2] = -turn[:, 2, 1]
        light = lights(frame.n)
        light[:, :, :3] = np.linalg.inv(YIQ) @ turn @ YIQ
        return light
