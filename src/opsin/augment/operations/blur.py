"""Put the picture out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from opsin.augment._operation import Frame, Pixels, amount
from opsin.augment.lots import Floats, Lots

if TYPE_CHECKING:
    from torch import Tensor

REACH = 3.0  # sigmas at which a Gaussian is cut off
SHARP = 1e-3  # pixels of sigma, below which nothing is blurred


@dataclass(frozen=True, slots=True)
class Blur(Pixels):
    """Blurs by a Gaussian whose sigma is drawn between 0 and ``sigma`` pixels for each picture.

    Outside of a picture its edge pixels go on.

    >>> str(Blur(1.5))
    'blur 1.5'
    """

    sigma: float = amount("pixels", 0, 50)

    def settle(self, lots: Lots, frame: Frame) -> Floats:
        """Draw the sigmas, (n, 1)."""
        return lots.uniform(0, self.sigma, 1)

    def change(self, seen: Tensor, numbers: Floats) -> Tensor:
        """Return blurred pictures (n, C, h, w): rows first, then columns."""
        import torch
        from torch.nn.functional import conv2d, pad

        n, channels, height, width = seen.shape
        reach = int(np.ceil(REACH * numbers.max(initial=0)))
        apart = np.arange(-reach, reach + 1)
        kernels = np.exp(-((apart / np.maximum(numbers, SHARP)) ** 2) / 2)
        kernels *= np.abs(apart) <= np.ceil(REACH * numbers)
        kernels /= kernels.sum(axis=1, keepdims=True)
        weights = torch.from_numpy(kernels.astype(np.float32)).to(seen.device)  # (n, 2 reach + 1)
        # Every picture is a group of its own, so that each has its own kernel.
        planes = seen.transpose(0, 1)  # (C, n, h, w)
        across = conv2d(
            pad(planes, (reach, reach, 0, 0), "replicate"), weights[:, None, None], groups=n
        )
        rows = pad(across, (0, 0, reach, reach), "replicate")
        blurred = conv2d(rows, weights[:, None, :, None], groups=n)
        return blurred.transpose(0, 1).reshape(n, channels, height, width)
