"""Axes: round ticks, their labels, and text that fits. Pure arithmetic, no markup."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values between the first and the last tick to places between ``start`` and ``end``."""

    ticks: tuple[float, ...]
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; what lies outside is put on the edge."""
        low, high = self.ticks[0], self.ticks[-1]
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)

    def labels(self) -> list[str]:
        """Return the ticks in words, all with as many decimals as their step needs."""
        step = self.ticks[1] - self.ticks[0]
        if max(abs(self.ticks[0]), abs(self.ticks[-1])) >= 1e6 or step < 1e-5:
            return [f"{tick:.3g}" for tick in self.ticks]
        digits = next((d for d in range(7) if abs(round(step, d) - step) < 1e-6 * step), 7)
        return [f"{tick:,.{digits}f}" for tick in self.ticks]


def ticks(values: Iterable[float], most: int = 6) -> tuple[float, ...]:
    """Return round numbers that enclose all finite values (Heckbert, Graphics Gems, 1990, p. 61).

    >>> ticks([0.13, 0.87])
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    >>> ticks([5.0, 5.0])
    (4.0, 5.0, 6.0)
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        reach = 10.0 ** math.floor(math.log10(abs(low) / 2)) if low else 1.0
        return low - reach, low, low + reach
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))


def decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten that enclose two values above zero.

    >>> decades(0.4, 7.0)
    [0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    """
    start, end = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [float(f"{m * 10.0**power:.3g}") for power in range(start, end + 1) for m in (1, 2, 5)]
    first = max((i for i, step in enumerate(steps) if step <= low), default=0)
    last = min((i for i, step in enumerate(steps) if step >= high), default=len(steps) - 1)
    return steps[first : last + 1]


def width(text: str) -> float:
    """Return about how wide a text is, in letters; wide characters count two, joined ones none."""
    return sum(
        0.0
        if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn")
        else 2.0
        if unicodedata.east_asian_width(letter) in "WF"
        else 1.0
        for letter in text
    )


def fit(text: str, letters: int) -> str:
    """Return the text cut to about so many letters, with an ellipsis where it was cut.

    >>> fit("long sleeve", 20), fit("a very long name indeed", 10)
    ('long sleeve', 'a very lo…')
    """
    text = " ".join(text.split())
    if width(text) <= letters:
        return text
    kept = ""
    for letter in text:
        if width(kept + letter) > letters - 1:
            break
        kept += letter
    return kept.rstrip() + "…"
