"""Make lighter or darker."""

from __future__ import annotations

from dataclasses import dataclass

from opsin.augment._operation import Colour, Frame, amount, lights
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Brightness(Colour):
    """Multiplies all colours by a factor in 1 - share .. 1 + share.

    >>> str(Brightness(0.3))
    'brightness 0.3'
    """

    share: float = amount("of the light", 0, 1, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw new lights, (n, 3, 4)."""
        factor = lots.uniform(1 - self.share, 1 + self.share)
        return lights(frame.n) * factor[:, None, None]
