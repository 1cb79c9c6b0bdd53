"""Which class was taken for which.

Shapes: n samples, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.int64]


def confusion(truth: Classes, said: Classes, classes: int) -> NDArray[np.int64]:
    """Count truths (rows) against answers (columns), both (n,), into (K, K).

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(truth * classes + said, minlength=classes * classes)
    return np.asarray(cells.reshape(classes, classes), np.int64)


class Tally(NamedTuple):
    """Counts for each class, (K,): how often it was true, said, and both at once."""

    true: NDArray[np.int64]
    said: NDArray[np.int64]
    both: NDArray[np.int64]


def tally(truth: Classes, said: Classes, classes: int) -> Tally:
    """Count classes 0..K-1 in truths and answers (n,), each to (K,).

    >>> tally(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).both.tolist()
    [1, 1]
    """
    some = (truth, said, truth[truth == said])
    return Tally(*(np.bincount(chosen, minlength=classes) for chosen in some))
