"""What a picture is worth, old or large: a number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from opsin.errors import DataError
from opsin.results._drawing import captioned

if TYPE_CHECKING:
    from opsin.results._drawing import Image
    from opsin.results.placement import Placement


@dataclass(frozen=True, slots=True)
class Value:
    """Gives a number for a picture (a price, an age), in the unit of the training table.

    A prediction may carry the bounds of its 90 % interval in ``low`` and ``high``.

    >>> Value(12.5, low=10.0, high=15.0).rows()
    [{'value': 12.5, 'low': 10.0, 'high': 15.0}]
    """

    kind: ClassVar[str] = "value"
    columns: ClassVar[tuple[str, ...]] = ("value", "low", "high")
    located: ClassVar[bool] = False  # whether it says where something is

    value: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise DataError(f"the number {self.value}", expected="a finite number")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``value`` and, for a prediction, ``low`` and ``high``."""
        if self.low is None or self.high is None:
            return {"value": self.value}
        return {"value": self.value, "low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the value that ``to_dict`` described."""
        return cls(plain["value"], plain.get("low"), plain.get("high"))

    def placed(self, placement: Placement) -> Self:
        """Return it as it is: it says the same of the picture at any size."""
        del placement
        return self

    def restored(self, placement: Placement) -> Self:
        """Return it as it is."""
        del placement
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return the one row that a table has of it."""
        return [self.to_dict()]

    def words(self) -> str:
        """Return the result as one says it: the number, to four digits."""
        return f"{self.value:.4g}"

    def draw(self, image: Image) -> Image:
        """Return a copy of ``image`` (3, H, W) with the number written on it."""
        return captioned(image, self.words())
