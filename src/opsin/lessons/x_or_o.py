"""Is it an X or an O? The whole of a tiny net, with nothing learned and nothing hidden.

Three filters slide over a 9×9 picture, the largest of each 2×2 is kept, what is negative becomes
zero, and the numbers that remain vote. After the lecture this project is built on, which follows
B. Rohrer, How Convolutional Neural Networks work (2016).

Shapes: a picture is (9, 9) of -1 and +1; three maps are (3, 7, 7), pooled (3, 4, 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.errors import SizeError
from opsin.ops.arithmetic import Window
from opsin.ops.between import max_pool, relu
from opsin.ops.convolution import convolve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


def drawn(*rows: str) -> Numbers:
    """Return a picture of +1 for each # and -1 for all else.

    >>> drawn("#.", ".#").tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    return np.array([[1.0 if mark == "#" else -1.0 for mark in row] for row in rows])


# A stroke down to the right, a crossing, a stroke down to the left.
FILTERS = {
    "A": drawn("#..", ".#.", "..#"),
    "B": drawn("#.#", ".#.", "#.#"),
    "C": drawn("..#", ".#.", "#.."),
}
POOL = Window(2, stride=2, ceil=True)  # the ragged edge is kept: 7 → 4

# fmt: off
LETTERS = {
    "X": drawn(".........", ".#.....#.", "..#...#..", "...#.#...", "....#....", "...#.#...",
               "..#...#..", ".#.....#.", "........."),
    "O": drawn(".........", "...###...", "..#...#..", ".#.....#.", ".#.....#.", ".#.....#.",
               "..#...#..", "...###...", "........."),
}
HARDER = {  # what was done to it: which letter it is, and the picture
    "X moved one pixel down and right": ("X", np.roll(LETTERS["X"], (1, 1), (0, 1))),
    "O moved one pixel down and right": ("O", np.roll(LETTERS["O"], (1, 1), (0, 1))),
    "X small": ("X", drawn(
        ".........", ".........", "..#...#..", "...#.#...", "....#....", "...#.#...", "..#...#..",
        ".........", ".........")),
    "O small": ("O", drawn(
        ".........", ".........", "...###...", "..#...#..", "..#...#..", "..#...#..", "...###...",
        ".........", ".........")),
    "X turned a little": ("X", drawn(
        ".........", "..#......", "..#....#.", "...#..#..", "...###...", "....##...", "...#..#..",
        "..#....#.", ".........")),
    "X turned by 45 degrees": ("X", drawn(
        ".........", "....#....", "....#....", "....#....", ".#######.", "....#....", "....#....",
        "....#....", ".........")),
    "O with corners": ("O", drawn(
        ".........", ".#######.", ".#.....#.", ".#.....#.", ".#.....#.", ".#.....#.", ".#.....#.",
        ".#######.", ".........")),
    "X with a heavy pen": ("X", drawn(
        ".........", ".##...##.", ".###.###.", "..#####..", "...###...", "..#####..", ".###.###.",
        ".##...##.", ".........")),
    "O with a heavy pen": ("O", drawn(
        ".........", "..#####..", ".###.###.", ".##...##.", ".##...##.", ".##...##.", ".###.###.",
        "..#####..", ".........")),
}
# fmt: on


@dataclass(frozen=True)
class Walk:
    """Is a picture's way through the net: what each step made of it, and what was voted.

    ``maps`` and ``rectified`` are (3, 7, 7), ``pooled`` and ``final`` (3, 4, 4), one for each
    filter. ``votes`` is between 0 and 1 for each letter.
    """

    picture: Numbers
    maps: Numbers
    rectified: Numbers
    pooled: Numbers
    final: Numbers
    votes: dict[str, float]

    @property
    def says(self) -> str:
        """Return the letter with the higher vote."""
        return max(self.votes, key=lambda letter: self.votes[letter])

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        steps = ("picture", "maps", "rectified", "pooled", "final")
        plain = {step: getattr(self, step).tolist() for step in steps}
        return {**plain, "votes": self.votes, "says": self.says}


def walk(picture: ArrayLike) -> Walk:
    """Take a picture (9, 9) through the net, step by step; raise ``SizeError`` for another size.

    >>> found = walk(LETTERS["O"])
    >>> found.says, {letter: round(vote, 2) for letter, vote in found.votes.items()}
    ('O', {'X': 0.25, 'O': 1.0})
    """
    pixels = np.asarray(picture, np.float64)
    if pixels.shape != (9, 9):
        raise SizeError(f"a picture {pixels.shape}", expected="(9, 9): each place has its own vote")
    maps = filtered(pixels)
    pooled = max_pool(maps, POOL)  # (3, 4, 4)
    final = relu(pooled)  # the same as pooling what is rectified: the largest stays the largest
    weights = ballot()
    votes = {letter: float((weights[letter] * final).sum()) for letter in LETTERS}
    return Walk(pixels, maps, relu(maps), pooled, final, votes)


def filtered(picture: Numbers) -> Numbers:
    """Return how well each filter fits at each place, -1 to 1: (9, 9) to (3, 7, 7).

    Multiply, add up, divide by the nine pixels of the filter: 1 is a perfect match.
    """
    stack = np.stack(list(FILTERS.values()))[:, None]  # (3, 1, 3, 3)
    return convolve(picture[None], stack) / 9


def ballot() -> dict[str, Numbers]:
    """Return how much each pooled number counts for each letter: weights (3, 4, 4) that sum to 1.

    A number votes for the letter in whose own picture it is larger, by as much as it is larger
    there. A net would learn these weights from many pictures; here one of each has to do.
    """
    own = {letter: relu(max_pool(filtered(LETTERS[letter]), POOL)) for letter in LETTERS}
    x_more = own["X"] - own["O"]  # (3, 4, 4)
    for_x, for_o = relu(x_more), relu(-x_more)
    return {"X": for_x / for_x.sum(), "O": for_o / for_o.sum()}
