"""Truth and prediction, one small frozen class a kind.

What a net is taught with and what it predicts are the same type, so metrics, drawing, files and
reports are written once. Images here are uint8 arrays of shape (3, H, W), RGB.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from opsin.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Label:
    """Names what a picture shows; a prediction adds its score and the scores of all classes.

    ``score`` lies in 0..1. A truth has score 1 and no ``scores``.

    >>> Label("cat", 0.9, {"cat": 0.9, "dog": 0.1}).row()
    {'label': 'cat', 'score': 0.9}
    """

    kind: ClassVar[str] = "label"

    name: str
    score: float = 1.0
    scores: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not self.name:
            raise DataError("an empty label", expected="the name of a class")
        if not 0.0 <= self.score <= 1.0:
            raise DataError(f"score {self.score} for {self.name!r}", expected="a number in 0..1")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``label``, ``score`` and, for a prediction, ``scores``."""
        plain: dict[str, Any] = {"label": self.name, "score": self.score}
        return plain | {"scores": dict(self.scores)} if self.scores else plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the label that ``to_dict`` described."""
        return cls(plain["label"], plain.get("score", 1.0), dict(plain.get("scores", {})))

    def row(self) -> dict[str, Any]:
        """Return the columns of one table row."""
        return {"label": self.name, "score": self.score}

    def words(self) -> str:
        """Return the result as one says it: the name."""
        return self.name

    def draw(self, image: Image) -> Image:
        """Return a copy of ``image`` (3, H, W) with the name and score written on it."""
        return _caption(image, f"{self.name} {self.score:.0%}" if self.scores else self.name)


@dataclass(frozen=True, slots=True)
class Value:
    """Gives a number for a picture (a price, an age), in the unit of the training table.

    A prediction may carry the bounds of its 90 % interval in ``low`` and ``high``.

    >>> Value(12.5, low=10.0, high=15.0).row()
    {'value': 12.5, 'low': 10.0, 'high': 15.0}
    """

    kind: ClassVar[str] = "value"

    value: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise DataError(f"the number {self.value}", expected="a finite number")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``value`` and, for a prediction, ``low`` and ``high``."""
        return self.row()

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the value that ``to_dict`` described."""
        return cls(plain["value"], plain.get("low"), plain.get("high"))

    def row(self) -> dict[str, Any]:
        """Return the columns of one table row."""
        if self.low is None or self.high is None:
            return {"value": self.value}
        return {"value": self.value, "low": self.low, "high": self.high}

    def words(self) -> str:
        """Return the result as one says it: the number, to four digits."""
        return f"{self.value:.4g}"

    def draw(self, image: Image) -> Image:
        """Return a copy of ``image`` (3, H, W) with the number written on it."""
        return _caption(image, self.words())


Result = Label | Value


def _caption(image: Image, text: str) -> Image:
    """Write ``text`` on a dark band along the lower edge of a copy of ``image`` (3, H, W)."""
    import numpy as np
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    picture = Pillow.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    canvas = ImageDraw.Draw(picture, "RGBA")
    font = ImageFont.load_default(size=max(10, picture.height // 14))
    left, top, _, bottom = canvas.textbbox((0, 0), text, font=font)
    band = bottom - top + 8
    lowest = (0, picture.height - band, picture.width, picture.height)
    canvas.rectangle(lowest, fill=(0, 0, 0, 160))
    canvas.text((4 - left, picture.height - band + 4 - top), text, font=font, fill="white")
    return np.asarray(picture).transpose(2, 0, 1).copy()
