"""Selective search: segments grouped until one is left, and a box round every group on the way.

Uijlings et al., Selective Search for Object Recognition, 2013, section 3: the first segments are
those of Felzenszwalb & Huttenlocher (2004, as scikit-image has them); the two neighbours most alike
in colour, texture, size and fill are grouped, again and again (algorithm 1), in several colour
spaces and by several likenesses (3.2), and boxes are ordered by how late they were made, times a
random number (3.3). The usual settings are those the paper calls fast: 2 spaces, 2 scales, and
2 likenesses.

Photos at 500 pixels took 0.8 s (median of 15, one core, Zen 3), over half of it segmenting; the
best of at most 2,000 boxes overlapped raccoons by an IoU of 0.84 on average, and by 0.5 always.

Shapes: a picture (3, H, W), labels (H, W) of R segments; a hierarchy of 2R − 1 regions, each with a
histogram of colour (75) and one of texture (240).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from opsin.errors import RecipeError
from opsin.proposals._proposal import Floats, Pixels, Proposals, between, ranked

Labels = NDArray[np.int64]

SPACES = {"hsv": cv2.COLOR_RGB2HSV_FULL, "lab": cv2.COLOR_RGB2LAB, "rgb": None}
COLOURS, WAYS, STRENGTHS = 25, 8, 10  # bins of a channel, directions, and bins of each of these
SMOOTH = 0.8  # σ before segmenting, as in the paper


@dataclass(frozen=True, slots=True)
class Settings:
    """Says how a picture is segmented and what makes two regions alike.

    Each of the ``spaces`` (hsv, lab, rgb) is segmented at each of the ``scales`` (larger ones give
    fewer segments), and grouped by each of the ``likenesses``: c colour, t texture, s size, f fill.
    A picture is first shrunk until its longer side has at most ``side`` pixels. Boxes with a side
    below ``smallest`` pixels are dropped; ``seed`` draws the order.
    """

    spaces: tuple[str, ...] = ("hsv", "lab")
    scales: tuple[float, ...] = (50, 100)
    likenesses: tuple[str, ...] = ("ctsf", "tsf")
    side: int = 500
    smallest: float = 12
    most: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        for space in self.spaces:
            if space not in SPACES:
                raise RecipeError(f"spaces={space!r}", expected=f"some of {', '.join(SPACES)}")
        for letters in self.likenesses:
            if not letters or set(letters) - set("ctsf"):
                raise RecipeError(f"likenesses={letters!r}", expected="some letters of ctsf")
        for scale in self.scales:
            between("scales", scale, 1, 10_000)
        between("side", self.side, 32, 4000)
        between("smallest", self.smallest, 1, 10_000)
        between("most", self.most, 1, 1_000_000)


def propose(image: Pixels, settings: Settings | None = None) -> Proposals:
    """Return boxes round all regions that grouping a picture (3, H, W) makes, no two the same.

    A score is 1 / (1 + place × random), place 1 being the whole picture.

    >>> image = np.full((3, 60, 80), 220, np.uint8)
    >>> image[:, 20:40, 30:60] = [[[30]], [[60]], [[90]]]
    >>> [30.0, 20.0, 60.0, 40.0] in propose(image).boxes.tolist()
    True
    """
    settings = settings or Settings()
    high, wide = image.shape[1:]
    factor = max(1.0, max(high, wide) / settings.side)
    small = (max(1, round(high / factor)), max(1, round(wide / factor)))
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))  # (H, W, 3)
    if factor > 1:
        pixels = np.asarray(cv2.resize(pixels, small[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    draws = np.random.default_rng(settings.seed)
    boxes, late = [], []
    for regions in _hierarchies(pixels, settings):
        place = len(regions) - np.arange(len(regions))
        boxes.append(regions)
        late.append(place * draws.random(len(regions)))
    together, order = np.concatenate(boxes), np.concatenate(late)
    first = np.lexsort((order, *together.T[::-1]))
    _, of_each = np.unique(together[first], axis=0, return_index=True)
    kept = np.sort(first[of_each])
    grown = together[kept] * np.array([wide / small[1], high / small[0]] * 2)
    large = (grown[:, 2:] - grown[:, :2]).min(axis=1) >= settings.smallest
    scores = 1 / (1 + order[kept][large])
    return ranked(grown[large], scores, (high, wide), settings.most)


def _hierarchies(pixels: Pixels, settings: Settings) -> Iterator[NDArray[np.float64]]:
    """Yield the boxes of the regions of each grouping, in the order they were made."""
    for space in settings.spaces:
        code = SPACES[space]
        turned = pixels if code is None else np.asarray(cv2.cvtColor(pixels, code), np.uint8)
        for scale in settings.scales:
            labels = segments(turned, scale)
            first = measured(turned, labels)
            pairs = neighbours(labels)
            for letters in settings.likenesses:
                yield grouped(first, pairs, labels.size, letters)


# ── segments and what is measured of them ───────────────────────────────────────────────────────


class Regions(NamedTuple):
    """Holds of each region: pixels (R,), box (R, 4), colour (R, 75), texture (R, 240)."""

    pixels: Floats
    boxes: Floats
    colour: Floats
    texture: Floats


def segments(pixels: Pixels, scale: float) -> Labels:
    """Return the first segments of (H, W, 3), labels from 0 up; none is below ``scale`` pixels."""
    labels = felzenszwalb(pixels, scale=scale, sigma=SMOOTH, min_size=round(scale))
    return np.asarray(labels, np.int64)


def measured(pixels: Pixels, labels: Labels) -> Regions:
    """Return what grouping asks of segments (H, W): histograms sum to 1 over all channels.

    >>> pixels, labels = np.zeros((2, 4, 3), np.uint8), np.array([[0, 0, 1, 1]] * 2)
    >>> found = measured(pixels, labels)
    >>> found.boxes.tolist(), found.colour[0, [0, 25, 50]].tolist() == [np.float32(1 / 3)] * 3
    ([[0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 4.0, 2.0]], True)
    """
    many = int(labels.max()) + 1
    count = np.bincount(labels.ravel(), minlength=many).astype(np.float32)
    bins = [pixels[..., c].astype(np.int64) * COLOURS // 256 for c in range(3)]
    colour = np.concatenate([_histogram(labels, b, COLOURS, many) for b in bins], axis=1)
    texture = np.concatenate(
        [_histogram(labels, b, STRENGTHS, many) for b in _directed(pixels)], axis=1
    )
    each = count[:, None]
    shares = [np.asarray(h / (n * each), np.float32) for h, n in ((colour, 3), (texture, 3 * WAYS))]
    return Regions(count, _boxes(labels, many), *shares)


def _histogram(labels: Labels, bins: Labels, size: int, many: int) -> Floats:
    """Return how often each of ``size`` bins occurs in each segment, (R, size)."""
    cells = np.bincount((labels * size + bins).ravel(), minlength=many * size)
    return cells.reshape(many, size).astype(np.float32)


def _directed(pixels: Pixels) -> Iterator[Labels]:
    """Yield for each channel and each of eight ways how steeply it rises that way, as bins (H, W).

    The slopes are Gaussian derivatives, σ = 1; what falls that way counts as flat.
    """
    smooth = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1.0)
    down, across = (
        np.gradient(smooth, axis=axis) if smooth.shape[axis] > 1 else np.zeros_like(smooth)
        for axis in (0, 1)
    )
    steepest = np.maximum(np.hypot(down, across).max(axis=(0, 1)), 1e-6)  # of each channel
    for channel in range(3):
        y, x = (slope[..., channel] / steepest[channel] for slope in (down, across))
        for way in range(WAYS):
            angle = 2 * np.pi * way / WAYS
            rise = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
            yield np.clip(rise * STRENGTHS, 0, STRENGTHS - 1).astype(np.int64)


def _boxes(labels: Labels, many: int) -> Floats:
    """Return the boxes (R, 4) of segments (H, W)."""
    y, x = np.indices(labels.shape)
    found = np.empty((many, 4), np.float32)
    for side, where in enumerate((x, y)):
        low, high = np.full(many, np.iinfo(np.int64).max), np.full(many, -1)
        np.minimum.at(low, labels.ravel(), where.ravel())
        np.maximum.at(high, labels.ravel(), where.ravel())
        found[:, side], found[:, side + 2] = low, high + 1
    return found


def neighbours(labels: Labels) -> Labels:
    """Return the pairs (M, 2), smaller first, of segments that touch, corners included.

    >>> neighbours(np.array([[0, 1], [2, 2]])).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    sides = [
        (labels[:, :-1], labels[:, 1:]),
        (labels[:-1], labels[1:]),
        (labels[:-1, :-1], labels[1:, 1:]),
        (labels[:-1, 1:], labels[1:, :-1]),
    ]
    many = int(labels.max()) + 1
    keys = []
    for a, b in sides:
        apart = a != b
        one, other = a[apart], b[apart]
        keys.append(np.minimum(one, other) * many + np.maximum(one, other))
    found = np.unique(np.concatenate(keys))
    return np.stack([found // many, found % many], axis=1)


# ── grouping ────────────────────────────────────────────────────────────────────────────────────


def grouped(
    first: Regions, pairs: Labels, whole: int, letters: str = "ctsf"
) -> NDArray[np.float64]:
    """Return the boxes (2R − 1, 4) of all regions, those of ``first`` and then as they are made.

    ``whole`` is the number of pixels of the picture; equal likenesses go by the order of regions.
    """
    many = len(first.pixels)
    all_of = Regions(*(np.concatenate([part, np.zeros_like(part[1:])]) for part in first))
    touching: list[set[int]] = [set() for _ in range(2 * many - 1)]
    for a, b in pairs.tolist():
        touching[a].add(b)
        touching[b].add(a)
    alike = likeness(all_of, pairs[:, 0], pairs[:, 1], whole, letters)
    heap = [(-like, a, b) for like, (a, b) in zip(alike.tolist(), pairs.tolist(), strict=True)]
    heapq.heapify(heap)
    gone, new = bytearray(2 * many), many
    while heap:
        _, a, b = heapq.heappop(heap)
        if gone[a] or gone[b]:
            continue
        _merge(all_of, a, b, new)
        gone[a] = gone[b] = 1
        around = (touching[a] | touching[b]) - {a, b}
        for other in around:
            touching[other] -= {a, b}
            touching[other].add(new)
        touching[new] = around
        others = np.array(sorted(around), np.int64)
        if len(others):
            alike = likeness(all_of, others, np.full_like(others, new), whole, letters)
            for like, other in zip(alike.tolist(), others.tolist(), strict=True):
                heapq.heappush(heap, (-like, other, new))
        new += 1
    return all_of.boxes[:new].astype(np.float64)


def _merge(regions: Regions, a: int, b: int, new: int) -> None:
    """Write region ``new``, made of two: histograms are averaged by pixels (equation 3)."""
    pixels, boxes, colour, texture = regions
    pixels[new] = pixels[a] + pixels[b]
    boxes[new, :2] = np.minimum(boxes[a, :2], boxes[b, :2])
    boxes[new, 2:] = np.maximum(boxes[a, 2:], boxes[b, 2:])
    for histogram in (colour, texture):
        histogram[new] = (pixels[a] * histogram[a] + pixels[b] * histogram[b]) / pixels[new]


def likeness(regions: Regions, a: Labels, b: Labels, whole: int, letters: str) -> Floats:
    """Return how alike regions ``a`` and ``b``, both (M,), are: 0..1 for each letter, summed.

    Equations 2, 4, 5 and 6: histograms' intersections, and how small two regions are together and
    how little they leave empty in the box round both.
    """
    pixels, boxes, colour, texture = regions
    total = np.zeros(len(a), np.float32)
    if "c" in letters:
        total += np.minimum(colour[a], colour[b]).sum(axis=1)
    if "t" in letters:
        total += np.minimum(texture[a], texture[b]).sum(axis=1)
    both = pixels[a] + pixels[b]
    if "s" in letters:
        total += 1 - both / whole
    if "f" in letters:
        low = np.minimum(boxes[a, :2], boxes[b, :2])
        high = np.maximum(boxes[a, 2:], boxes[b, 2:])
        total += 1 - ((high - low).prod(axis=1) - both) / whole
    return total
