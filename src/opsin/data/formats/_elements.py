"""Walks through a JSON file of any length, one element of its lists at a time.

Only the element at hand is in memory, so that a file of 200 MB takes no more than one of 2. Where
an element begins is known by line and column, which is what a person needs to find it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from opsin.errors import DataError

BLOCK = 1 << 20  # characters read at a time
MOST = 1 << 26  # characters of one element: an outline of a few million points
WORD = 16  # characters that the longest word or number cut off at the end of a block may lack
BLANK = " \t\n\r"
AFTER = (*BLANK, ",", "]", "}", ":")  # what ends a value: 0 may go on as 0.5 in the next block

Element = tuple[str, Any, int, int]  # key at the top, element, line and column where it begins


def elements(path: Path) -> Iterator[Element]:
    """Yield each element of the lists that stand at the top of a JSON object, with its key.

    What is no list is yielded whole. Raises ``DataError`` with file, line and column for what is no
    JSON, is no object, or holds an element of more than 64 million characters.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _members(_Text(stream, path))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} ({error})", expected="JSON in UTF-8") from error
    except OSError as error:
        raise DataError(f"{path} ({error.strerror})", expected="a file to read") from error


def _members(text: _Text) -> Iterator[Element]:
    """Yield the elements of the object that is the whole file."""
    text.take("{", "a JSON object with images, annotations and categories")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            raise text.wrong(f"the key {str(key)[:40]!r}", "a name in quotes")
        text.take(":", "a colon")
        yield from _list(text, key) if text.peek() == "[" else _whole(text, key)
        if text.peek() == ",":
            text.take(",", "a comma")
        elif text.peek() != "}":
            raise text.wrong(text.peek(), "a comma or the end of the object")
    text.take("}", "the end of the object")
    if text.peek():
        raise text.wrong(f"{text.peek()!r} after the end", "nothing")


def _whole(text: _Text, key: str) -> Iterator[Element]:
    line, column = text.place()
    yield key, text.value(), line, column


def _list(text: _Text, key: str) -> Iterator[Element]:
    """Yield the elements of one list."""
    text.take("[", "a list")
    while text.peek() != "]":
        line, column = text.place()
        yield key, text.value(), line, column
        if text.peek() == ",":
            text.take(",", "a comma")
        elif text.peek() != "]":
            raise text.wrong(text.peek(), "a comma or the end of the list")
    text.take("]", "the end of the list")


class _Text:
    """Is the part of a file that is looked at, and where in the file that is."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self.stream, self.path = stream, path
        self.text, self.at, self.ended = "", 0, False
        self.line, self.start = 1, 0  # line of ``counted``; place in the text where it begins
        self.counted = 0
        self.decode = json.JSONDecoder().raw_decode

    def more(self, size: int = BLOCK) -> None:
        """Forget what was read and read on."""
        self._count()
        read = self.stream.read(size)
        self.ended = not read
        self.text = self.text[self.at :] + read
        self.start -= self.at
        self.at = self.counted = 0

    def peek(self) -> str:
        """Return the next character that is not blank, "" at the end of the file."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in BLANK:
                self.at += 1
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]
            self.more()

    def take(self, character: str, expected: str) -> None:
        """Step over a character that must come next."""
        found = self.peek()
        if found != character:
            raise self.wrong(repr(found) if found else "the end of the file", expected)
        self.at += 1

    def value(self) -> Any:
        """Return the JSON value that comes next, after reading as far as it goes."""
        self.peek()
        while True:
            try:
                value, end = self.decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.ended or not self._cut_off(error):
                    self.at = min(error.pos, len(self.text))
                    raise self.wrong(error.msg, "JSON") from error
            except (RecursionError, ValueError) as error:  # too deep; a number of 5,000 digits
                raise self.wrong(str(error)[:80], "JSON that is not meant to harm") from error
            else:
                if self.ended or end + WORD < len(self.text) or self.text[end : end + 1] in AFTER:
                    self.at = end
                    return value
            if len(self.text) - self.at > MOST:
                raise self.wrong("an element without an end", f"at most {MOST:,} characters in one")
            self.more(max(BLOCK, len(self.text) - self.at))

    def _cut_off(self, error: json.JSONDecodeError) -> bool:
        """Return whether an error may come from the end of the block rather than of the JSON."""
        return error.pos >= len(self.text) - WORD or error.msg.startswith("Unterminated")

    def place(self) -> tuple[int, int]:
        """Return the line and column, from 1, of what comes next."""
        self.peek()
        self._count()
        return self.line, self.at - self.start + 1

    def _count(self) -> None:
        """Count the lines up to the place that is looked at."""
        lines = self.text.count("\n", self.counted, self.at)
        if lines:
            self.line += lines
            self.start = self.text.rindex("\n", self.counted, self.at) + 1
        self.counted = self.at

    def wrong(self, received: str, expected: str) -> DataError:
        """Return the error for what stands at this place."""
        line, column = self.place()
        return DataError(
            f"{self.path}, line {line}, column {column}: {received}",
            expected=expected,
            remedy="The file is damaged or cut short; export it again.",
        )
