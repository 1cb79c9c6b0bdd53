"""Kernels with names: what small matrices do to pictures, and how to write one's own.

A kernel here slides as it is written, without being turned over, as the filters of nets do
(``ops.convolution`` says more about that). So sobel-x is bright where it gets brighter to the
right. Only sobel, prewitt and emboss would change if they were turned over.

Numbers are exact fractions; rows go down, columns to the right.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction

from opsin.errors import InputError
from opsin.plugins import meant

Rows = tuple[tuple[Fraction, ...], ...]

MOST = 99  # rows or columns of a matrix that is typed
# A power of ten could be longer than memory: 1e9999999999 is not accepted.
NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})(/\d{1,30})?")


@dataclass(frozen=True, slots=True)
class Kernel:
    """Is a matrix of exact numbers with a name and a sentence about it.

    >>> kernel = named("gaussian-3")
    >>> kernel.size, kernel.total, kernel.divisor
    ((3, 3), Fraction(1, 1), 16)
    >>> print(kernel)
    1/16 × (1 2 1; 2 4 2; 1 2 1)
    """

    name: str
    rows: Rows
    about: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Return (height, width)."""
        return len(self.rows), len(self.rows[0])

    @property
    def total(self) -> Fraction:
        """Return the sum, by which a flat part of a picture becomes brighter or darker."""
        return sum((n for row in self.rows for n in row), Fraction())

    @property
    def divisor(self) -> int:
        """Return the smallest whole number that makes all numbers whole."""
        return math.lcm(*(n.denominator for row in self.rows for n in row))

    @property
    def whole(self) -> list[list[int]]:
        """Return the rows times ``divisor``."""
        return [[int(n * self.divisor) for n in row] for row in self.rows]

    @property
    def values(self) -> list[list[float]]:
        """Return the rows as floats."""
        return [[float(n) for n in row] for row in self.rows]

    def __str__(self) -> str:
        text = "; ".join(" ".join(map(str, row)) for row in self.whole)
        return text if self.divisor == 1 else f"1/{self.divisor} × ({text})"


def _kernel(name: str, about: str, text: str, divisor: int = 1) -> Kernel:
    rows = tuple(tuple(Fraction(int(n), divisor) for n in row.split()) for row in text.split(";"))
    return Kernel(name, rows, about)


BINOMIAL = "1 4 6 4 1; 4 16 24 16 4; 6 24 {} 24 6; 4 16 24 16 4; 1 4 6 4 1"

GALLERY = {
    kernel.name: kernel
    for kernel in (
        _kernel("identity", "Leaves all as it is.", "0 0 0; 0 1 0; 0 0 0"),
        _kernel("sharpen", "Adds what differs from its neighbours.", "0 -1 0; -1 5 -1; 0 -1 0"),
        _kernel("unsharp", "Sharpens: twice itself less its blur.", BINOMIAL.format(-476), -256),
        _kernel("emboss", "Lights it from a corner.", "-2 -1 0; -1 1 1; 0 1 2"),
        _kernel("box-blur", "Blurs: the mean of nine pixels.", "1 1 1; 1 1 1; 1 1 1", 9),
        _kernel("gaussian-3", "Blurs; near pixels count more.", "1 2 1; 2 4 2; 1 2 1", 16),
        _kernel("gaussian-5", "Blurs wider and rounder.", BINOMIAL.format(36), 256),
        _kernel("edge-diagonal", "Finds slanted edges and corners.", "1 0 -1; 0 0 0; -1 0 1"),
        _kernel("edge-laplace", "Finds edges of all four sides.", "0 1 0; 1 -4 1; 0 1 0"),
        _kernel("edge-outline", "Finds edges of all eight sides.", "-1 -1 -1; -1 8 -1; -1 -1 -1"),
        _kernel(
            "edge-log",
            "Laplacian of Gaussian: edges, smoothed.",
            "0 0 -1 0 0; 0 -1 -2 -1 0; -1 -2 16 -2 -1; 0 -1 -2 -1 0; 0 0 -1 0 0",
        ),
        _kernel("sobel-x", "Finds where it brightens to the right.", "-1 0 1; -2 0 2; -1 0 1"),
        _kernel("sobel-y", "Finds where it brightens downwards.", "-1 -2 -1; 0 0 0; 1 2 1"),
        _kernel("prewitt-x", "As sobel-x, all rows alike.", "-1 0 1; -1 0 1; -1 0 1"),
        _kernel("prewitt-y", "As sobel-y, all columns alike.", "-1 -1 -1; 0 0 0; 1 1 1"),
    )
}


def named(name: str) -> Kernel:
    """Return a kernel of the gallery; raise ``InputError`` with the nearest names for another."""
    if name in GALLERY:
        return GALLERY[name]
    part = [known for known in GALLERY if name and name.lower() in known]
    near = f"Did you mean {' or '.join(part)}?" if part else meant(name, list(GALLERY))
    raise InputError(
        f"the kernel {name!r}",
        expected=f"a matrix such as '1 0 -1; 2 0 -2; 1 0 -1', or one of {', '.join(GALLERY)}",
        remedy=near,
    )


def parse(text: str) -> Kernel:
    """Return the kernel that ``text`` names or spells out.

    A matrix is rows parted by ; or line ends, numbers parted by spaces or commas, or JSON. A number
    may be a fraction, as 1/9. Raises ``InputError`` for an unknown name, and for what is not a
    rectangle of numbers with the row that is wrong.

    >>> parse("1/2 0; 1 -.5").rows[1]
    (Fraction(1, 1), Fraction(-1, 2))
    >>> parse("[[1, 0, -1], [2, 0, -2], [1, 0, -1]]").size
    (3, 3)
    >>> parse("1 0 -1; 2 0")
    Traceback (most recent call last):
    opsin.errors.InputError: received a kernel whose row 2 has 2 numbers; expected 3 in each row, \
as in row 1. Fill row 2 up with zeros, or leave out what is too much.
    """
    text = text.strip()
    if text[:1].isalpha() or not text:
        return named(text)
    rows = _json(text) if text.startswith("[") else _plain(text)
    return Kernel("your matrix", _rectangle(rows))


def _plain(text: str) -> list[list[str]]:
    rows = [re.split(r"\s*,\s*|\s+", row.strip()) for row in re.split(r"[;\n]", text.rstrip("; "))]
    return [[word for word in row if word] for row in rows]


def _json(text: str) -> list[list[str]]:
    """Return the rows of a JSON matrix, numbers as they were typed."""
    example = "rows of numbers, as in [[1, 0, -1], [2, 0, -2]]"
    try:
        rows = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise InputError(f"a kernel that is not JSON: {error}", expected=example) from error
    if not all(isinstance(row, list) for row in rows):
        raise InputError("a kernel that is one list", expected=example)
    for number, row in enumerate(rows, 1):
        if not all(isinstance(word, str) for word in row):
            raise InputError(f"a kernel whose row {number} has more than numbers", expected=example)
    return [list(row) for row in rows]


def _rectangle(rows: list[list[str]]) -> Rows:
    """Return rows of numbers; raise ``InputError`` naming the row that is not like the first."""
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, 1):
        if not row or len(row) != width:
            raise InputError(
                f"a kernel whose row {number} has {len(row)} number{'s' * (len(row) != 1)}",
                expected=f"{width} in each row, as in row 1" if width else "numbers in each row",
                remedy=f"Fill row {number} up with zeros, or leave out what is too much.",
            )
    if not 0 < len(rows) <= MOST or width > MOST:
        raise InputError(
            f"a kernel of {len(rows)}×{width}", expected=f"1×1 to {MOST}×{MOST} numbers"
        )
    return tuple(
        tuple(_number(word, i, j) for j, word in enumerate(row, 1)) for i, row in enumerate(rows, 1)
    )


def _number(word: str, row: int, column: int) -> Fraction:
    try:
        if NUMBER.fullmatch(word):
            over, _, under = word.partition("/")
            return Fraction(over) / Fraction(under or 1)
    except ZeroDivisionError:
        pass
    raise InputError(
        f"a kernel with {word!r} in row {row}, column {column}",
        expected="a number such as 2, -0.5 or 1/9",
    )
