"""Change the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Colour, Floats, Frame, amount

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, section 2.5.1


@dataclass(frozen=True, slots=True)
class Color(Colour):
    """Changes brightness, contrast and saturation, each by a factor in 1 - share .. 1 + share.

    Contrast stretches about mid-grey rather than about each picture's own mean, so that all three
    are one matrix; values may leave 0..1, which nets do not mind.

    >>> light = Color(0.0).matrices(np.random.default_rng(0), Frame(1, (8, 8), (8, 8)))
    >>> light[0, 0].round(9).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """

    share: float = amount("of the light", 0, 1)

    def matrices(self, random: np.random.Generator, frame: Frame) -> Floats:
        """Draw new lights, (n, 3, 4)."""
        factors = random.uniform(1 - self.share, 1 + self.share, (3, frame.n, 1, 1))
        bright, contrast, saturation = factors
        light = np.empty((frame.n, 3, 4))
        light[:, :, :3] = saturation * np.eye(3) + (1 - saturation) * LUMA  # rows sum to 1
        light[:, :, :3] *= bright * contrast
        light[:, :, 3:] = bright * (1 - contrast) / 2
        return light
