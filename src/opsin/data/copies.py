"""Which pictures are copies of which, by their looks: hashes propose, pixels decide.

A 64-bit hash alone errs once in a few million pairs, and among 60,000 pictures there are two
thousand million pairs. So hashes only propose pairs, and the correlation of small grey versions
decides; neither minds brightness, contrast, scale or how hard a JPEG was packed.

Shapes: N pictures (N, h, w, C), pairs (M, 2), K pictures that occur in pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from opsin.ops import phash

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 32  # pixels on the short side; below, drawings (MNIST) look alike without being copies
SAME = 0.96  # correlation; copies of 80 photos, 8 kinds each, had 0.970 or more, strangers 0.955
BLOCK = 1 << 16  # pairs compared at a time


def thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    """Return a picture as grey (32, 32), what hashes and correlations are made of."""
    side = (phash.SIDE, phash.SIDE)
    small = image.convert("L").resize(side, Image.Resampling.BOX, reducing_gap=1.0)
    return np.asarray(small)


def settled(
    memory: NDArray[np.uint8],
    hashes: NDArray[np.uint64],
    digests: Sequence[str],
    large: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """Return numbers (N,) that are equal for pictures that look alike and for no others.

    Those that are not ``large`` keep their hash, which stands for their exact pixels.
    """
    numbers = np.array([int(digest[:16] or "0", 16) for digest in digests], np.uint64)
    numbers[~large] = hashes[~large]
    some = np.flatnonzero(large)
    pairs = some[phash.alike(hashes[some])].reshape(-1, 2)
    root = phash.groups(len(memory), pairs[_correlations(memory, pairs) >= SAME])
    return numbers[root]


def _correlations(memory: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return how far the two pictures of each pair agree, -1..1; 0 for even areas, (M,)."""
    members, places = np.unique(pairs, return_inverse=True)
    points = np.empty((len(members), phash.SIDE**2), np.float32)
    for row, index in enumerate(members.tolist()):
        picture = memory[index, :, :, :3] if memory.shape[-1] > 1 else memory[index, :, :, 0]
        points[row] = thumbnail(Image.fromarray(picture)).ravel()
    points -= points.mean(axis=1, keepdims=True)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), phash.SIDE)  # (K, 1024)
    left, right = places.reshape(-1, 2).T
    found = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = np.einsum("mp,mp->m", points[left[part]], points[right[part]])
    return found
