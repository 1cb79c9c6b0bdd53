"""Make colours stronger or paler."""

from __future__ import annotations

from dataclasses import dataclass

from opsin.augment._operation import Colour, Frame, amount, lights
from opsin.augment.light import saturated
from opsin.augment.lots import Floats, Lots


@dataclass(frozen=True, slots=True)
class Saturation(Colour):
    """Moves colours from the grey of their own luma by a factor in 1 - share .. 1 + share.

    As torchvision and Pillow define it: f · colour + (1 - f) · luma, in each pixel.

    >>> str(Saturation(0.3))
    'saturation 0.3'
    """

    share: float = amount("of the colour", 0, 1, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw new colours, (n, 3, 4)."""
        light = lights(frame.n)
        light[:, :, :3] = saturated(lots.uniform(1 - self.share, 1 + self.share)[:, None, None])
        return light
