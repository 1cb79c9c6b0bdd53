"""How often the answer is right, or among the k best.

Shapes: n samples, K classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics import wilson


def accuracy(truth: NDArray[np.int64], said: NDArray[np.int64]) -> Metric:
    """Return the share of samples, both (n,), whose class was said.

    >>> print(accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1])))
    0.750 (0.301–0.954, n=4)
    """
    return wilson.proportion(truth == said)


def top(k: int, scores: NDArray[np.float64], truth: NDArray[np.int64]) -> Metric:
    """Return the share of samples whose class is among the ``k`` best of scores (n, K).

    >>> print(top(2, np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]]), np.array([1, 2])))
    0.500 (0.095–0.905, n=2)
    """
    return wilson.proportion(ranks(scores, truth) < k)


def ranks(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many classes stand before the true one, (n,); of equals the first in order wins.

    >>> ranks(np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]), np.array([2, 1]))
    array([2, 1])
    """
    own = np.take_along_axis(scores, truth[:, None], axis=1)  # (n, 1)
    before = np.arange(scores.shape[1]) < truth[:, None]  # (n, K)
    return np.asarray(((scores > own) | ((scores == own) & before)).sum(axis=1), np.int64)
