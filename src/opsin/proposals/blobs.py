"""Blobs: round things of any size, darker or brighter than what is round them.

Laplacian of Gaussian, or the difference of two Gaussians, at growing scales; a blob is where the
answer is largest in place and scale (Lindeberg, Feature Detection with Automatic Scale Selection,
1998; Lowe, Distinctive Image Features, 2004). The search is scikit-image's.

Shapes: grey (H, W), N blobs, boxes (N, 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import feature

from opsin.proposals._proposal import Pixels, Proposals, between, panchromatic, ranked

LEAST_RADIUS = 3.0  # pixels: a picture is shrunk until its smallest blobs are that small


@dataclass(frozen=True, slots=True)
class Settings:
    """Says which blobs are sought: of a radius from ``smallest`` to ``largest`` pixels.

    ``scales`` radii between them are tried; ``threshold`` is how strong the answer must be, of grey
    in 0..1; blobs that share more than ``overlap`` of the smaller one are one. ``difference`` takes
    the difference of Gaussians, which is faster for many sizes, and less exact.
    """

    smallest: float = 4
    largest: float = 64
    scales: int = 8
    dark: bool = True
    threshold: float = 0.05
    overlap: float = 0.5
    difference: bool = False
    most: int = 10_000

    def __post_init__(self) -> None:
        between("smallest", self.smallest, 1, 1000)
        between("largest", self.largest, self.smallest, 10_000)
        between("scales", self.scales, 1, 50)
        between("threshold", self.threshold, 0, 1)
        between("overlap", self.overlap, 0, 1)
        between("most", self.most, 1, 1_000_000)


def propose(image: Pixels, settings: Settings | None = None) -> Proposals:
    """Return squares round the blobs of a picture (3, H, W).

    A score is how much a box's inside differs from the frame round it that has as many pixels.

    >>> y, x = np.mgrid[:60, :60]
    >>> disc = np.where((x - 30) ** 2 + (y - 20) ** 2 < 64, 40, 200).astype(np.uint8)
    >>> boxes = propose(np.stack([disc] * 3), Settings(largest=16)).boxes
    >>> len(boxes), bool(np.abs(boxes[0] - [22, 12, 38, 28]).max() < 2.5)
    (1, True)
    """
    settings = settings or Settings()
    grey = panchromatic(image)
    factor = max(1.0, settings.smallest / LEAST_RADIUS)
    sought = grey if factor == 1 else _shrunk(grey, factor)
    bright = 1 - sought / 255.0 if settings.dark else sought / 255.0
    least, largest = (r / factor / 2**0.5 for r in (settings.smallest, settings.largest))
    rules = {"threshold": settings.threshold, "overlap": settings.overlap}
    if settings.difference:
        step = max(1.05, (largest / least) ** (1 / max(1, settings.scales - 1)))
        spots = feature.blob_dog(bright, least, largest, step, **rules)
    else:
        many = settings.scales if largest > least else 1
        spots = feature.blob_log(bright, least, largest, many, log_scale=True, **rules)
    y, x, sigma = (np.asarray(column, np.float64) for column in spots.T[:3])
    middle = (np.stack([x, y], axis=1) + 0.5) * factor  # a pixel's middle is half a pixel in
    radius = sigma[:, None] * 2**0.5 * factor
    boxes = np.concatenate([middle - radius, middle + radius], axis=1)
    scores = contrast(grey, boxes) * (-1 if settings.dark else 1)
    return ranked(boxes, scores, (image.shape[1], image.shape[2]), settings.most)


def contrast(grey: Pixels, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (N,), how much brighter boxes are than frames as large.

    >>> grey = np.zeros((12, 12), np.uint8)
    >>> grey[4:8, 4:8] = 255
    >>> contrast(grey, np.array([[4, 4, 8, 8]])).tolist()
    [1.0]
    """
    sums = cv2.integral(grey, sdepth=cv2.CV_64F)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    wider = np.concatenate([middle - half * 2**0.5, middle + half * 2**0.5], axis=1)
    inner, pixels = _total(sums, boxes)
    outer, all_pixels = _total(sums, wider)
    frame = (outer - inner) / np.maximum(all_pixels - pixels, 1)
    return np.asarray((inner / np.maximum(pixels, 1) - frame) / 255, np.float64)


def _total(
    sums: NDArray[np.float64], boxes: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sum and number of pixels in boxes (N, 4), by a table of sums (H + 1, W + 1)."""
    high, wide = sums.shape
    corners = np.rint(boxes).astype(np.int64).clip(0, [wide - 1, high - 1, wide - 1, high - 1])
    left, top, right, bottom = corners.T
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return total, ((right - left) * (bottom - top)).astype(np.float64)


def _shrunk(grey: Pixels, factor: float) -> Pixels:
    """Return a picture with sides divided by ``factor``, areas averaged."""
    high, wide = (max(1, round(n / factor)) for n in grey.shape)
    return np.asarray(cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
