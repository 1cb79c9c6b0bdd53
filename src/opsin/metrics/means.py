"""The mean of a few repetitions, such as the seeds of one setting."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric


def mean(values: NDArray[np.float64]) -> Metric:
    """Return the mean of values (n,) with Student's 95 % interval; one value has no interval.

    It holds if another repetition is drawn as these were, about normally. Student, The Probable
    Error of a Mean, 1908.

    >>> print(mean(np.array([0.991, 0.992, 0.993])))
    0.992 (0.990–0.994, n=3)
    """
    n, value = len(values), float(np.mean(values))
    half = margin(float(np.var(values, ddof=1)) / n, n - 1) if n > 1 else math.nan
    return Metric(value, value - half, value + half, n)


def deviation(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of values (n,) around their mean, n - 1 below; NaN for one.

    >>> round(deviation(np.array([1.0, 2.0, 4.0])), 4)
    1.5275
    """
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def margin(variance: float, freedom: float) -> float:
    """Return how far 95 % reaches to each side of a mean of this variance.

    >>> round(margin(1.0, 4), 4)
    2.7764
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975)) * math.sqrt(variance)
