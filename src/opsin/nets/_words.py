"""Reading a net described in a line: words between commas, numbers, options, and errors that point.

What the words mean is in ``_spec``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsin.errors import RecipeError, SizeError
from opsin.ops.arithmetic import Window
from opsin.plugins import meant

MOST = 1_000_000  # the largest number in a line
ACTIVATIONS = {"relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh"}
WORDS = (
    "conv", "depthwise", "pool", "global", "dense", "bn", "dropout", *ACTIVATIONS,
)  # fmt: skip
ALONE = ("global", "bn", *ACTIVATIONS)  # words that nothing must follow


@dataclass(frozen=True, slots=True)
class Word:
    """Is a word of a line and where it stands, counted from 0."""

    text: str
    at: int
    line: str

    def wrong(self, expected: str, remedy: str = "") -> RecipeError:
        """Return the error that points at this word."""
        begin = max(0, self.at - 50)
        shown = self.line[begin : self.at + 50]
        mark = " " * (self.at - begin) + "^" * max(1, len(self.text))
        said = repr(self.text) if self.text else "nothing"
        return RecipeError(
            f"{said} in column {self.at + 1} of the described net",
            expected=expected,
            remedy=f"{remedy}\n  {shown}\n  {mark}".lstrip(" "),
        )


def split(line: str) -> list[list[Word]]:
    """Return the words of each layer; an empty layer, or an unknown first word, is an error."""
    parts, at = [], 0
    line = re.sub(r"\s", " ", line.replace("×", "x").lower())
    for text in line.split(","):
        found = re.finditer(r"\S+", text)
        words = [Word(m[0], at + m.start(), line) for m in found]
        if not words:
            raise Word("", at + len(text), line).wrong("a layer between two commas")
        if words[0].text not in WORDS:
            remedy = meant(words[0].text, WORDS)
            raise words[0].wrong(f"one of {', '.join(WORDS)}", remedy)
        parts.append(words)
        at += len(text) + 1
    return parts


@dataclass(frozen=True, slots=True)
class Given:
    """Is a layer as written: its words, whether no other with weights comes, what follows."""

    words: Sequence[Word]
    last: bool
    follows: Sequence[str]

    @property
    def first(self) -> Word:
        """Return the word that says what it is."""
        return self.words[0]

    def size(self, most: int, about: str, *, least: int = 1) -> tuple[int, ...]:
        """Return the numbers of the second word: ``least`` to ``most`` of them."""
        if len(self.words) < 2:
            end = Word("", self.first.at + len(self.first.text), self.first.line)
            raise end.wrong(f"{about} after {self.first.text}")
        found = whole_numbers(self.words[1], about, most)
        if len(found) < least:
            raise self.words[1].wrong(about)
        return found

    def options(self, known: dict[str, int]) -> dict[str, Word]:
        """Return the options by name; ``known`` says how many words belong to each, 0 or 1."""
        found: dict[str, Word] = {}
        words = iter(self.words[2 if self.first.text not in ALONE else 1 :])
        for word in words:
            if word.text not in known:
                expected = f"one of {', '.join(known)}" if known else "a comma"
                raise word.wrong(expected, meant(word.text, list(known)))
            if word.text in found:
                raise word.wrong(f"{word.text} once")
            value = next(words, None) if known[word.text] else word
            if value is None:
                end = Word("", word.at + len(word.text), word.line)
                raise end.wrong(f"a value after {word.text}")
            found[word.text] = value
        return found


def whole_numbers(word: Word, about: str, most: int, least: int = 1) -> tuple[int, ...]:
    """Return the whole numbers of a word like 5x5x8, at most ``most``."""
    texts = word.text.split("x")
    if len(texts) > most or not all(re.fullmatch(r"[0-9]{1,7}", text) for text in texts):
        raise word.wrong(about)
    numbers = tuple(int(text) for text in texts)
    if not all(least <= number <= MOST for number in numbers):
        raise word.wrong(f"{about}, each {least} to {MOST}")
    return numbers


def _pair(word: Word | None, about: str, least: int = 1) -> Any:
    """Return a number for both axes, or (height, width); None where nothing was written."""
    if word is None:
        return None
    found = whole_numbers(word, f"{about}: a number, or HxW", 2, least)
    return found[0] if len(found) == 1 else found


def window_of(
    given: Given, kernel: tuple[int, ...], options: dict[str, Word], usual: Any
) -> Window:
    """Return the window of a layer; ``usual`` is its stride where none was written."""
    pad = options.get("pad")
    if pad is not None and pad.text in ("same", "valid"):
        padding: Any = pad.text
    else:
        padding = _pair(pad, "the padding: same, valid", 0) or 0
    try:
        return Window(
            kernel[0] if len(set(kernel)) == 1 else (kernel[0], kernel[1]),
            _pair(options.get("stride"), "the stride") or usual,
            padding,
            _pair(options.get("dilation"), "the dilation") or 1,
            "ceil" in options,
        )
    except SizeError as error:
        raise given.first.wrong(error.expected) from error
