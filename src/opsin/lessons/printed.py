"""Matrices as text, the way they are read aloud."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def cut(value: float, decimals: int = 2) -> float:
    """Return ``value`` with what follows its ``decimals`` cut off, not rounded.

    >>> cut(7 / 9), cut(-1 / 9), cut(0.29), cut(-0.001)
    (0.77, -0.11, 0.29, 0.0)
    """
    # 0.29 * 100 is 28.999…: what is a whole number but for the last bits is meant to be one.
    scale = 10.0**decimals
    return math.trunc(round(value * scale, 9)) / scale


def grid(matrix: ArrayLike, decimals: int = 2) -> str:
    """Return a matrix as lines of numbers in columns, decimals cut off.

    >>> print(grid([[7 / 9, -1 / 9], [1.0, 0.25]]))
     0.77 -0.11
     1.00  0.25
    """
    rows = [[f"{cut(n, decimals):.{decimals}f}" for n in row] for row in np.asarray(matrix)]
    width = max(len(cell) for row in rows for cell in row)
    return "\n".join(" ".join(cell.rjust(width) for cell in row) for row in rows)


def strokes(picture: ArrayLike) -> str:
    """Return a picture of -1 and +1 as lines of dots and hashes.

    >>> print(strokes([[-1, 1], [1, -1]]))
    . #
    # .
    """
    return "\n".join(" ".join(".#"[n > 0] for n in row) for row in np.asarray(picture).tolist())


def beside(*blocks: str, gap: str = "    ") -> str:
    """Return blocks of text next to each other, of the same number of lines or fewer.

    >>> print(beside("a\\nb", "1", gap=" "))
    a 1
    b
    """
    split = [block.splitlines() for block in blocks]
    widths = [max(map(len, lines)) for lines in split]
    tallest = max(map(len, split))
    padded = [lines + [""] * (tallest - len(lines)) for lines in split]
    return "\n".join(
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*padded, strict=True)
    )
