"""From a picture to what a net sees, by one rule that travels inside the model file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from opsin.errors import ModelError
from opsin.results import Placement

FITS = ("cover", "pad", "squash")
INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """States how a picture becomes the net's input; it belongs to the weights.

    A picture is first brought to the ``working`` size: ``cover`` scales until it is filled and cuts
    what hangs over, ``pad`` scales until the picture fits and fills with grey, ``squash`` ignores
    the aspect ratio. The net then sees the central ``size`` (height, width) of it, as float
    ``(x / 255 - mean) / std``. ``crop`` is size over working size. Training keeps pictures at the
    working size, so that shifting and zooming has something to show.

    >>> Preprocessing(size=(224, 224)).working
    (256, 256)
    """

    size: tuple[int, int]
    crop: float = 0.875
    fit: str = "cover"
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        def sound() -> bool:
            return (
                len(self.size) == 2
                and all(isinstance(side, int) and 1 <= side <= 4096 for side in self.size)
                and 0.1 <= self.crop <= 1.0
                and self.fit in FITS
                and self.interpolation in INTERPOLATIONS
                and len(self.mean) == len(self.std) in (1, 3, 4)
                and all(value > 0 for value in self.std)
                and all(math.isfinite(value) for value in (*self.mean, *self.std))
            )

        if not sound():
            raise ModelError(f"{self}", expected="sizes in 1..4096, a crop in 0.1..1, std above 0")

    @property
    def working(self) -> tuple[int, int]:
        """Return (height, width) of the picture before the central crop."""
        height, width = (round(side / self.crop) for side in self.size)
        return height, width

    def scales(self, original: tuple[int, int]) -> tuple[float, float]:
        """Return how much smaller the working size is than (height, width), down and across."""
        down, across = (room / side for room, side in zip(self.working, original, strict=True))
        if self.fit == "squash":
            return down, across
        scale = max(down, across) if self.fit == "cover" else min(down, across)
        return scale, scale

    def placement(self, original: tuple[int, int]) -> Placement:
        """Return where a picture of ``original`` (height, width) lies at the working size.

        >>> Preprocessing((100, 100), crop=1.0, fit="pad").placement((100, 200)).shift
        (0.0, 25.0)
        """
        axes = zip(original, self.working, self.scales(original), strict=True)
        (down, top), (across, left) = (_axis(length, room, scale) for length, room, scale in axes)
        return Placement((across, down), (left, top), original, self.working)

    @property
    def channels(self) -> int:
        """Return 3 for colour, 1 for grey (luma, ITU-R 601), 4 for colour and a fourth band."""
        return len(self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, with the fixed rules spelled out for whoever reads the file."""
        colour = "RGB and a fourth band" if self.channels == 4 else "RGB, alpha over white"
        return asdict(self) | {"exif": "applied", "colour": colour}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the preprocessing that ``to_dict`` described."""
        return cls(
            size=(plain["size"][0], plain["size"][1]),
            crop=plain["crop"],
            fit=plain["fit"],
            interpolation=plain["interpolation"],
            mean=tuple(plain["mean"]),
            std=tuple(plain["std"]),
        )


def _axis(length: int, room: int, scale: float) -> tuple[float, float]:
    """Return scale and shift along a side of ``length`` in a ``room``, as ``decode`` fits it."""
    inner = min(room, max(1, round(length * scale)))  # pixels that the scaled part has
    part = min(length, room / scale)  # of the picture that is shown
    true = inner / part
    return true, (room - inner) // 2 - (length - part) / 2 * true
