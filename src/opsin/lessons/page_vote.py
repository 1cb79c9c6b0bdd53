"""The walk-through for the page: what every picture becomes, how it is voted, and where that fails.

Shapes: maps are (3, 7, 7), what is kept of them (3, 4, 4), one for each filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.samples import x_or_o as samples
from opsin.lessons.page_steps import row_of
from opsin.lessons.x_or_o import HARDER, LETTERS, ballot, walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

DRAWN = 600  # letters in a hand of many kinds, half of them X


def cases() -> dict[str, tuple[str, Numbers]]:
    """Return what each picture is called, which letter it is, and the picture."""
    return {letter: (letter, picture) for letter, picture in LETTERS.items()} | HARDER


def walks() -> dict[str, dict[str, Any]]:
    """Return each picture's way through the net as plain data, numbers as printed.

    >>> found = walks()["X turned by 45 degrees"]
    >>> found["letter"], found["says"]
    ('X', 'O')
    """
    told = {}
    for name, (letter, picture) in cases().items():
        found = walk(picture)
        told[name] = {
            "letter": letter,
            "says": found.says,
            "picture": picture.astype(int).ravel().tolist(),
            "maps": [row_of(each) for each in found.maps],
            "final": [row_of(each) for each in found.final],
            "votes": {each: round(vote, 4) for each, vote in found.votes.items()},
            "printed": dict(zip(found.votes, row_of(list(found.votes.values())), strict=True)),
        }
    return told


def weights() -> list[list[tuple[str, float]]]:
    """Return for each filter and each number kept the letter it counts for, and how much.

    How much is a share of the heaviest weight there is; ("", 0.0) counts for neither.

    >>> len(weights()), len(weights()[0]), weights()[0][2]
    (3, 16, ('O', 0.5))
    """
    each = ballot()
    heaviest = max(float(weight.max()) for weight in each.values())
    told = []
    for index in range(3):
        pairs = zip(each["X"][index].ravel(), each["O"][index].ravel(), strict=True)
        told.append(
            [
                ("X" if x > 0 else "O" if o > 0 else "", round(float(x + o) / heaviest, 3))
                for x, o in pairs
            ]
        )
    return told


def drawn_by_hand(n: int = DRAWN) -> dict[str, int]:
    """Return how many of n/2 letters each, drawn as hands draw them, the net gets right."""
    right = dict.fromkeys(LETTERS, 0)
    for index in range(n):
        letter = "XO"[index % 2]
        grey = samples.letter(letter, index, side=9).astype(float)
        inked = 2 * (grey - grey.min()) / (grey.max() - grey.min()) - 1  # paper -1, ink 1
        right[letter] += walk(inked).says == letter
    return right


def unmoved() -> tuple[int, int]:
    """Return how many numbers of the maps, and of what is kept, stay when the X moves right by one.

    >>> unmoved()
    (7, 19)
    """
    still, moved = walk(LETTERS["X"]), walk(np.roll(LETTERS["X"], 1, axis=1))
    pairs = ((still.maps, moved.maps), (still.final, moved.final))
    maps, final = (int(np.isclose(a, b).sum()) for a, b in pairs)
    return maps, final
