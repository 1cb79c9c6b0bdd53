"""Whether one of two is better where both were tried on the same things, and by how much.

A difference is one number a thing (a seed, a picture): what the first reached on it less what the
second did. If the two were alike, each difference might as well have had the other sign; a p value
here is the share of all ways to set the signs whose mean lies as far from zero as the one found.

Shapes: n differences, B settings of the signs in a block, m p values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsin.figures import Metric
from opsin.metrics.wilson import Z

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

EXACT = 16  # differences up to which all 2^n settings of the signs are counted
DRAWS, BLOCK = 10_000_000, 1_000_000  # n x settings drawn beyond that: at most, and held at once
MOST, FEWEST = 9_999, 999  # settings drawn
NEGLIGIBLE = -90.0  # logarithm of a probability that no p value needs


def flipped(differences: Floats, seed: int = 0) -> float:
    """Return the two-sided p value of the mean of differences (n,) by setting their signs anew.

    All 2^n ways are counted up to n = 16; beyond, some thousands are drawn, the same for the same
    seed, and p is (hits + 1) / (draws + 1) (Fisher, The Design of Experiments, 1935, section 21;
    Phipson & Smyth, Permutation P-values Should Never Be Zero, 2010).

    >>> flipped(np.array([1.0, 2.0, 3.0, 1.0, 2.0])), smallest(5)
    (0.0625, 0.0625)
    """
    moved = np.abs(differences[differences != 0])
    n = len(moved)
    if n == 0:
        return 1.0
    bar = abs(float(differences.sum())) - 1e-9 * float(moved.sum())
    if n <= EXACT:
        signs = 1.0 - 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)  # (2^n, n)
        return float(np.mean(np.abs(signs @ moved) >= bar))
    times = int(np.clip(DRAWS // n, FEWEST, MOST))
    draws, hits = np.random.default_rng((seed, n)), 0
    for start in range(0, times, block := max(1, BLOCK // n)):
        rows = min(block, times - start)
        signs = 1.0 - 2.0 * draws.integers(0, 2, (rows, n), dtype=np.int8)  # (B, n)
        hits += int(np.count_nonzero(np.abs(signs @ moved) >= bar))
    return (hits + 1) / (times + 1)


def flipped_whole(differences: Whole) -> float:
    """Return ``flipped`` of whole numbers (n,) exactly, however many there are.

    Differences of the same size c have a binomial number of plus signs, so the sum of all is a sum
    of few scaled binomials, which are convolved. With differences of -1, 0 and 1 alone it is
    McNemar's exact test (Note on the Sampling Error of the Difference between Correlated
    Proportions, 1947).

    >>> flipped_whole(np.array([1, 1, 1, 2, 0, 1]))
    0.0625
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    chances, first = np.ones(1), 0  # of sums: first, first + 1, ...
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        low, some = _binomial(count)
        spread = np.zeros(size * (len(some) - 1) + 1)
        spread[::size] = some
        chances, first = np.convolve(chances, spread), first + size * low
    sums = 2 * (first + np.arange(len(chances))) - int(sizes @ counts)
    return min(1.0, float(chances[np.abs(sums) >= abs(int(differences.sum()))].sum()))


def _binomial(n: int) -> tuple[int, Floats]:
    """Return the chances of so many heads in ``n`` tosses, from the first that is not negligible.

    >>> _binomial(2)[1].round(2).tolist()
    [0.25, 0.5, 0.25]
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])  # of factorials
    chances = logs[n] - logs - logs[::-1] - n * math.log(2)
    kept = np.flatnonzero(chances > min(NEGLIGIBLE, float(chances.max()) - 1))
    return int(kept[0]), np.exp(chances[kept[0] : kept[-1] + 1])


def smallest(n: int) -> float:
    """Return the smallest p value that n differences can have: 2 of the 2^n ways.

    >>> smallest(5), smallest(6), smallest(1)
    (0.0625, 0.03125, 1.0)
    """
    return 2.0 ** (1 - n) if n else 1.0


def shift(differences: Floats, reach: float) -> Metric:
    """Return the mean of differences (n,), none beyond ``reach``, with a 95 % interval.

    Two more are put in, one at each end of the reach, before the normal interval is taken. For
    right and wrong answers it is Bonett & Price, Adjusted Wald Confidence Interval for a Difference
    of Binomial Proportions Based on Paired Data, 2012. Simulated coverage is 95 % to 100 % (n = 100
    to 10,000, of which 0.3 % to 5 % differ, means over 1 and 5 seeds); the bootstrap's is 18 % to
    96 %: where hardly anything differs it is far too sure.

    >>> print(shift(np.array([1.0] * 9 + [-1.0] + [0.0] * 90), 1.0))
    0.080 (0.014–0.143, n=100)
    """
    n, value = len(differences), float(np.mean(differences))
    middle = float(differences.sum()) / (n + 2)
    squares = (float(np.square(differences).sum()) + 2 * reach * reach) / (n + 2)
    half = Z * math.sqrt(max(squares - middle * middle, 0.0) / (n + 2))
    low, high = max(middle - half, -reach), min(middle + half, reach)
    return Metric(value, min(low, value), max(high, value), n)


def holm(found: Sequence[float], of: int = 0) -> list[float]:
    """Return p values (m,) corrected for all that were made, in the order given.

    ``of`` says how many were made where these are but a part of them. Holm, A Simple Sequentially
    Rejective Multiple Test Procedure, 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    >>> holm([0.01], of=6)
    [0.06]
    """
    made, highest = max(of, len(found)), 0.0
    corrected = [1.0] * len(found)
    for place, index in enumerate(sorted(range(len(found)), key=found.__getitem__)):
        highest = max(highest, min(1.0, found[index] * (made - place)))
        corrected[index] = highest
    return corrected
