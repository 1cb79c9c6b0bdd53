"""The interval of a proportion, and of a mean of proportions, in closed form.

The bootstrap says 1.00–1.00 of ten right out of ten; Wilson's interval says 0.72–1.00. So
proportions (accuracy, top 5) and their means over classes (balanced accuracy, macro F1) are given
this one, and everything else the bootstrap.

Shapes: n samples, K proportions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric

Z = 1.959963984540054  # the normal distribution holds 95 % within so many deviations


def interval(hits: float, n: float) -> tuple[float, float]:
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


def average(hits: NDArray[Any], of: NDArray[Any], n: int) -> Metric:
    """Return the mean of K proportions, ``hits`` (K,) out of ``of`` (K,), with its interval.

    It is Wilson's with the number of samples that would leave one proportion as uncertain as the
    mean is (Korn & Graubard, Confidence intervals for proportions with small expected number of
    positive counts, 1998; Franco et al., Comparative study of confidence intervals for proportions
    in complex sample surveys, 2019). What is uncertain about each proportion is seen through z²
    more samples, as Wilson's own middle is, of which the share of hits is that of all together: a
    class of three right out of three is not taken for perfect.

    Simulated coverage is 94 % on average, above 90 % in 95 of 100 settings (K = 2 to 40, 5 to 200
    samples each, shares 0.6 to 0.99) and 80 % at worst, where the one class of five samples is far
    worse than all others; the bootstrap's is as low as 11 %.

    >>> print(average(np.array([10, 2]), np.array([10, 2]), 12))
    1.000 (0.579–1.000, n=12)
    """
    pooled = (hits.sum() + 0.5) / (of.sum() + 1)
    likely = (hits + Z * Z * pooled) / (of + Z * Z)  # (K,)
    variance = (likely * (1 - likely) / of).mean() / len(of)
    middle, value = likely.mean(), float((hits / of).mean())
    effective = float(middle * (1 - middle) / variance)
    low, high = interval(value * effective, effective)
    return Metric(value, min(low, value), max(high, value), n)
