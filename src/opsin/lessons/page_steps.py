"""Every step of the small net on the X and the O as plain data, for the page that shows it move.

Nothing is computed on the page: what it shows of filtering, ReLU and pooling is what is said here.

Shapes: a picture is (9, 9), a map (7, 7), what is kept of it (4, 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.lessons import sliding
from opsin.lessons.printed import cut
from opsin.lessons.x_or_o import FILTERS, LETTERS, POOL, walk

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


def printed(value: float) -> str:
    """Return a number as the lecture prints it: two decimals, the rest cut off.

    >>> printed(7 / 9), printed(-1 / 9)
    ('0.77', '-0.11')
    """
    return f"{cut(float(value)):.2f}"


def row_of(values: ArrayLike) -> list[str]:
    """Return all numbers of an array as printed, line by line as one reads."""
    return [printed(value) for value in np.asarray(values).ravel()]


def steps() -> dict[str, Any]:
    """Return for each letter and each filter what happens at every place.

    >>> first = steps()["X"]["A"]["filter"][0]
    >>> first["products"], first["total"], first["value"]
    ([-1, 1, 1, 1, 1, 1, 1, 1, 1], 7, '0.77')
    """
    return {letter: _letter(picture) for letter, picture in LETTERS.items()}


def _letter(picture: Numbers) -> dict[str, Any]:
    found = walk(picture)
    told: dict[str, Any] = {"picture": picture.astype(int).ravel().tolist()}
    for index, (name, kernel) in enumerate(FILTERS.items()):
        told[name] = {
            "kernel": kernel.astype(int).ravel().tolist(),
            "filter": filtering(picture, kernel),
            "relu": rectifying(found.maps[index], found.rectified[index]),
            "pool": pooling(found.rectified[index], found.final[index]),
        }
    return told


def filtering(picture: Numbers, kernel: Numbers) -> list[dict[str, Any]]:
    """Return every place of a filter: what it sees, nine products, their sum, and a ninth of it."""
    return [
        {
            "at": [place.top, place.left],
            "seen": place.seen.astype(int).ravel().tolist(),
            "products": place.products.astype(int).ravel().tolist(),
            "total": int(place.total),
            "value": printed(place.total / kernel.size),
        }
        for place in sliding.places(picture, kernel)
    ]


def rectifying(before: Numbers, after: Numbers) -> list[dict[str, Any]]:
    """Return every number of a map and what ReLU makes of it."""
    return [
        {"at": [i, j], "seen": [printed(number)], "value": printed(becomes)}
        for i, (row, after_it) in enumerate(zip(before, after, strict=True))
        for j, (number, becomes) in enumerate(zip(row, after_it, strict=True))
    ]


def pooling(before: Numbers, after: Numbers) -> list[dict[str, Any]]:
    """Return every window of pooling: its numbers row by row, fewer at the edge, and the largest.

    >>> last = pooling(np.eye(3), np.ones((2, 2)))[3]
    >>> last
    {'at': [2, 2], 'wide': 1, 'seen': ['1.00'], 'value': '1.00'}
    """
    high, wide = POOL.axes
    told = []
    for i, j in np.ndindex(after.shape):
        top, left = i * high.stride, j * wide.stride
        seen = before[top : top + high.kernel, left : left + wide.kernel]
        at = [top, left]
        value = row_of(after[i, j])[0]
        told.append({"at": at, "wide": seen.shape[1], "seen": row_of(seen), "value": value})
    return told
