"""A chain read from a line of text, with errors that point into the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from difflib import get_close_matches

from opsin.augment._operation import Operation, find, in_words, names
from opsin.augment.chain import Chain, Copies
from opsin.augment.named import POLICIES
from opsin.errors import RecipeError

MOST_COPIES = 100_000


def parse(text: str) -> Chain:
    """Read a line: words with numbers, between commas; the name of a policy stands for its line.

    ``copies 25`` at the end gives every picture 25 versions; with ``plain`` after it, the first of
    them is the picture as it is. Raises ``RecipeError`` with the position of what is wrong and the
    nearest word that is right.

    >>> print(parse("flip,  rotate 15.0"))
    flip, rotate 15
    >>> print(parse("digits, cutout 0.2, copies 25"))
    rotate 10, translate 0.08, scale 0.9 1.1, shear 10, cutout 0.2, copies 25
    """
    steps: list[Operation] = []
    copies: Copies | None = None
    for at, name, numbers in _words(text):
        if copies:
            received = repr(" ".join([name, *numbers]))
            raise _wrong(text, at, received, expected="nothing after the copies")
        if name == "copies":
            copies = _copies(text, at, numbers)
        else:
            steps += _steps(text, at, name, numbers)
    return Chain(tuple(steps), copies)


def _words(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield what stands between commas: where it begins, its word and the numbers after it."""
    start = 0
    for part in text.split(",") if text.strip() else ():
        words = part.split()
        at = start + len(part) - len(part.lstrip())
        start += len(part) + 1
        if not words:
            raise _wrong(text, at, "nothing", expected="an operation between commas")
        yield at, words[0], words[1:]


def _steps(text: str, at: int, name: str, numbers: list[str]) -> tuple[Operation, ...]:
    """Return the operations that one word stands for: those of a policy, or its own."""
    alone = name in POLICIES and not numbers  # elastic is a policy, elastic 34 4 an operation
    if name in names() and not alone:
        return (_operation(text, at, name, numbers),)
    if name not in POLICIES:
        raise _unknown(text, at, name)
    if numbers:
        received = repr(" ".join([name, *numbers]))
        raise _wrong(text, at, received, expected=f"'{name}' without numbers")
    return parse(POLICIES[name]).operations


def _copies(text: str, at: int, numbers: list[str]) -> Copies:
    """Read how many copies each picture has."""
    plain = numbers[1:] == ["plain"]
    count = int(numbers[0]) if numbers and numbers[0].isdecimal() else 0
    if len(numbers) - plain != 1 or not 1 <= count <= MOST_COPIES:
        received = repr(" ".join(["copies", *numbers]))
        expected = f"'copies N' or 'copies N plain', N 1 to {MOST_COPIES} versions of each picture"
        raise _wrong(text, at, received, expected=expected)
    return Copies(count, plain)


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
    known = [*POLICIES, *names(), "copies"]
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    remedy = f"Did you mean '{near[0]}'?" if near else ""
    return _wrong(text, at, repr(name), expected=f"one of {', '.join(known)}", remedy=remedy)


def _wrong(text: str, at: int, received: str, *, expected: str, remedy: str = "") -> RecipeError:
    """Return the error for what stands at index ``at`` of ``text``."""
    where = f"{received} at character {at + 1} of augment={text!r}"
    return RecipeError(where, expected=expected, remedy=remedy)
