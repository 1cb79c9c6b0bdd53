"""How far a number could be off: the percentile bootstrap over samples.

A statistic here is a function of columns with samples on the last axis, (..., n) to (...), so that
the same lines compute the value and all its resamples.

Shapes: n samples, B resamples in a block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric

Column = NDArray[Any]
Statistic = Callable[..., NDArray[np.float64]]

RESAMPLES = 1000
DRAWS = 20_000_000  # n x resamples at most: more samples need fewer resamples for the same rest
BLOCK = 100_000  # draws held at once: they stay in the cache


def metric(statistic: Statistic, *columns: Column, seed: int = 0) -> Metric:
    """Return a statistic of columns (n,) with its 95 % interval.

    Samples are sorted first, so neither value nor interval depends on their order, to the last bit.

    >>> import numpy as np
    >>> print(metric(lambda x: x.mean(-1), np.arange(100.0)))
    49.500 (43.819–54.871, n=100)
    """
    columns = _sorted(columns)
    value = float(statistic(*columns))
    low, high = interval(statistic, *columns, seed=seed)
    return Metric(value, min(low, value), max(high, value), len(columns[0]))


def interval(
    statistic: Statistic,
    *columns: Column,
    seed: int = 0,
    level: float = 0.95,
    resamples: int | None = None,
) -> tuple[float, float]:
    """Return the bounds that hold ``level`` of a statistic's values over resampled columns (n,).

    Draws n of the n samples with replacement, 1,000 times (fewer where n is above 20,000); the same
    seed gives the same draws (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, 13.3).
    """
    columns = _sorted(columns)
    n = len(columns[0])
    times = resamples or int(np.clip(DRAWS // n, 200, RESAMPLES))
    draws = np.random.default_rng((seed, n))
    found = []
    for start in range(0, times, block := max(1, BLOCK // n)):
        rows = min(block, times - start)
        chosen = draws.integers(0, n, (rows, n), dtype=np.int32)  # (B, n)
        found.append(statistic(*(column[chosen] for column in columns)))  # (B,)
    edge = (1 - level) / 2
    low, high = np.quantile(np.concatenate(found), (edge, 1 - edge))
    return float(low), float(high)


def _sorted(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return columns with their rows in ascending order, the first column counting most."""
    order = np.lexsort(columns[::-1])
    return tuple(column[order] for column in columns)
