"""Orders: average ranks, whether they differ at all, which do, and how two orders agree.

The tests are those of Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, 2006,
section 3.2. There a block is a data set; here it is one seed in one setting of everything else, so
they speak of other trainings on this data, not of other data.

Shapes: b blocks, k things that are ranked, m pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics.wilson import Z
from opsin.report.study_story import LEVEL, Agreement, Cell, Published, Ranked
from opsin.study.rows import Study, named
from opsin.study.tables import Blocks, blocks

Floats = NDArray[np.float64]

EXACT = 8  # pairs up to which all orders are counted
DRAWN = 9_999  # orders drawn beyond that


def ranked(study: Study, field: str) -> Ranked | None:
    """Order the values of a field over all blocks that have every one; None without two of both."""
    side: Blocks = blocks(study, field)
    b, k = side.scores.shape
    if b < 2 or k < 2:
        return None
    means = ranks(study.sign * side.scores).mean(0)  # (k,)
    order = np.argsort(means, kind="stable")
    statistic, p = friedman(side.scores)
    reach = critical_difference(k, b)
    sorted_ranks = tuple(float(means[i]) for i in order)
    return Ranked(
        field=field,
        names=tuple(named(((field, side.values[i]),)) for i in order),
        ranks=sorted_ranks,
        blocks=b,
        left_out=side.left_out,
        statistic=statistic,
        p=p,
        critical=reach,
        groups=groups(sorted_ranks, reach),
    )


def ranks(scores: Floats) -> Floats:
    """Return the rank of each score (b, k) in its row, 1 the largest; equals share their mean.

    >>> ranks(np.array([[0.9, 0.7, 0.9, 0.1]])).tolist()
    [[1.5, 3.0, 1.5, 4.0]]
    """
    larger = (scores[:, None, :] > scores[:, :, None]).sum(-1)  # (b, k)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(-1)
    return np.asarray(larger + (equal + 1) / 2, np.float64)


def friedman(scores: Floats) -> tuple[float, float]:
    """Return Friedman's statistic of scores (b, k), corrected for ties, and its p value.

    Small p: not all k are alike. The p value is that of chi-square with k - 1 degrees of freedom,
    which is careful where there are few blocks. Friedman, The Use of Ranks, 1937.

    >>> friedman(np.array([[3.0, 2.0, 1.0]] * 4))[0]
    8.0
    """
    from scipy.special import chdtrc

    b, k = scores.shape
    each = ranks(scores)
    spread = float(np.square(each - (k + 1) / 2).sum())
    if spread == 0:
        return 0.0, 1.0
    apart = float(np.square(each.mean(0) - (k + 1) / 2).sum())
    statistic = b * b * (k - 1) * apart / spread
    return statistic, float(chdtrc(k - 1, statistic))


def critical_difference(k: int, blocks: int, level: float = LEVEL) -> float:
    """Return by how much average ranks of k things must differ to be told apart (Nemenyi).

    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    return studentised_range(k, level) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * blocks))


def studentised_range(k: int, level: float = LEVEL) -> float:
    """Return what the range of k normal numbers exceeds with the chance ``level``.

    The chance of a range below q is the integral of k φ(z) (Φ(z) - Φ(z - q))^(k - 1); the q is
    found by halving. Tippett, On the Extreme Individuals and the Range of Samples, 1925.

    >>> round(studentised_range(4), 3), round(studentised_range(2), 3)
    (3.633, 2.772)
    """
    from scipy.special import ndtr

    z = np.linspace(-9.0, 9.0, 3601)
    weight = k * np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    low, high = 0.0, 18.0
    for _ in range(40):
        middle = (low + high) / 2
        below = float((weight * (ndtr(z) - ndtr(z - middle)) ** (k - 1)).sum())
        low, high = (middle, high) if below < 1 - level else (low, middle)
    return high


def groups(sorted_ranks: Sequence[float], reach: float) -> tuple[tuple[int, int], ...]:
    """Return the longest runs of ascending ranks within ``reach``, as (first, last) places.

    >>> groups((1.2, 2.0, 2.1, 4.0), 1.0)
    ((0, 2),)
    """
    found: list[tuple[int, int]] = []
    for first in range(len(sorted_ranks)):
        last = max(
            i
            for i in range(first, len(sorted_ranks))
            if sorted_ranks[i] - sorted_ranks[first] < reach
        )
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return tuple(found)


def spearman(first: Floats, second: Floats) -> float:
    """Return how two orders (m,) agree, from -1 to 1; NaN where one of them is no order.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 3.0]))
    0.5
    """
    a, b = (ranks(each[None])[0] - (len(each) + 1) / 2 for each in (first, second))
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan


def agreement(name: str, ours: Floats, theirs: Floats) -> Agreement:
    """Return how our order (m,) agrees with another, with its 95 % interval and p value.

    p is the share of all orders, or of 9,999 drawn ones, that agree or disagree as much.
    """
    rho, m = spearman(ours, theirs), len(ours)
    if m < 3 or not math.isfinite(rho):
        return Agreement(name, Metric(rho, math.nan, math.nan, m), math.nan)
    a, b = (ranks(each[None])[0] - (m + 1) / 2 for each in (ours, theirs))
    if m <= EXACT:
        orders = np.array(list(itertools.permutations(range(m))))
    else:
        draws = np.random.default_rng(m)
        orders = draws.permuted(np.tile(np.arange(m), (DRAWN, 1)), axis=1)
    hits = int(np.count_nonzero(np.abs(a[orders] @ b) >= abs(float(a @ b)) - 1e-9))
    exact = m <= EXACT
    p = hits / len(orders) if exact else (hits + 1) / (len(orders) + 1)
    return Agreement(name, Metric(rho, *interval(rho, m), m), p)


def interval(rho: float, m: int) -> tuple[float, float]:
    """Return the 95 % bounds of a rank agreement over m pairs; below 5 there are none.

    Bonett & Wright, Sample Size Requirements for Estimating Pearson, Kendall and Spearman
    Correlations, 2000.

    >>> [round(bound, 2) for bound in interval(0.7, 12)]
    [0.14, 0.92]
    """
    if m < 5:
        return math.nan, math.nan
    turned = math.atanh(min(max(rho, -1 + 1e-12), 1 - 1e-12))
    half = Z * math.sqrt((1 + rho * rho / 2) / (m - 3))
    return min(math.tanh(turned - half), rho), max(math.tanh(turned + half), rho)


def agreements(
    cells: Sequence[Cell], published: Sequence[Published], field: str
) -> tuple[Agreement, ...]:
    """Say how the order of ``field`` agrees with a published one, in each setting of the others."""
    theirs = {each.setting: each.mean for each in published}
    sides: dict[str, list[tuple[float, float]]] = {}
    for cell in cells:
        if cell.setting in theirs:
            rest = named(tuple(pair for pair in cell.setting if pair[0] != field))
            sides.setdefault(rest, []).append((cell.score.value, theirs[cell.setting]))
    found = []
    for rest, pairs in sides.items():
        if len(pairs) >= 3:
            ours, others = np.array(pairs, np.float64).T
            found.append(agreement(rest, ours, others))
    return tuple(found)
