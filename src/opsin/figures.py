"""Numbers and pictures of numbers, as plain data: tasks fill them in, the report draws them.

Keeping them free of any drawing lets a task say *what* should be seen without knowing how a page
looks, and lets the same data go into JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


def count(n: int, noun: str) -> str:
    """Write a number of things.

    >>> count(1, "picture"), count(3068, "class")
    ('1 picture', '3,068 classes')
    """
    plural = noun + ("es" if noun.endswith(("s", "x", "ch")) else "s")
    return f"{n:,} {noun if n == 1 else plural}"


@dataclass(frozen=True, slots=True)
class Metric:
    """Holds one number with its interval: ``low`` and ``high`` bound 95 %, ``n`` says of how many.

    >>> print(Metric(0.866, 0.83, 0.9, 372))
    0.866 (0.830–0.900, n=372)
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f}, n={self.n})"

    def short(self) -> str:
        """Return it to four digits, without its n.

        >>> Metric(0.9866, 0.983, 0.99, 372).short()
        '0.9866 (0.9830–0.9900)'
        """
        return f"{self.value:.4f} ({self.low:.4f}–{self.high:.4f})"

    def to_dict(self) -> dict[str, float | int]:
        """Return plain data with the keys ``value``, ``low``, ``high`` and ``n``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measures:
    """Holds everything a task measured: headline metrics, a table per class, and figures.

    ``metrics`` maps a name (``accuracy``) to a ``Metric``; ``per_class`` maps a class to named
    numbers; ``confusion`` counts truth (rows) against prediction (columns) in the order of
    ``classes``, and is empty for tasks without classes.
    """

    metrics: Mapping[str, Metric]
    per_class: Mapping[str, Mapping[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    figures: tuple[Figure, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``metrics``, ``per_class``, ``confusion``, ``classes``."""
        return {
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            "per_class": {name: dict(row) for name, row in self.per_class.items()},
            "confusion": [list(row) for row in self.confusion],
            "classes": list(self.classes),
        }


@dataclass(frozen=True, slots=True)
class Lines:
    """Is a chart of named series of (x, y) points; ``diagonal`` adds the line y = x."""

    title: str
    x: str
    y: str
    series: Mapping[str, tuple[tuple[float, float], ...]]
    diagonal: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Is a heat map of counts with a name for each row and each column."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Is a bar chart: one labelled bar a value, with an optional interval each."""

    title: str
    unit: str
    values: Mapping[str, float]


Figure = Lines | Matrix | Bars
