"""Accuracy where every class counts the same, however rare it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsin.metrics.confusion import Classes, tally


def balanced_accuracy(truth: Classes, said: Classes, classes: int) -> NDArray[np.float64]:
    """Return the mean recall over the classes that occur in truths (..., n), as (...).

    The source is Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, 2010.

    >>> round(float(balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), 2)), 2)
    0.5
    """
    true, _, both = tally(truth, said, classes)  # (..., K)
    recall = both / np.maximum(true, 1)
    return np.asarray(recall.sum(-1) / (true > 0).sum(-1), np.float64)
