"""What a picture shows: the name of a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from opsin.errors import DataError
from opsin.results._drawing import captioned

if TYPE_CHECKING:
    from opsin.results._drawing import Image
    from opsin.results.placement import Placement


@dataclass(frozen=True, slots=True)
class Label:
    """Names what a picture shows; a prediction adds its score and the scores of all classes.

    ``score`` lies in 0..1. A truth has score 1 and no ``scores``.

    >>> Label("cat", 0.9, {"cat": 0.9, "dog": 0.1}).rows()
    [{'label': 'cat', 'score': 0.9}]
    """

    kind: ClassVar[str] = "label"
    columns: ClassVar[tuple[str, ...]] = ("label", "score")
    located: ClassVar[bool] = False  # whether it says where something is

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
        return [{"label": self.name, "score": self.score}]

    def words(self) -> str:
        """Return the result as one says it: the name."""
        return self.name

    def draw(self, image: Image) -> Image:
        """Return a copy of ``image`` (3, H, W) with the name and score written on it."""
        return captioned(image, f"{self.name} {self.score:.0%}" if self.scores else self.name)
