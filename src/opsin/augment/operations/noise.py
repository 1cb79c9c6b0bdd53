"""Add the grain of a sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from opsin.augment._operation import Frame, Pixels, amount
from opsin.augment.lots import Floats, Lots

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Noise(Pixels):
    """Adds normal noise to every number, its spread drawn between 0 and ``share`` a picture.

    Values may leave 0..1.

    >>> str(Noise(0.05))
    'noise 0.05'
    """

    share: float = amount("of the light", 0, 1)

    def settle(self, lots: Lots, frame: Frame) -> Floats:
        """Draw the spread of the noise and the number it starts from, (n, 2)."""
        return np.stack([lots.uniform(0, self.share), lots.random()], axis=1)

    def change(self, seen: Tensor, numbers: Floats) -> Tensor:
        """Return pictures (n, C, h, w) with noise."""
        import torch

        starts = (numbers[:, 1] * 2.0**53).astype(np.uint64)  # the 53 bits that were drawn
        for picture, spread, start in zip(seen, numbers[:, 0], starts, strict=True):
            grain = Lots(start[None], place=0).normal(picture.numel())
            picture.add_(torch.from_numpy(grain).to(seen.device).view(picture.shape), alpha=spread)
        return seen
