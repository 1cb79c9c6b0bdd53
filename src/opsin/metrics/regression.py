"""How far numbers are off: of values and truths (..., n), each as (...)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mae(value: Floats, truth: Floats) -> Floats:
    """Return the mean absolute error, in the unit of the values.

    >>> float(mae(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    return np.asarray(np.abs(value - truth).mean(-1), np.float64)


def rmse(value: Floats, truth: Floats) -> Floats:
    """Return the root of the mean squared error, in the unit of the values.

    >>> round(float(rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))), 4)
    1.4142
    """
    return np.asarray(np.sqrt(np.square(value - truth).mean(-1)), np.float64)


def median_error(value: Floats, truth: Floats) -> Floats:
    """Return the median absolute error: half of the values are off by less.

    >>> float(median_error(np.array([1.0, 2.0, 9.0]), np.array([1.0, 4.0, 0.0])))
    2.0
    """
    return np.asarray(np.median(np.abs(value - truth), axis=-1), np.float64)


def r2(value: Floats, truth: Floats) -> Floats:
    """Return the share of the truths' variance that is explained; 0 for always saying their mean.

    Where all truths are equal it is 1 for a perfect answer and 0 otherwise, as in scikit-learn.

    >>> float(r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))) > 0.75
    True
    """
    missed = np.square(value - truth).sum(-1)
    spread = np.square(truth - truth.mean(-1, keepdims=True)).sum(-1)
    share = 1 - missed / np.where(spread > 0, spread, 1)
    return np.asarray(np.where(spread > 0, share, np.where(missed > 0, 0.0, 1.0)), np.float64)
