"""What ``auto`` means: a chain chosen from the pictures by a rule one can say in a sentence.

Small grey pictures (handwriting, sensors) get ``digits``, all others ``light``; pictures are
mirrored only where a mirrored one still looks like one of the set, as it does for photographs and
does not for writing.

Shapes: n pictures of C channels, h x w pixels; F features of a thumbnail.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opsin.augment.chain import Chain
from opsin.augment.line import parse
from opsin.augment.operations.flip import Flip

SMALL = 64  # pixels, longest side of pictures that count as small
GREY = 2.0  # levels of 255: mean difference between the channels of a picture that counts as grey
MIRRORED = 1.15  # strangeness of mirrored pictures; photos of clothes 1.04, MNIST 1.5 (n = 500)
ENOUGH, MANY = 32, 500  # pictures needed to judge mirroring; pictures looked at
THUMB = 8  # pixels a side

Floats = NDArray[np.float32]


def fitting(images: ArrayLike) -> str:
    """Return the chain that ``auto`` stands for, from a uint8 sample (n, C, h, w) of the pictures.

    Fewer than 32 pictures say nothing about mirroring: then small grey ones are not mirrored and
    others are.

    >>> fitting(np.zeros((4, 1, 28, 28), np.uint8))
    'rotate 10, translate 0.08, scale 0.9 1.1, shear 10'
    """
    pixels = np.asarray(images)
    pixels = pixels[np.linspace(0, len(pixels) - 1, min(len(pixels), MANY)).astype(int)]
    written = max(pixels.shape[2:]) <= SMALL and _is_grey(pixels)
    mirrors = strangeness(pixels) < MIRRORED if len(pixels) >= ENOUGH else not written
    chain = parse("digits" if written else "light")
    rest = tuple(step for step in chain.operations if not isinstance(step, Flip))
    return str(Chain((Flip(), *rest) if mirrors else rest))


def strangeness(pixels: NDArray[np.uint8]) -> float:
    """Return how much farther mirrored pictures are from the set than pictures are: 1 is no more.

    It is the geometric mean, over pictures (n, C, h, w), of the distance from the mirrored picture
    to its nearest other picture, divided by the same distance for the picture itself; distances
    are Euclidean between grey thumbnails of 8x8 pixels.

    >>> both = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    >>> strangeness(np.concatenate([both, both[..., ::-1]]).repeat(2, axis=0))
    1.0
    """
    thumbs = _thumbnails(pixels)  # (n, 8, 8)
    plain, mirrored = thumbs.reshape(len(thumbs), -1), thumbs[:, :, ::-1].reshape(len(thumbs), -1)
    ratios = _nearest(mirrored, plain) / _nearest(plain, plain)
    return float(np.exp(np.log(ratios).mean()))


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Say whether nearly all pictures (n, C, h, w) have equal channels."""
    spread = np.ptp(pixels, axis=1).mean(axis=(1, 2))  # (n,)
    return bool((spread < GREY).mean() > 0.95)


def _thumbnails(pixels: NDArray[np.uint8]) -> Floats:
    """Return grey thumbnails (n, 8, 8) in 0..255: means over the cells of a grid."""
    _, channels, height, width = pixels.shape
    if min(height, width) < THUMB:  # too small for a grid: every pixel is a cell
        return np.asarray(pixels.mean(axis=1), dtype=np.float32)
    rows, columns = (np.arange(THUMB) * side // THUMB for side in (height, width))
    cells = np.add.reduceat(pixels.sum(axis=1, dtype=np.float32), rows, axis=1)
    cells = np.add.reduceat(cells, columns, axis=2)
    areas = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    thumbs: Floats = cells / (channels * areas)
    return thumbs


def _nearest(queries: Floats, others: Floats) -> Floats:
    """Return for query i (n, F) the distance to the nearest of ``others`` (n, F) except other i.

    Distances below one level of grey count as one.
    """
    squared = (queries**2).sum(1)[:, None] + (others**2).sum(1) - 2 * queries @ others.T
    np.fill_diagonal(squared, np.inf)
    nearest: Floats = np.sqrt(squared.min(axis=1).clip(min=1.0))
    return nearest
