"""A chain of operations, read from a line of text and drawn for a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches

import numpy as np

from opsin.augment._operation import (
    Colour,
    Cover,
    Floats,
    Frame,
    Geometry,
    Operation,
    find,
    identities,
    in_words,
    names,
    stream,
)
from opsin.augment.draw import Draw
from opsin.errors import RecipeError

POLICIES = {
    "none": "",
    "light": "flip, rotate 8, translate 0.05, scale 0.9 1.15, color 0.1",
    "strong": "flip, rotate 20, translate 0.1, scale 0.75 1.35, shear 10, color 0.4, cutout 0.3",
    "digits": "rotate 10, translate 0.08, scale 0.9 1.1, shear 10",
}


@dataclass(frozen=True, slots=True)
class Chain:
    """Applies its operations in order; ``str`` gives the line that ``parse`` reads back."""

    operations: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        return ", ".join(map(str, self.operations)) or "none"

    def draw(
        self, n: int, working: tuple[int, int], out: tuple[int, int], seed: tuple[int, ...]
    ) -> Draw:
        """Draw everything that will happen to ``n`` pictures: a pure function of ``seed``.

        ``working`` is the (height, width) the pictures have, ``out`` what the net sees. Each
        operation has a stream of its own, so a longer chain repeats the draws of a shorter one.

        >>> parse("none").draw(1, (9, 9), (8, 8), (0,)).geometry[0].tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        frame = Frame(n, working, out)
        geometry, colour, holes = identities(n), None, []
        for place, operation in enumerate(self.operations):
            random = stream(seed, 0, place)
            if isinstance(operation, Geometry):
                geometry = operation.matrices(random, frame) @ geometry
            elif isinstance(operation, Colour):
                light = operation.matrices(random, frame)
                colour = light if colour is None else _compose(light, colour)
            elif isinstance(operation, Cover):
                holes.append(operation.holes(random, frame))
        covered = np.stack(holes, axis=1) if holes else np.empty((n, 0, 4), np.int64)
        return Draw(frame, geometry, colour, covered)


def parse(text: str) -> Chain:
    """Read a line: words with numbers, between commas; the name of a policy stands for its line.

    Raises ``RecipeError`` with the position of what is wrong and the nearest word that is right.

    >>> print(parse("flip,  rotate 15.0"))
    flip, rotate 15
    >>> print(parse("digits, cutout 0.2"))
    rotate 10, translate 0.08, scale 0.9 1.1, shear 10, cutout 0.2
    """
    return Chain(tuple(_operations(text)))


def _operations(text: str) -> Iterator[Operation]:
    """Yield the operations of a line, those of policies in their place."""
    start = 0
    for part in text.split(",") if text.strip() else ():
        words = part.split()
        at = start + len(part) - len(part.lstrip())
        start += len(part) + 1
        if not words:
            raise _wrong(text, at, "nothing", expected="an operation between commas")
        name, *numbers = words
        if name in POLICIES:
            if numbers:
                raise _wrong(text, at, repr(" ".join(words)), expected=f"'{name}' without numbers")
            yield from _operations(POLICIES[name])
        elif name in names():
            yield _operation(text, at, name, numbers)
        else:
            raise _unknown(text, at, name)


def _operation(text: str, at: int, name: str, numbers: list[str]) -> Operation:
    """Make the operation of one word and its numbers."""
    kind = find(name)
    specs = fields(kind)
    usage = f"'{' '.join([name, *(spec.name.upper() for spec in specs)])}'"
    needed = sum(spec.default is MISSING for spec in specs)
    if not needed <= len(numbers) <= len(specs):
        ranges = ", ".join(f"{spec.name} {in_words(spec)}" for spec in specs) or "no numbers"
        received = f"{name} with {len(numbers) or 'no'} number{'s' * (len(numbers) != 1)}"
        raise _wrong(text, at, received, expected=f"{usage} ({ranges})")
    try:
        return kind(*map(float, numbers))
    except ValueError:
        received = f"'{name} {' '.join(numbers)}'"
        raise _wrong(text, at, received, expected=f"{usage} in numbers") from None
    except RecipeError as error:
        raise _wrong(
            text, at, error.received, expected=error.expected, remedy=error.remedy
        ) from None


def _unknown(text: str, at: int, name: str) -> RecipeError:
    """Return the error for a word that is no operation, with the nearest that is one."""
    if name == "auto":
        remedy = "'auto' is chosen from the pictures: give it alone, as --augment auto."
        return _wrong(text, at, "'auto'", expected="operations", remedy=remedy)
    known = [*POLICIES, *names()]
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    remedy = f"Did you mean '{near[0]}'?" if near else ""
    return _wrong(text, at, repr(name), expected=f"one of {', '.join(known)}", remedy=remedy)


def _wrong(text: str, at: int, received: str, *, expected: str, remedy: str = "") -> RecipeError:
    """Return the error for what stands at index ``at`` of ``text``."""
    where = f"{received} at character {at + 1} of augment={text!r}"
    return RecipeError(where, expected=expected, remedy=remedy)


def _compose(second: Floats, first: Floats) -> Floats:
    """Return the colour matrix that does ``first``, then ``second``, all (n, 3, 4)."""
    both = second[:, :, :3] @ first
    both[:, :, 3] += second[:, :, 3]
    return both
