"""Precision, recall and their harmonic mean F1, for each class and over all of them.

A share of nothing is 0, as in scikit-learn: a class that is never said has precision 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsin.metrics.confusion import Classes, tally


class Scores(NamedTuple):
    """Holds one number for each class, all (..., K); ``support`` counts how often it is true."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


def per_class(truth: Classes, said: Classes, classes: int) -> Scores:
    """Return precision, recall, F1 and support of classes in truths and answers (..., n).

    >>> per_class(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).precision.tolist()
    [1.0, 0.5]
    """
    true, answered, both = tally(truth, said, classes)
    f1 = 2 * both / np.maximum(true + answered, 1)
    return Scores(both / np.maximum(answered, 1), both / np.maximum(true, 1), f1, true)


def macro_f1(truth: Classes, said: Classes, classes: int) -> NDArray[np.float64]:
    """Return the mean F1 over classes that occur in truths or answers (..., n), as (...).

    It is the mean of F1 values, not the F1 of means (Opitz & Burst, Macro F1 and Macro F1, 2019).

    >>> round(float(macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)), 4)
    0.6667
    """
    true, answered, both = tally(truth, said, classes)
    f1 = 2 * both / np.maximum(true + answered, 1)
    return np.asarray(f1.sum(-1) / (true + answered > 0).sum(-1), np.float64)
