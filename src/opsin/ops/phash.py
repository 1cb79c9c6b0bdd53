"""Hashes that tell whether two pictures look alike, and the search for those that do.

Shapes: N pictures, thumbnails (N, 32, 32) grey, hashes (N,) of 64 bits, pairs (M, 2) of indexes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

SIDE = 32  # of a thumbnail
ALIKE = 6  # bits; copies of 150 photos, 8 kinds each, differed in no more in 99.7 % of cases
BLOCK = 1 << 22  # candidate pairs compared at a time

_ONES = np.array([bin(word).count("1") for word in range(1 << 16)], np.uint8)


def perceptual(thumbnails: NDArray[np.uint8]) -> Hashes:
    """Return the 64-bit hashes (N,) of grey thumbnails (N, 32, 32).

    Each bit says whether one of the 64 lowest frequencies of the cosine transform (without the
    rows of frequency 0, so that brightness does not count) is above their median. Zauner,
    "Implementation and benchmarking of perceptual image hash functions" (2010), section 3.2.1.

    >>> import numpy as np
    >>> grey = np.random.default_rng(0).integers(0, 128, (1, 32, 32), np.uint8)
    >>> bool((perceptual(grey) == perceptual(grey + 60)).all())
    True
    """
    waves = _cosines()[1:9]  # (8, 32)
    low = waves @ thumbnails.astype(np.float32) @ waves.T  # (N, 8, 8)
    flat = low.reshape(len(low), 64)
    bits = flat > np.median(flat, axis=1, keepdims=True)  # (N, 64)
    packed: Hashes = np.packbits(bits, axis=1).view(">u8").astype(np.uint64)[:, 0]
    return packed


def _cosines() -> NDArray[np.float32]:
    """Return the rows of the orthonormal cosine transform (DCT-II) of 32 points, (32, 32)."""
    k, n = np.mgrid[:SIDE, :SIDE]
    rows: NDArray[np.float64] = np.cos(np.pi * k * (2 * n + 1) / (2 * SIDE)) * np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


def distance(a: Hashes, b: Hashes) -> NDArray[np.uint8]:
    """Return in how many bits hashes differ (Hamming distance).

    >>> import numpy as np
    >>> distance(np.array([0b1011], np.uint64), np.array([0b0010], np.uint64))
    array([2], dtype=uint8)
    """
    words = np.ascontiguousarray(a ^ b).view(np.uint16).reshape(-1, 4)
    ones: NDArray[np.uint8] = _ONES[words].sum(axis=1, dtype=np.uint8)
    return ones


def alike(hashes: Hashes, most: int = ALIKE) -> NDArray[np.int64]:
    """Return pairs (M, 2), first index smaller, that connect all hashes within ``most`` bits.

    Hashes that are equal are chained to the first of them, not paired each with each. Others are
    found by multi-index hashing (Norouzi, Punjani, Fleet 2012): two that differ in at most t bits
    agree wholly in one of t + 1 parts, so only those that share a part are compared.

    >>> import numpy as np
    >>> alike(np.array([7, 2**60, 3, 7], np.uint64)).tolist()
    [[0, 1], [0, 2], [0, 3], [1, 2]]
    """
    kinds, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    first, which = first.astype(np.int64), which.reshape(-1)
    repeated = np.flatnonzero(first[which] != np.arange(len(hashes)))
    found = [np.stack([first[which[repeated]], repeated], axis=1)]
    edges = np.linspace(0, 64, most + 2).round().astype(np.uint64)
    for low, high in pairwise(edges):
        part = (kinds >> low) & np.uint64((1 << int(high - low)) - 1)
        found.extend(_sharing(kinds, part, first, most))
    pairs: NDArray[np.int64] = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    return pairs


def _sharing(
    kinds: Hashes, part: Hashes, first: NDArray[np.int64], most: int
) -> list[NDArray[np.int64]]:
    """Return the pairs within ``most`` bits among distinct hashes whose ``part`` is equal."""
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], part[order], side="right")
    after = ends - np.arange(len(order)) - 1  # how many partners follow each in its bucket
    total = np.concatenate([[0], np.cumsum(after)])
    found, start = [], 0
    while start < len(order):
        stop = int(np.searchsorted(total, total[start] + BLOCK, side="right")) - 1
        stop = max(stop, start + 1)  # one hash with very many partners still goes through
        left = np.repeat(np.arange(start, stop), after[start:stop])
        right = left + 1 + np.arange(len(left)) - (total[left] - total[start])
        a, b = order[left], order[right]
        near = distance(kinds[a], kinds[b]) <= most
        found.append(np.stack([first[a[near]], first[b[near]]], axis=1))
        start = stop
    return found


def groups(n: int, *links: NDArray[Any]) -> NDArray[np.int64]:
    """Return for each of ``n`` items the smallest index of those it is linked with by pairs.

    >>> import numpy as np
    >>> groups(4, np.array([[1, 3]]), np.zeros((0, 2), int)).tolist()
    [0, 1, 2, 1]
    """
    root = list(range(n))

    def find(item: int) -> int:
        while root[item] != item:
            root[item] = root[root[item]]  # halves the path, so that chains stay short
            item = root[item]
        return item

    for pairs in links:
        for a, b in pairs.tolist():
            low, high = sorted((find(a), find(b)))
            root[high] = low
    return np.array([find(item) for item in range(n)], np.int64)
