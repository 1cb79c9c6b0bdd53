"""Bend, as a hand that trembles does."""

from __future__ import annotations

from dataclasses import dataclass

from opsin.augment import waves
from opsin.augment._operation import Bent, Frame, amount
from opsin.augment.lots import Lots


@dataclass(frozen=True, slots=True)
class Elastic(Bent):
    """Moves each pixel by even noise in -1..1, smoothed by a Gaussian and multiplied by ``alpha``.

    ``sigma`` is the spread of the Gaussian in pixels of the window; a pixel moves by about
    0.163 · alpha / sigma pixels on each axis. From Simard, Steinkraus and Platt, "Best Practices
    for Convolutional Neural Networks Applied to Visual Document Analysis", 2003, section 2; their
    digits have alpha 34 and sigma 4.

    >>> str(Elastic(34, 4))
    'elastic 34 4'
    """

    alpha: float = amount("pixels", 0, 2000, still=0)
    sigma: float = amount("pixels", 1, 100)

    def bend(self, lots: Lots, frame: Frame) -> waves.Waves:
        """Draw displacements as waves."""
        return waves.drawn(lots, frame.out, self.alpha, self.sigma)
