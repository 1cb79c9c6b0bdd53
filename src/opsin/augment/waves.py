"""Smooth displacements of the pixels of a window, as few waves: down @ amounts @ across.T.

A Gaussian-smoothed noise of 28 x 28 pixels has hardly a hundred degrees of freedom: its covariance
is that of rows times that of columns, and all but a ten-thousandth of each lies in the first few
of its eigenvectors. Drawing the amounts of these waves draws the same field as smoothing noise
does, at a tenth of the cost, and the sampling grid of a batch becomes two matrix products.

Shapes: n pictures; h, w of the window; k, l waves down and across.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.augment.lots import Floats, Lots

LOST = 1e-4  # of the variance, at most
REACH = 4.0  # sigmas at which a Gaussian is cut off


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """Holds displacements (x, y) in pixels: ``down`` (h, k), ``across`` (w, l), ``amounts``
    (n, 2, k, l)."""

    down: Floats
    across: Floats
    amounts: NDArray[np.float32]

    def __getitem__(self, chosen: Any) -> Waves:
        return Waves(self.down, self.across, self.amounts[chosen])

    def plus(self, other: Waves) -> Waves:
        """Return the sum of two displacements of the same pictures."""
        if self.down is other.down and self.across is other.across:
            return Waves(self.down, self.across, self.amounts + other.amounts)
        n, _, k, width = self.amounts.shape
        amounts = np.zeros((n, 2, k + other.amounts.shape[2], width + other.amounts.shape[3]))
        amounts[:, :, :k, :width] = self.amounts
        amounts[:, :, k:, width:] = other.amounts
        down = np.concatenate([self.down, other.down], axis=1)
        across = np.concatenate([self.across, other.across], axis=1)
        return Waves(down, across, amounts.astype(np.float32))

    def at(self, points: Floats) -> Floats:
        """Return the displacement at points of the window, (n, P, 2) x y -> (n, P, 2).

        Between the middles of pixels it is bilinear, beyond the outermost it stays.
        """
        down, across = _between(self.down, points[:, :, 1]), _between(self.across, points[:, :, 0])
        moved: Floats = np.einsum("npk,nckl,npl->npc", down, self.amounts, across, optimize=True)
        return moved


def drawn(lots: Lots, out: tuple[int, int], alpha: float, sigma: float) -> Waves:
    """Draw even noise in -1..1 smoothed by a Gaussian of ``sigma`` pixels, times ``alpha``.

    >>> from opsin.augment.lots import keys
    >>> drawn(Lots(keys((0,), range(5)), 0), (28, 28), 34, 4).amounts.shape
    (5, 2, 8, 8)
    """
    down, across = basis(out[0], sigma), basis(out[1], sigma)
    k, width = down.shape[1], across.shape[1]
    amounts = lots.normal(2 * k * width).reshape(-1, 2, k, width)
    return Waves(down, across, amounts * np.float32(alpha / np.sqrt(3)))  # even noise: a third


@lru_cache(maxsize=64)
def basis(length: int, sigma: float) -> Floats:
    """Return the waves along one axis, (length, k): basis @ basis.T is the covariance that white
    noise has after smoothing by a Gaussian of ``sigma`` pixels.

    >>> waves = basis(28, 4.0)
    >>> waves.shape[1], round(float((waves[0] ** 2).sum()) * 2 * np.pi**0.5 * 4, 3)
    (8, 1.0)
    """
    reach = int(np.ceil(REACH * sigma))
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    lags = np.zeros(max(length, 2 * reach + 1))
    lags[: 2 * reach + 1] = np.correlate(kernel, kernel, "full")[2 * reach :]
    apart = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    values, vectors = np.linalg.eigh(lags[apart])
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    kept = int(np.searchsorted(values.cumsum(), (1 - LOST) * values.sum())) + 1
    found: Floats = vectors[:, :kept] * np.sqrt(values[:kept])
    found *= np.sqrt(lags[0] / (found**2).sum(axis=1, keepdims=True))  # what was lost, given back
    found.flags.writeable = False
    return found


def _between(waves: Floats, place: Floats) -> Floats:
    """Return waves (length, k) at places (n, P) in pixels, (n, P, k)."""
    place = (place - 0.5).clip(0, len(waves) - 1)
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, len(waves) - 1)
    share = (place - before)[..., None]
    between: Floats = waves[before] * (1 - share) + waves[after] * share
    return between
