"""Candidates by contour: what is darker, or brighter, than the ground around it.

The way shrubs were found in aerial photographs: RGB → panchromatic → grey threshold → contours →
patches, which a classifier then judges (Guirado et al., Deep-learning Versus OBIA for Scattered
Shrub Detection, 2017).

Shapes: grey (H, W), N outer contours, boxes (N, 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

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
        mask(panchromatic(image), settings), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    upright = np.array([cv2.boundingRect(outline) for outline in outlines]).reshape(-1, 4)
    corner, sides = upright[:, :2].astype(np.float64), upright[:, 2:].astype(np.float64)
    filled = np.array([_pixels(outline) for outline in outlines], np.float64)
    fits = (filled >= settings.smallest) & (filled <= settings.largest)
    more = settings.margin * sides
    boxes = np.concatenate([corner - more, corner + sides + more], axis=1)
    scores = filled / np.maximum(sides.prod(axis=1), 1)
    return ranked(boxes[fits], scores[fits], (image.shape[1], image.shape[2]), settings.most)


def mask(grey: Pixels, settings: Settings) -> Pixels:
    """Return 255 where grey (H, W) stands out, and 0 elsewhere.

    >>> mask(np.array([[99, 100]], np.uint8), Settings()).tolist()
    [[255, 0]]
    """
    kind = cv2.THRESH_BINARY_INV if settings.dark else cv2.THRESH_BINARY
    if settings.threshold == 0:
        found = cv2.threshold(grey, 0, 255, kind | cv2.THRESH_OTSU)[1]
    else:  # "above t" is OpenCV's rule; "from t up" is ours
        found = cv2.threshold(grey, settings.threshold - 1, 255, kind)[1]
    return np.asarray(found, np.uint8)


def _pixels(outline: Pixels) -> float:
    """Return how many pixels lie in a contour, those it goes through included: Pick's theorem.

    OpenCV's area is that of the polygon through the middles of the outer pixels.
    """
    steps = len(outline) if len(outline) > 1 else 0
    return float(cv2.contourArea(outline)) + steps / 2 + 1
