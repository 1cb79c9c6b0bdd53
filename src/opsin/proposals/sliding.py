"""Windows of several sizes and aspects, slid over the whole picture: detection as classification.

Shapes: boxes (n, 4) of one size of window, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from opsin.errors import RecipeError
from opsin.proposals._proposal import Floats, Pixels, Proposals, between


@dataclass(frozen=True, slots=True)
class Settings:
    """Says which windows slide: of area scale² and height / width ``ratios``.

    ``step`` is how far the next one lies, as a share of the window's side. More than ``most``
    windows are refused, before any is made.
    """

    scales: tuple[float, ...] = (64, 128, 256)
    ratios: tuple[float, ...] = (1.0,)
    step: float = 0.25
    most: int = 200_000

    def __post_init__(self) -> None:
        for scale in self.scales:
            between("scales", scale, 1, 100_000)
        for ratio in self.ratios:
            between("ratios", ratio, 0.01, 100)
        between("step", self.step, 0.01, 4)
        between("most", self.most, 1, 100_000_000)


def propose(image: Pixels, settings: Settings | None = None) -> Proposals:
    """Return every window of a picture (3, H, W), each with the score 1.

    >>> image = np.zeros((3, 100, 100), np.uint8)
    >>> propose(image, Settings(scales=(50,), step=0.5)).boxes[:2].tolist()
    [[0.0, 0.0, 50.0, 50.0], [25.0, 0.0, 75.0, 50.0]]
    """
    settings = settings or Settings()
    size = image.shape[1], image.shape[2]
    found = [np.zeros((0, 4), np.float32), *windows(size, settings)]
    boxes = np.concatenate(found)
    return Proposals(boxes, np.ones(len(boxes), np.float32))


def count(size: tuple[int, int], settings: Settings) -> int:
    """Return how many windows there are in a picture of ``size``, by arithmetic alone.

    >>> count((4000, 4000), Settings(scales=(80,), step=0.1))
    241081
    """
    return sum(
        len(places(size[0], high, settings.step)) * len(places(size[1], wide, settings.step))
        for high, wide in sides(settings)
        if high <= size[0] and wide <= size[1]
    )


def windows(size: tuple[int, int], settings: Settings) -> Iterator[Floats]:
    """Yield the windows (n, 4) of each size that fits; raise ``RecipeError`` for too many.

    The last window of a row or a column is moved back to end at the picture's edge, so that every
    pixel is seen. A window larger than the picture is left out.
    """
    total = count(size, settings)
    if total > settings.most:
        raise RecipeError(
            f"{total:,} windows in a picture of {size[0]}×{size[1]}",
            expected=f"at most {settings.most:,}",
            remedy="Take a larger step, fewer scales, or another way to propose.",
        )
    for high, wide in sides(settings):
        if high > size[0] or wide > size[1]:
            continue
        top, left = (
            places(n, side, settings.step) for n, side in zip(size, (high, wide), strict=True)
        )
        y, x = (grid.ravel() for grid in np.meshgrid(top, left, indexing="ij"))
        yield np.stack([x, y, x + wide, y + high], axis=1).astype(np.float32)


def sides(settings: Settings) -> list[tuple[int, int]]:
    """Return height and width of the windows in whole pixels.

    >>> sides(Settings(scales=(64,), ratios=(1.0, 4.0)))
    [(64, 64), (128, 32)]
    """
    pairs = [(s * r**0.5, s / r**0.5) for s in settings.scales for r in settings.ratios]
    return [(max(1, round(high)), max(1, round(wide))) for high, wide in pairs]


def places(size: int, side: int, step: float) -> Floats:
    """Return where windows begin along one axis, the last flush with the end.

    >>> places(100, 40, 0.5).tolist()
    [0.0, 20.0, 40.0, 60.0]
    """
    far = max(1, round(side * step))
    starts = np.arange(0, size - side + 1, far, dtype=np.float32)
    return starts if starts[-1] == size - side else np.append(starts, np.float32(size - side))
