"""SIFT on a dense grid: what the three descriptions see that count local patches.

Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 60 (2004), section 6, by
OpenCV. Patches of two sizes overlap by half and stand upright, since a class is told better by
all patches than by those at corners (Lazebnik et al. 2006, section 4; Perronnin et al. 2010). A
descriptor is rooted, so that inner products compare by Hellinger's kernel (Arandjelović &
Zisserman, Three Things Everyone Should Know to Improve Object Retrieval, CVPR 2012, section 3).

Shapes: N pictures, n patches a picture, P patches, 128 numbers a patch.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.nets.classical._counted import Description, Pixels, Seen, frame_for, framed

PATCHES = (16, 32)  # pixels
BINS = 128
WINDOW = 6.0  # sizes of an OpenCV keypoint that its descriptor covers: 4 cells of 1.5 sizes


class Local(Description):
    """Sees a picture as a bag of patches on a grid."""

    counts = True

    def look(self, pixels: Pixels) -> Seen:
        """Return the descriptors of all patches, uint8 (N, n, 128); a flat one is all 0."""
        import cv2

        side = frame_for(pixels, 64, 128)
        points, _ = grid(side)
        sift = cv2.SIFT_create()
        found = np.empty((len(pixels), len(points), BINS), np.uint8)
        for row, image in zip(found, framed(pixels, side, grey=True), strict=True):
            row[:] = sift.compute(image[..., 0], points)[1]
        return found


@cache
def grid(side: int) -> tuple[tuple[Any, ...], NDArray[np.float32]]:
    """Return OpenCV's keypoints for a frame, and their places as shares of it, (n, 2) of y, x."""
    import cv2

    step = 0.5 if side > 64 else 0.25  # of a patch: small frames have few places
    places = [
        (y, x, patch)
        for patch in PATCHES
        for y in np.arange(patch / 2, side - patch / 2 + 1e-6, patch * step)
        for x in np.arange(patch / 2, side - patch / 2 + 1e-6, patch * step)
    ]
    points = tuple(cv2.KeyPoint(float(x), float(y), p / WINDOW, 0.0) for y, x, p in places)
    return points, np.array([(y / side, x / side) for y, x, _ in places], np.float32)


def rooted(seen: Seen) -> Tensor:
    """Return descriptors uint8 (..., 128) with length 1, each number under the root.

    >>> rooted(np.array([[9, 16, 0]], np.uint8)).tolist()
    [[0.6000000238418579, 0.800000011920929, 0.0]]
    """
    floats = torch.from_numpy(seen).float()
    return (floats / floats.sum(-1, keepdim=True).clamp_min(1)).sqrt()


def some(seen: Seen, most: int, least: int, seed: int) -> Seen:
    """Draw up to ``most`` descriptors (P, 128) that are not flat from all (N, n, 128).

    Where there are fewer than ``least``, they are taken several times.
    """
    flat = seen.reshape(-1, BINS)
    useful = np.flatnonzero(flat.any(1))
    if not len(useful):
        useful = np.zeros(1, np.int64)
    draws = np.random.default_rng((seed, 7))
    chosen = np.sort(draws.permutation(useful)[:most])
    return flat[np.resize(chosen, max(least, len(chosen)))]
