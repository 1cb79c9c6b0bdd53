"""Stretch or squeeze the light about its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsin.augment._operation import Colour, Frame, amount, lights
from opsin.augment.light import LUMA
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Contrast(Colour):
    """Moves colours from the mean grey of their picture by a factor in 1 - share .. 1 + share.

    As torchvision and Pillow define it: f · colour + (1 - f) · m, where m is the mean luma of the
    whole picture. It looks at the pictures; ``color`` stretches about mid-grey and does not.

    >>> str(Contrast(0.3))
    'contrast 0.3'
    """

    looks: ClassVar[bool] = True
    share: float = amount("of the contrast", 0, 1, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw new contrasts, (n, 3, 4)."""
        assert frame.light is not None
        factor = lots.uniform(1 - self.share, 1 + self.share)
        light = lights(frame.n) * factor[:, None, None]
        light[:, :, 3] = ((1 - factor) * (frame.light @ LUMA))[:, None]
        return light
