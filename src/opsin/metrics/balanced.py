"""Accuracy where every class counts the same, however rare it is."""

from __future__ import annotations

from opsin.figures import Metric
from opsin.metrics import wilson
from opsin.metrics.confusion import Classes, tally


def balanced_accuracy(truth: Classes, said: Classes, classes: int) -> Metric:
    """Return the mean recall over the classes that occur in truths, both (n,).

    The source is Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, 2010.

    >>> import numpy as np
    >>> print(balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), 2))
    0.500 (0.122–0.878, n=4)
    """
    true, _, both = tally(truth, said, classes)  # (K,)
    return wilson.average(both[true > 0], true[true > 0], len(truth))
