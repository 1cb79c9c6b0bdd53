"""Names beside points that hide nothing and each other: pure arithmetic, no markup.

A box is (left, top, right, bottom) in the units of a drawing; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Box = tuple[float, float, float, float]
Point = tuple[float, float]

TALL = 13.0  # units of a line of text
NEAR, FURTHER, RINGS = 8.0, 13.0, 5  # units from a point to its name: the least, more, how often


def beside(
    points: Sequence[Point], wide: Sequence[float], taken: Sequence[Box], frame: Box
) -> list[Box | None]:
    """Return where each point's name stands, None where there is no room; the first choose first.

    Names stay within ``frame`` and off each other and all that is ``taken``: near their point if
    they can, right of it if they can.

    >>> beside([(50, 50), (50, 50)], [20, 20], [], (0, 0, 100, 100))
    [(58.0, 43.5, 78.0, 56.5), (22.0, 43.5, 42.0, 56.5)]
    >>> beside([(5, 5)], [200], [], (0, 0, 100, 100))
    [None]
    """
    full, found = list(taken), list[Box | None]()
    for point, letters in zip(points, wide, strict=True):
        places = (
            box
            for box in _around(point, letters)
            if _within(box, frame) and not any(overlap(box, other) for other in full)
        )
        place = next(places, None)
        found.append(place)
        full += [place] if place else []
    return found


def overlap(one: Box, other: Box) -> bool:
    """Say whether two boxes share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _around(point: Point, wide: float) -> Iterator[Box]:
    """Give the places around a point, the nearest first: right, left, above, below, corners."""
    x, y = point
    for ring in range(RINGS):
        away = NEAR + FURTHER * ring
        level, centred = y - TALL / 2, x - wide / 2
        above, below = y - away - TALL, y + away
        lefts = (x + away, x - away - wide)
        corners = [(left, top) for top in (above, below) for left in lefts]
        sides = [(left, level) for left in lefts] + [(centred, above), (centred, below)]
        for left, top in sides + corners:
            yield left, top, left + wide, top + TALL


def _within(box: Box, frame: Box) -> bool:
    """Say whether a box lies in another."""
    inside = box[0] >= frame[0] and box[1] >= frame[1]
    return inside and box[2] <= frame[2] and box[3] <= frame[3]
