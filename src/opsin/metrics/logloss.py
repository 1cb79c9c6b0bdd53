"""What the true class's probability costs: -log p.

Shapes: n samples, K classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = float(np.finfo(np.float64).eps)  # a probability of 0 costs 36, not infinity


def costs(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return -log of the true class's score for each sample, (n,), from scores (n, K).

    >>> costs(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0])).round(4).tolist()
    [0.6931, 0.0]
    """
    own = np.take_along_axis(scores, truth[:, None], axis=1)[:, 0]  # (n,)
    return np.asarray(np.abs(np.log(np.clip(own, LEAST, 1.0))), np.float64)


def log_loss(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of costs (..., n), as (...)."""
    return np.asarray(costs.mean(-1), np.float64)
