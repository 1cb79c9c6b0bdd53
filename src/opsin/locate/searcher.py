"""Finds objects in a picture with a classifier that has a class for the ground.

Of windows that overlap, non-maximum suppression keeps the surest; its box becomes the mean of those
of its class that it nearly covers, weighed by their scores (Gidaris & Komodakis, Object Detection
via a Multi-region & Semantic Segmentation-aware CNN Model, 2015, section 5), since all windows
round an object are about as sure, and it is the middle of them that is right.

Shapes: an image (B, H, W) of three or four bands; n windows of K classes, boxes (n, 4), scores
(n, K).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from opsin.data.decode import decode
from opsin.data.scaling import hold_to_bands
from opsin.engine import heap
from opsin.errors import DataError, ModelError, RecipeError
from opsin.locate import patches
from opsin.locate.frames import CONTEXT, Floats, checked, widening
from opsin.locate.sliding_net import SlidingNet
from opsin.locate.ways import Dense, read
from opsin.model import Prediction, sources
from opsin.ops import boxes as geometry
from opsin.ops.suppress import nms
from opsin.proposals import sliding
from opsin.results import Boxes, Label

if TYPE_CHECKING:
    from opsin.model import Model

    Pixels = NDArray[np.uint8]

GROUND = ("background", "none", "other", "negative")  # what the class of no object may be called
LEAST = 0.05  # score below which nothing is kept, not even to draw a curve
MOST = 20_000  # windows that are suppressed, the surest
HELD = 1_000_000  # overlaps of boxes with all others that are held at once
NEAR = 0.5  # IoU from which on windows say together where an object is


class TooSmall(DataError):
    """Is raised for a picture into which not one window fits."""


class Searcher:
    """Is a classifier made ready to search pictures in one way.

    ``proposals`` is a line that ``ways.read`` takes; ``background`` the class of no object, found
    by its usual names if not given; ``context`` what crops showed round an object, as a share of
    its longer side; boxes of a class with an IoU above ``overlap`` are one object.
    Raises ``ModelError`` for a model that is no such classifier.
    """

    def __init__(
        self,
        model: Model,
        proposals: str = "sliding",
        *,
        background: str | None = None,
        context: float = CONTEXT,
        overlap: float = 0.3,
    ) -> None:
        if not 0 <= overlap <= 1:
            raise RecipeError(f"overlap={overlap}", expected="a number from 0 to 1")
        heap.keep()  # a large picture's grey and tiles would be mapped anew each time
        self.way = read(proposals)
        self.model, self.context, self.overlap = model, checked(context), overlap
        self.ground = model.classes.index(ground(model, background))
        self.net = SlidingNet(model, context) if isinstance(self.way.settings, Dense) else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes that can be found."""
        return tuple(c for place, c in enumerate(self.model.classes) if place != self.ground)

    def notes(self) -> list[str]:
        """Return what a person should know of this way of looking."""
        return self.net.notes() if self.net else []

    def iterate(self, images: Any, score: float = 0.5) -> Iterator[Prediction]:
        """Yield the objects of each of the images that ``Model.predict`` takes, one by one.

        A picture that cannot be searched becomes a prediction with an ``error``.
        """
        if not 0 <= score <= 1:
            raise RecipeError(f"score={score}", expected="a number from 0 to 1")
        return self._iterate(images, score)

    def _iterate(self, images: Any, score: float) -> Iterator[Prediction]:
        for name, source in sources(images):
            try:
                yield Prediction(name, self.find(decode(source), score))
            except DataError as error:
                yield Prediction(name, error=str(error))

    def find(self, image: Pixels, least: float = LEAST) -> Boxes:
        """Return the objects of an image whose score is ``least`` or more, the surest first.

        Raises ``TooSmall`` for an image smaller than the smallest window that slides, and
        ``DataError`` for one of fewer bands than the net sees.
        """
        pre = self.model.preprocessing
        hold_to_bands(len(image), pre, "a picture")
        image = image[: max(3, pre.channels)]
        size = image.shape[1], image.shape[2]
        self._fits(size)
        found = [_few(*part) for part in self._promising(image, least)]
        none = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
        boxes, scores, classes = (
            np.concatenate(column) for column in zip(none, *found, strict=True)
        )
        boxes, scores, classes = _few(boxes, scores, classes)
        boxes, kept = merged(boxes, scores, classes, self.overlap)
        high, wide = size
        return Boxes(
            np.clip(boxes, 0, [wide, high, wide, high]),
            tuple(self.model.classes[place] for place in classes[kept]),
            np.minimum(scores[kept], 1),
            size=size,
        )

    def _promising(
        self, image: Pixels, least: float
    ) -> Iterator[tuple[Floats, Floats, NDArray[np.int64]]]:
        """Yield box, score and class of windows that may show an object, block by block."""
        for boxes, scores in self._judged(image):
            scores = scores.copy()
            scores[:, self.ground] = -1
            best = scores.argmax(axis=1)
            sure = scores[np.arange(len(best)), best]
            good = sure >= least
            yield boxes[good], sure[good], best[good]

    def _judged(self, image: Pixels) -> Iterator[tuple[Floats, Floats]]:
        if self.net is None:
            yield from patches.judged(self.model, image, self.way, self.context)
            return
        for boxes, outputs in self.net.judged(image, self.way.settings.scales):
            yield boxes, patches.scores(self.model, outputs)

    def _fits(self, size: tuple[int, int]) -> None:
        """Raise ``TooSmall`` where not one window fits."""
        if not isinstance(self.way.settings, Dense | sliding.Settings):
            return
        smallest = min(self.way.settings.scales) * widening(self.context)
        if min(size) < smallest:
            raise TooSmall(
                f"a picture of {size[0]}×{size[1]} pixels",
                expected=f"at least {smallest:.0f}×{smallest:.0f}, the smallest window",
                remedy=f"Look for smaller objects, as in: --proposals '{self.way.name}, scales "
                f"{max(1, int(min(size) / widening(self.context)))}'.",
            )


def ground(model: Model, background: str | None) -> str:
    """Return the class of a classifier that stands for no object.

    Raises ``ModelError`` for a model of another task, of pictures that are not square, or without
    such a class.
    """
    if model.task.result is not Label:
        raise ModelError(
            f"a model that answers with {model.task.result.kind}",
            expected="a classifier, learnt from crops",
            remedy="Cut crops with `opsin crops` and train on them.",
        )
    if model.preprocessing.size[0] != model.preprocessing.size[1]:
        high, wide = model.preprocessing.size
        raise ModelError(f"a net of pictures of {high}×{wide}", expected="a net of square ones")
    wanted = GROUND if background is None else (background,)
    named = [c for name in wanted for c in model.classes if c.lower() == name.lower()]
    if not named:
        raise ModelError(
            f"the classes {', '.join(model.classes[:8])}",
            expected=f"one called {' or '.join(wanted)}, of what is no object",
            remedy="Name it with --background.",
        )
    return named[0]


def merged(
    boxes: Floats, scores: Floats, classes: NDArray[np.int64], overlap: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Return boxes (k, 4) of what is left of n, each the mean of those near it, and their places.

    >>> three = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [50, 0, 60, 10]], np.float32)
    >>> found, kept = merged(three, np.array([0.5, 0.5, 0.4]), np.array([0, 0, 0]), 0.3)
    >>> found.tolist(), kept.tolist()
    ([[1.0, 0.0, 11.0, 10.0], [50.0, 0.0, 60.0, 10.0]], [0, 2])
    """
    corners, sure = torch.from_numpy(boxes).double(), torch.from_numpy(scores).double()
    groups = torch.from_numpy(classes)
    kept = nms(corners.float(), sure.float(), overlap, classes=groups)
    means = [torch.zeros((0, 4), dtype=torch.float64)]
    many = max(1, HELD // max(1, len(corners)))
    for first in range(0, len(kept), many):
        some = kept[first : first + many]
        near = geometry.overlap(corners[some].float(), corners.float()) >= NEAR  # (k, n)
        near &= groups[some][:, None] == groups
        weights = near.double() * sure
        means.append(weights @ corners / weights.sum(1, keepdim=True))
    return torch.cat(means).float().numpy(), kept.numpy()


def _few(
    boxes: Floats, scores: Floats, classes: NDArray[np.int64]
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the surest windows, so that neither memory nor suppression grows without bound."""
    best = np.argsort(-scores, kind="stable")[:MOST]
    return boxes[best], scores[best], classes[best]
