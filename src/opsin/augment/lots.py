"""Random numbers of which every picture has its own stream.

What is drawn for a picture is a pure function of its key and of the place of the operation in its
chain: it does not depend on which pictures share its batch, so a batch can be cut in parts, a run
resumed, and a picture shown again as it was. Numbers are made by counting, as in Steele, Lea and
Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64): whole batches at once.

Shapes: n pictures, K numbers of each.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
LEVELS = 1 << 16  # of the normal distribution, far enough apart to look up, near enough to add up


def keys(seed: tuple[int, ...], pictures: ArrayLike) -> Keys:
    """Return the keys (n,) of ``pictures``, whole numbers of 0 or more, under a ``seed``.

    >>> keys((3,), [5, 9])[1] == keys((3,), [9])[0] != keys((3, 0), [9])[0]
    np.True_
    """
    # SeedSequence takes (1,) and (1, 0) for the same: the length in front tells them apart.
    start = np.random.SeedSequence((len(seed), *seed)).generate_state(1, np.uint64)
    return _mixed(start + GOLDEN * (np.asarray(pictures).astype(np.uint64) + np.uint64(1)))


class Lots:
    """Draws numbers for n pictures, for each from its own stream; every call draws on.

    >>> lots = Lots(keys((0,), range(3)), place=0)
    >>> lots.uniform(-1, 1).shape, lots.uniform(0, 9, 2).shape
    ((3,), (3, 2))
    """

    __slots__ = ("_drawn", "_keys")

    def __init__(self, keys: Keys, place: int) -> None:
        self._keys = _mixed(keys ^ _mixed(np.array([place + 1], np.uint64)))
        self._drawn = 0

    def __len__(self) -> int:
        return len(self._keys)

    def words(self, count: int) -> Keys:
        """Return ``count`` words of 64 random bits for each picture, (n, K)."""
        steps = np.arange(self._drawn + 1, self._drawn + count + 1, dtype=np.uint64)
        self._drawn += count
        return _mixed(self._keys[:, None] + GOLDEN * steps)

    def random(self, count: int | None = None) -> Floats:
        """Return numbers in 0..1, without 1, evenly spread: (n,), or (n, K) for a ``count``."""
        drawn = (self.words(count or 1) >> np.uint64(11)).astype(np.float64)
        drawn *= 2.0**-53
        return drawn if count else drawn[:, 0]

    def uniform(self, low: ArrayLike, high: ArrayLike, count: int | None = None) -> Floats:
        """Return numbers between ``low`` and ``high``, evenly spread: (n,), or (n, K)."""
        low = np.asarray(low, np.float64)
        drawn: Floats = low + (np.asarray(high) - low) * self.random(count)
        return drawn

    def integers(self, low: ArrayLike, high: ArrayLike, count: int | None = None) -> Ints:
        """Return whole numbers from ``low`` up to and with ``high``: (n,), or (n, K)."""
        steps = np.floor(self.uniform(0, np.asarray(high) + 1 - low, count))
        return np.asarray(low) + steps.astype(np.int64)

    def normal(self, count: int) -> NDArray[np.float32]:
        """Return normal numbers of mean 0 and variance 1, (n, K), from 65,536 equal steps."""
        quarters = self.words(-(-count // 4)).view(np.uint16)  # four numbers a word
        return _quantiles()[quarters[:, :count]]


@cache
def _quantiles() -> NDArray[np.float32]:
    """Return the normal quantiles in the middle of 65,536 equal shares, of variance 1."""
    import torch

    middles = (torch.arange(LEVELS, dtype=torch.float64) + 0.5) / LEVELS
    values = torch.special.ndtri(middles).numpy()
    table: NDArray[np.float32] = (values / values.std()).astype(np.float32)
    return table


def _mixed(words: Keys) -> Keys:
    """Return words whose bits all depend on all bits of ``words`` (variant 13 of Stafford)."""
    words = words ^ (words >> np.uint64(30))
    words *= FIRST
    words ^= words >> np.uint64(27)
    words *= SECOND
    words ^= words >> np.uint64(31)
    return words
