"""The interval of a proportion, in closed form.

The bootstrap says 1.00–1.00 of ten right out of ten; Wilson's interval says 0.72–1.00. So plain
proportions (accuracy, top 5) are given this one, and everything else the bootstrap.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric

Z = 1.959963984540054  # the normal distribution holds 95 % within so many deviations


def interval(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % bounds of ``hits`` out of ``n`` (Wilson 1927; Brown, Cai & DasGupta 2001).

    >>> [round(bound, 4) for bound in interval(10, 10)]
    [0.7225, 1.0]
    """
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def proportion(right: NDArray[np.bool_]) -> Metric:
    """Return the share of true values in ``right`` (n,) with its interval.

    >>> print(proportion(np.array([True, True, False, True])))
    0.750 (0.301–0.954, n=4)
    """
    hits, n = int(np.count_nonzero(right)), len(right)
    return Metric(hits / n, *interval(hits, n), n)
