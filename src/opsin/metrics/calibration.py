"""Whether 80 % sure means right in 80 of 100, and how to make it so.

The source is Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, 2017:
section 3 for the table and the error, 4.2 for the temperature.

Shapes: n samples on the last axis, K classes, M bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0


class Reliability(NamedTuple):
    """Holds for each bin, (..., M): mean confidence, share right and number of samples."""

    confidence: Floats
    accuracy: Floats
    samples: Floats


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> Reliability:
    """Sort answers (..., n) by confidence into ``bins`` of equal width; an empty bin is all 0.

    >>> table = reliability(np.array([0.9, 0.8, 0.3]), np.array([True, False, False]), bins=2)
    >>> table.accuracy.tolist(), table.samples.tolist()
    ([0.0, 0.5], [1.0, 2.0])
    """
    shape = (*confidence.shape[:-1], bins)
    many = int(np.prod(shape))
    places = np.arange(0, many, bins).reshape(*confidence.shape[:-1], 1)
    # Bin m holds (m / M, (m + 1) / M], as in the paper, and the first one 0 as well.
    cell = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1) + places
    count, sure, hits = (
        np.bincount(cell.ravel(), weights, many).reshape(shape)
        for weights in (None, confidence.ravel(), right.ravel())
    )
    least = np.maximum(count, 1)
    return Reliability(sure / least, hits / least, count.astype(np.float64))


def calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> Floats:
    """Return the expected calibration error of answers (..., n), as (...), in 0..1.

    >>> round(float(calibration_error(np.array([0.9, 0.9]), np.array([True, False]))), 4)
    0.4
    """
    sure, hits, count = reliability(confidence, right, bins)
    gaps = np.abs(sure - hits) * count
    return np.asarray(gaps.sum(-1) / confidence.shape[-1], np.float64)


def temperature(outputs: Floats, truth: NDArray[np.int64]) -> float:
    """Return the T in 0.05..20 that makes softmax(outputs / T) fit the truths (n,) best.

    Truths are softened to (n + 1) / (n + 2), as Platt did (Probabilistic Outputs for Support
    Vector Machines, 1999, 2.2), so that a few right answers do not claim certainty; a T that would
    not lower the plain negative log likelihood is given up for 1.

    >>> temperature(np.array([[4.0, 0.0]] * 3 + [[0.0, 4.0]]), np.array([0, 0, 1, 0])) > 1
    True
    """
    n, k = outputs.shape
    if n == 0 or k < 2:
        return 1.0
    logits = outputs - outputs.max(axis=1, keepdims=True)  # (n, K)
    own = np.take_along_axis(logits, truth[:, None], axis=1)[:, 0]  # (n,)
    rest = (logits.sum(axis=1) - own) / (k - 1)
    wanted = float(np.mean((own * (n + 1) + rest) / (n + 2)))

    def slope(sharpness: float) -> float:
        """Return the derivative of the loss by 1/T; the loss is convex in it, so this rises."""
        weights = np.exp(logits * sharpness)
        return float(np.mean((weights * logits).sum(axis=1) / weights.sum(axis=1))) - wanted

    cold, hot = np.log(1 / COLDEST), np.log(1 / HOTTEST)
    for _ in range(30):  # halves the bracket of log(1/T): 6 / 2^30
        middle = (cold + hot) / 2
        cold, hot = (middle, hot) if slope(float(np.exp(middle))) > 0 else (cold, middle)
    found = float(np.exp(-(cold + hot) / 2))
    return found if _likelihood(logits, own, found) < _likelihood(logits, own, 1.0) else 1.0


def _likelihood(logits: Floats, own: Floats, temperature: float) -> float:
    """Return the mean negative log likelihood of the true classes' logits ``own`` (n,)."""
    totals = np.log(np.exp(logits / temperature).sum(axis=1))
    return float(np.mean(totals - own / temperature))
