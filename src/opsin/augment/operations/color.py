"""Change the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Colour, Frame, amount
from opsin.augment.light import saturated
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Color(Colour):
    """Changes brightness, contrast and saturation, each by a factor in 1 - share .. 1 + share.

    Contrast stretches about mid-grey rather than about each picture's own mean, so that nothing
    has to be looked at; values may leave 0..1, which nets do not mind.

    >>> str(Color(0.2))
    'color 0.2'
    """

    share: float = amount("of the light", 0, 1, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw new lights, (n, 3, 4)."""
        factors = lots.uniform(1 - self.share, 1 + self.share, 3)
        bright, contrast, saturation = factors.T[:, :, None, None]
        light = np.empty((frame.n, 3, 4))
        light[:, :, :3] = bright * contrast * saturated(saturation)
        light[:, :, 3:] = bright * (1 - contrast) / 2
        return light
