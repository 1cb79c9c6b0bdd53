"""The contract of a classical pipeline: pixels, a description of fixed length, one linear layer.

A description is one file here with a class on top of ``Description``. It ``look``s at pictures
without having learnt anything (and in threads), may learn a code book from what was seen
(``observe``), and lays what was seen out as features (``encode``). Code books are buffers: they are
saved with the model, and no gradient ever reaches them.

Shapes: N pictures, C channels, h and w pixels, S pixels of the frame, F features, K outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from timm.models._features_fx import register_notrace_module
from torch import Tensor, nn

from opsin.errors import RecipeError

Pixels = NDArray[np.uint8]
Seen = NDArray[Any]

BLOCK = 16  # pictures a thread takes at a time: they stay in the cache of its core


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class Description(nn.Module, ABC):
    """Turns pictures (N, C, h, w) into features (N, F) by a rule."""

    paper: ClassVar[str]
    called: ClassVar[str]  # in a sentence
    effort: ClassVar[float]  # milliseconds a photograph on one core: the cheapest are tried first
    counts: ClassVar[bool] = False  # whether it has a code book to learn

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels

    @property
    @abstractmethod
    def width(self) -> int:
        """Return F."""

    @abstractmethod
    def look(self, pixels: Pixels) -> Seen:
        """Return what is seen in pictures uint8 (n, C, h, w), first axis n; called in threads."""

    def encode(self, seen: Seen) -> Tensor:
        """Return the features (n, F) of what was seen."""
        return torch.from_numpy(seen)

    def observe(self, seen: Seen, seed: int) -> None:
        """Learn the code book from what was seen in training pictures."""

    def seen(self, pixels: Pixels) -> Seen:
        """Return what ``look`` sees in pictures (N, C, h, w), by several threads."""
        if not len(pixels):
            return self.look(pixels)
        blocks = [pixels[start : start + BLOCK] for start in range(0, len(pixels), BLOCK)]
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            return np.concatenate(list(threads.map(self.look, blocks)))

    def describe(self, pixels: Pixels) -> Tensor:
        """Return the features (N, F) of pictures uint8 (N, C, h, w)."""
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            return self.encode(self.seen(pixels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (N, F) of pictures (N, C, h, w), floats in 0..1."""
        if x.is_meta:
            return x.new_empty(len(x), self.width)
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise RuntimeError("counting is no operation that a trace could hold")
        pixels = (x * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        return self.describe(pixels).to(x.device)


class Counted(nn.Module):
    """Is a description with a linear layer: a net like others, but one that learns by counting.

    It expects pixels in 0..1 as they are, with nothing subtracted.
    """

    counted = True  # by NumPy and OpenCV: no runtime could take it over, no arithmetic speeds it up

    def __init__(self, features: Description, num_classes: int) -> None:
        super().__init__()
        self.num_classes, self.num_features = num_classes, features.width
        self.features = features
        self.svm = nn.Linear(features.width, num_classes) if num_classes else nn.Identity()

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
        return self.svm

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh last layer with ``num_classes`` outputs, or none for 0."""
        self.num_classes = num_classes
        self.svm = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, K) for pictures (N, C, h, w), floats in 0..1."""
        outputs: Tensor = self.svm(self.features(x))
        return outputs


def make(description: type[Description], pretrained: bool, settings: Mapping[str, Any]) -> Counted:
    """Make the net of a description; timm passes ``in_chans`` and ``num_classes``."""
    if pretrained or settings.get("drop_rate"):
        raise RecipeError(
            f"pretrained weights or dropout for {description.called}",
            expected="neither: it learns by counting",
            remedy="Leave --dropout and --weights out.",
        )
    return Counted(description(settings.get("in_chans", 3)), settings.get("num_classes", 1000))


def framed(pixels: Pixels, side: int, *, grey: bool = False) -> Pixels:
    """Return pictures (N, C, h, w) squashed to a square of ``side`` pixels, (N, S, S, C).

    With ``grey``, C becomes 1 (luma, ITU-R 601).
    """
    import cv2

    channels = 1 if grey else pixels.shape[1]
    found = np.empty((len(pixels), side, side, channels), np.uint8)
    for row, picture in zip(found, pixels, strict=True):
        image = np.ascontiguousarray(picture.transpose(1, 2, 0))  # (h, w, C)
        if grey and image.shape[2] == 3:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        shrinks = min(image.shape[:2]) > side
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        if image.shape[:2] != (side, side):
            image = cv2.resize(image, (side, side), interpolation=way)
        row[:] = image.reshape(side, side, channels)
    return found


def tally(codes: NDArray[np.int64], kinds: int, cells: int, weights: Any = None) -> Any:
    """Count how often each code 0..kinds-1 occurs in each cell of pictures (N, S, S).

    Cells are ``cells`` × ``cells`` squares; ``weights`` (N, S, S) are summed instead of 1 each.
    Returns shares of a cell's pixels, float32 (N, cells, cells, kinds).
    """
    n, side, _ = codes.shape
    place = np.arange(side) * cells // side
    cell = (place[:, None] * cells + place) * kinds  # (S, S)
    picture = np.arange(n)[:, None, None] * (cells * cells * kinds)
    bins = n * cells * cells * kinds
    flat = (codes + cell + picture).ravel()
    counts = np.bincount(flat, None if weights is None else weights.ravel(), bins)
    shares = counts.reshape(n, cells, cells, kinds) * (cells / side) ** 2
    return shares.astype(np.float32)


def frame_for(pixels: Pixels, small: int, large: int) -> int:
    """Return the side of the frame: ``small`` for pictures no larger than that, else ``large``."""
    return small if max(pixels.shape[2:]) <= small else large
