"""The contract of an operation: one file ``operations/NAME.py`` with one class ``NAME.title()``.

An operation is of one of five kinds, and each kind answers one question for n pictures at once:

    Geometry.matrices   where does each point go?      (n, 3, 3), composed, then warped once
    Bent.bend           where is each pixel fetched?   smooth waves, in the same warp
    Colour.matrices     what becomes of each colour?   (n, 3, 4), composed, then applied once
    Pixels.settle       what is done to each picture   (n, K) numbers, which ``change`` then
                        as a whole?                    applies to what was warped
    Cover.holes         which box is hidden?           (n, 4), filled with the mean colour

Points are (x, y) in pixels, y down, measured from the centre of the window that the net sees;
colours are RGB in 0..1. Matrices act from the left on columns. All that is random comes from the
``Lots`` of the call, so that each picture's share depends on its own key alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from opsin import plugins
from opsin.augment.lots import Floats, Ints, Lots
from opsin.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor

    from opsin.augment.waves import Waves


@dataclass(frozen=True, slots=True)
class Frame:
    """Says what is drawn for: ``n`` pictures of ``working`` (H, W); ``out`` (h, w) is seen.

    For operations that look at the pictures, ``mass`` (n, 2) is the point in whose midst their ink
    lies and ``light`` (n, 3) their mean colour, both after what stands before in the chain.

    >>> Frame(32, (256, 256), (224, 224)).corner
    (16, 16)
    """

    n: int
    working: tuple[int, int]
    out: tuple[int, int]
    mass: Floats | None = None
    light: Floats | None = None

    @property
    def corner(self) -> tuple[int, int]:
        """Return (top, left) of the central window, rounded down where the margin is odd."""
        (high, wide), (height, width) = self.working, self.out
        return (high - height) // 2, (wide - width) // 2

    @property
    def mirrors(self) -> bool:
        """Say whether a picture's mirror image lies outside of it, as suits photographs.

        Of small ones the edge goes on: a digit's mirror image would be a stroke too many.
        """
        return max(self.working) > SMALL


SMALL = 64  # pixels, the longest side of pictures whose edge goes on outside


def amount(
    unit: str, least: float, most: float, default: Any = MISSING, *, still: float | None = None
) -> Any:
    """Declare a number of an operation with its unit and its range (ends included).

    ``still`` is the value at which nothing is changed, for numbers that are a strength.
    """
    about = {"unit": unit, "least": least, "most": most, "still": still}
    return field(metadata=about) if default is MISSING else field(default=default, metadata=about)


def in_words(spec: Field[Any]) -> str:
    """Return range and unit of a declared amount, as an error says them."""
    return "{least:g} to {most:g} {unit}".format(**spec.metadata)


@dataclass(frozen=True, slots=True)
class Operation:
    """Is one word of a chain with its numbers; raises ``RecipeError`` for one out of range.

    One that looks at the pictures says so with ``looks``; it is then drawn with them at hand.
    """

    looks: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for spec in fields(self):
            value, about = getattr(self, spec.name), spec.metadata
            if not about["least"] <= value <= about["most"]:  # also refuses nan
                raise RecipeError(
                    f"{name_of(self)} with {spec.name} {value:g}",
                    expected=in_words(spec),
                )

    def halved(self) -> Self:
        """Return the same operation at half its strength."""
        gentle = {
            spec.name: (getattr(self, spec.name) + spec.metadata["still"]) / 2
            for spec in fields(self)
            if spec.metadata["still"] is not None
        }
        return replace(self, **gentle)

    def __str__(self) -> str:
        given = [(getattr(self, spec.name), spec.default) for spec in fields(self)]
        while given and given[-1][0] == given[-1][1]:
            given.pop()
        return " ".join([name_of(self), *(repr(value).removesuffix(".0") for value, _ in given)])


class Geometry(Operation, ABC):
    """Moves points."""

    __slots__ = ()

    @abstractmethod
    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw where points go in each picture, (n, 3, 3): x y 1 becomes x·s y·s s."""


class Bent(Operation, ABC):
    """Moves points as no matrix can; in pixels of the window, after all matrices."""

    __slots__ = ()

    @abstractmethod
    def bend(self, lots: Lots, frame: Frame) -> Waves:
        """Draw how far from itself each pixel of the window fetches its colour."""


class Colour(Operation, ABC):
    """Changes colours, everywhere in a picture alike."""

    __slots__ = ()

    @abstractmethod
    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw the new colour in each picture, (n, 3, 4): a matrix and an offset."""


class Pixels(Operation, ABC):
    """Changes what was warped and recoloured, as a whole."""

    __slots__ = ()

    @abstractmethod
    def settle(self, lots: Lots, frame: Frame) -> Floats:
        """Draw the numbers that decide what becomes of each picture, (n, K)."""

    @abstractmethod
    def change(self, seen: Tensor, numbers: Floats) -> Tensor:
        """Return changed pictures (n, C, h, w), float32 in 0..1; may write over ``seen``."""


class Cover(Operation, ABC):
    """Hides a part of what the net sees."""

    __slots__ = ()

    @abstractmethod
    def holes(self, lots: Lots, frame: Frame) -> Ints:
        """Draw one box x1 y1 x2 y2 in whole pixels of the window for each picture, (n, 4)."""


def in_order(operation: Operation, least: float, most: float) -> None:
    """Check the numbers of an operation that draws between two: raise ``RecipeError`` if swapped.

    Called as its ``__post_init__``.
    """
    Operation.__post_init__(operation)
    if least > most:
        name = name_of(operation)
        raise RecipeError(
            f"{name} from {least:g} to {most:g}",
            expected="the smaller number first",
            remedy=f"Write '{name} {most:g} {least:g}'.",
        )


def names() -> list[str]:
    """Return the operations there are: the files of ``operations``.

    >>> "rotate" in names()
    True
    """
    return plugins.names("opsin.augment.operations")


def find(name: str) -> type[Operation]:
    """Return the operation called ``name``, one of ``names()``."""
    module = plugins.load("opsin.augment.operations", name, "operation", RecipeError)
    found: type[Operation] = getattr(module, name.title())
    return found


def name_of(operation: Operation | type[Operation]) -> str:
    """Return the word an operation is found by: the name of its file."""
    return plugins.named(operation)


def lights(n: int) -> Floats:
    """Return ``n`` colour matrices that change nothing, (n, 3, 4), to be filled in."""
    return np.tile(np.eye(3, 4), (n, 1, 1))


def identities(n: int) -> Floats:
    """Return ``n`` matrices that move nothing, (n, 3, 3), to be filled in.

    >>> identities(2).shape
    (2, 3, 3)
    """
    return np.tile(np.eye(3), (n, 1, 1))
