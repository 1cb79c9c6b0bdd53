"""Candidates by contour: what is darker, or brighter, than the ground around it.

The way shrubs were found in aerial photographs: RGB → panchromatic → grey threshold → contours →
patches, which a classifier then judges (Guirado et al., Deep-learning Versus OBIA for Scattered
Shrub Detection, 2017).

Shapes: grey (H, W), N outer contours, boxes (N, 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from opsin.proposals._proposal import Pixels, Proposals, between, panchromatic, ranked


@dataclass(frozen=True, slots=True)
class Settings:
    """Says what stands out: grey below ``threshold`` where ``dark``, from there up otherwise.

    A threshold of 0 is found in the picture by Otsu's rule (1979). Contours round less than
    ``smallest`` or more than ``largest`` pixels of area are dropped, boxes widened by ``margin`` of
    their sides on each side, and the ``most`` filled ones kept.
    """

    threshold: int = 100
    dark: bool = True
    smallest: float = 9
    largest: float = 1e9
    margin: float = 0.0
    most: int = 100_000

    def __post_init__(self) -> None:
        between("threshold", self.threshold, 0, 255)
        between("smallest", self.smallest, 0, 1e9)
        between("largest", self.largest, self.smallest, 1e12)
        between("margin", self.margin, 0, 4)
        between("most", self.most, 1, 100_000_000)


def propose(image: Pixels, settings: Settings | None = None) -> Proposals:
    """Return boxes round the outer contours of a picture (3, H, W).

    A score is the share of its box that a contour fills: 1 of an upright rectangle, π / 4 of a
    disc, little of an edge or a shadow.

    >>> image = np.full((3, 40, 40), 200, np.uint8)
    >>> image[:, 10:20, 5:25] = 50
    >>> propose(image).boxes.tolist()
    [[5.0, 10.0, 25.0, 20.0]]
    """
    settings = settings or Settings()
    outlines, _ = cv2.findContours(
        mask(panchromatic(image), settings), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    upright, filled = measured(outlines)
    sides = upright[:, 2:] - upright[:, :2]
    fits = (filled >= settings.smallest) & (filled <= settings.largest)
    boxes = upright + settings.margin * np.concatenate([-sides, sides], axis=1)
    scores = filled / np.maximum(sides.prod(axis=1), 1)
    return ranked(boxes[fits], scores[fits], (image.shape[1], image.shape[2]), settings.most)


def mask(grey: Pixels, settings: Settings) -> Pixels:
    """Return 255 where grey (H, W) stands out, and 0 elsewhere.

    >>> mask(np.array([[99, 100]], np.uint8), Settings()).tolist()
    [[255, 0]]
    """
    kind = cv2.THRESH_BINARY_INV if settings.dark else cv2.THRESH_BINARY
    level = settings.threshold - 1  # "above t" is OpenCV's rule; "from t up" is ours
    if settings.threshold == 0:
        kind, level = kind | cv2.THRESH_OTSU, 0
    return np.asarray(cv2.threshold(grey, level, 255, kind)[1], np.uint8)


def measured(outlines: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float64], ...]:
    """Return the upright boxes (N, 4) of outer contours, and how many pixels lie in each (N,).

    Those that a contour goes through are counted, by Pick's theorem: OpenCV's area is that of the
    polygon through their middles. A contour is given by its corners; between two of them it goes
    straight or diagonally, a pixel a step.

    >>> square = np.array([[[2, 1]], [[2, 3]], [[4, 3]], [[4, 1]]], np.int32)
    >>> [found.tolist() for found in measured([square])]
    [[[2.0, 1.0, 5.0, 4.0]], [9.0]]
    """
    if not outlines:
        return np.zeros((0, 4)), np.zeros(0)
    corners = np.concatenate(outlines)[:, 0].astype(np.int64)  # (P, 2) of all contours
    ends = np.cumsum([len(outline) for outline in outlines])
    starts = np.concatenate([[0], ends[:-1]])
    after = np.arange(1, len(corners) + 1)
    after[ends - 1] = starts  # the last corner of each leads back to its first
    (x, y), (u, v) = corners.T, corners[after].T
    steps = np.add.reduceat(np.maximum(abs(u - x), abs(v - y)), starts)
    area = abs(np.add.reduceat(x * v - u * y, starts)) / 2
    low, high = (edge.reduceat(corners, starts) for edge in (np.minimum, np.maximum))
    return np.concatenate([low, high + 1], axis=1).astype(np.float64), area + steps / 2 + 1
