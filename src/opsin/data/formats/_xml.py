"""Reads a small XML file into a tree that knows its lines, and nothing else.

No document type is loaded, no entity is defined or expanded: a file that tries is refused (the
attacks known as billion laughs and external entities). Files end at 16 MB, depth at 32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from opsin.errors import DataError

MOST_BYTES = 1 << 24
MOST_DEPTH = 32


@dataclass(slots=True)
class Node:
    """Is an element: its name, the line it begins in, its own text and the elements in it."""

    tag: str
    line: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Node]:
        """Yield the elements of this name right inside."""
        return (child for child in self.children if child.tag == tag)

    def find(self, path: str) -> Node | None:
        """Return the first element at a path of names, as in ``size/width``."""
        node: Node | None = self
        for tag in path.split("/"):
            node = None if node is None else next(node.all(tag), None)
        return node

    def said(self, path: str) -> str:
        """Return the text of the first element at a path, "" where there is none."""
        node = self.find(path)
        return "" if node is None else node.text.strip()


def parse(path: Path) -> Node:
    """Return the outermost element; raise ``DataError`` with file and line for what is no XML."""
    try:
        content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError as error:
        raise DataError(f"{path} ({error.strerror})", expected="a file to read") from error
    if content is None:
        raise DataError(f"{path}", expected=f"at most {MOST_BYTES >> 20} MB for one picture")
    return _Tree(path).read(content)


class _Tree:
    """Builds the tree while expat reads."""

    def __init__(self, path: Path) -> None:
        self.path, self.open, self.root = path, [Node("", 0)], None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._say
        self.parser.EntityDeclHandler = self._refuse

    def read(self, content: bytes) -> Node:
        try:
            self.parser.Parse(content, True)
        except expat.ExpatError as error:
            raise self._wrong(expat.errors.messages.get(error.code, "damaged")) from error
        except (ValueError, LookupError) as error:  # an encoding that nobody knows
            raise self._wrong(str(error)) from error
        return self.open[0].children[0]

    def _begin(self, tag: str, _: dict[str, str]) -> None:
        if len(self.open) > MOST_DEPTH:
            raise self._wrong(f"more than {MOST_DEPTH} elements in one another")
        node = Node(tag, self.parser.CurrentLineNumber)
        self.open[-1].children.append(node)
        self.open.append(node)

    def _end(self, _: str) -> None:
        self.open.pop()

    def _say(self, text: str) -> None:
        self.open[-1].text += text

    def _refuse(self, name: str, *_: object) -> None:
        raise self._wrong(f"the definition of an entity ({name})")

    def _wrong(self, why: str) -> DataError:
        line = self.parser.CurrentLineNumber
        return DataError(f"{self.path}, line {line}: {why}", expected="an XML file as tools write")
