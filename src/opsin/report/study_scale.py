"""How a study writes its numbers: shares in per cent with as many digits as pictures give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opsin.figures import Metric
from opsin.report.words import NARROW, called, number, term

MINUS = "\N{MINUS SIGN}"
BOUND = "\N{NO-BREAK SPACE}"
FINE = 1000  # pictures from which a hundredth of a per cent means something
LEAST = 1e-4  # p values below are not told apart


@dataclass(frozen=True, slots=True)
class Scale:
    """Writes scores of one metric that were measured on so many pictures."""

    metric: str
    pictures: int = 0

    @property
    def share(self) -> bool:
        """Return whether scores are told in per cent."""
        return term(self.metric).share

    def bare(self, value: float) -> str:
        """Write a score without its unit.

        >>> Scale("accuracy", 10_000).bare(0.99624), Scale("accuracy", 200).bare(0.99624)
        ('99.62', '99.6')
        """
        if not math.isfinite(value):
            return "n/a"
        digits = 2 if self.pictures >= FINE else 1
        shown = f"{100 * value:.{digits}f}" if self.share else number(value)
        return shown.lstrip("-") if not shown.strip("-0.") else shown.replace("-", MINUS)

    def score(self, value: float) -> str:
        """Write a score with its unit."""
        unit = f"{NARROW}%" if self.share and math.isfinite(value) else ""
        return self.bare(value) + unit

    def range(self, metric: Metric) -> str:
        """Write an interval, its unit once; a dash where there is none."""
        if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
            return "–"
        low, high = metric.low, min(metric.high, 1.0) if self.share else metric.high
        return f"{self.bare(low)}–{self.score(high)}"

    def gain(self, value: float) -> str:
        """Write how much better, whichever way, in points where scores are shares.

        >>> Scale("accuracy", 10_000).gain(-0.0012)
        '0.12 points'
        """
        return self.bare(abs(value)) + (" points" if self.share else "")

    def signed(self, value: float) -> str:
        """Write a difference with its sign."""
        return ("+" if value > 0 else "") + self.bare(value)

    def bounds(self, metric: Metric) -> str:
        """Write the interval of a difference, with signs.

        >>> Scale("accuracy", 10_000).bounds(Metric(0.001, -0.0004, 0.0024, 5))
        '−0.04 to 0.24'
        """
        if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
            return "–"
        return f"{self.bare(metric.low)} to {self.bare(metric.high)}"


def brief(value: float) -> str:
    """Write a positive number with three digits.

    >>> brief(0.41264), brief(12.345), brief(4582.8), brief(1000.0)
    ('0.413', '12.3', '4,583', '1,000')
    """
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def chance(p: float) -> str:
    """Write a p value with two digits.

    >>> chance(0.0625), chance(3e-7), chance(1.0), chance(0.2)
    ('0.062', '< 0.0001', '1', '0.2')
    """
    if not math.isfinite(p):
        return "n/a"
    return "< 0.0001" if p < LEAST else f"{p:.2g}"


def probability(p: float) -> str:
    """Write a p value with its letter, as it stands in a sentence.

    >>> probability(3e-7).split(), probability(0.03).split()
    (['p', '<', '0.0001'], ['p', '=', '0.03'])
    """
    return (f"p {chance(p)}" if p < LEAST else f"p = {chance(p)}").replace(" ", BOUND)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Join names as one says them, counting those beyond ``most``.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d"], most=2)
    ('“a”, “b” and “c”', '“a”, “b” and 2 more')
    """
    shown = [quoted(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1] if shown else ""]))


def quoted(name: str) -> str:
    """Return the name of a setting as it stands in a sentence, where it may hold commas.

    >>> quoted("lenet, rotation")
    '“lenet, rotation”'
    """
    return f"“{called(name)}”"
