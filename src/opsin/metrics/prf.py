"""Precision, recall and their harmonic mean F1, for each class and over all of them.

A share of nothing is 0, as in scikit-learn: a class that is never said has precision 0.

Shapes: n samples, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics import wilson
from opsin.metrics.confusion import Classes, tally


class Scores(NamedTuple):
    """Holds one number for each class, all (K,); ``support`` counts how often it is true."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


def per_class(truth: Classes, said: Classes, classes: int) -> Scores:
    """Return precision, recall, F1 and support of classes in truths and answers, both (n,).

    >>> per_class(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).precision.tolist()
    [1.0, 0.5]
    """
    true, answered, both = tally(truth, said, classes)
    f1 = 2 * both / np.maximum(true + answered, 1)
    return Scores(both / np.maximum(answered, 1), both / np.maximum(true, 1), f1, true)


def macro_f1(truth: Classes, said: Classes, classes: int) -> Metric:
    """Return the mean F1 over classes that occur in truths or answers, both (n,).

    It is the mean of F1 values, not the F1 of means (Opitz & Burst, Macro F1 and Macro F1, 2019).
    A class's F1 is the share of hits among the mean of how often it is true and how often it is
    said. As a proportion of so many samples it varies twice as much as it does; but each mistake
    counts against two classes, so that their mean varies as if it did not.

    >>> print(macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1]), 2))
    0.667 (0.208–0.939, n=3)
    """
    true, answered, both = tally(truth, said, classes)  # (K,)
    usual = (true + answered) / 2
    return wilson.average(both[usual > 0], usual[usual > 0], len(truth))
