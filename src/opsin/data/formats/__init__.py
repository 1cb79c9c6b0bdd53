"""Ways data lies on a disk: one file a format, found by its file name.

A format has ``sniff(path) -> bool``, ``read(path, root=None) -> Dataset`` and
``write(dataset, path)``. What reading cannot keep is named in the data set's ledger; what writing
cannot keep is returned. A format that any place might fit says ``LAST = True`` and is asked last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from opsin import plugins
from opsin.data import samples, sets
from opsin.data.dataset import Dataset
from opsin.data.sample import shown
from opsin.errors import DataError
from opsin.events import Problem


class Format(Protocol):
    """Is what each file of this folder offers."""

    def sniff(self, path: Path) -> bool:
        """Return whether ``path`` looks like this format."""

    def read(self, path: Path, root: Path | None = None) -> Dataset:
        """Return what is at ``path``; raise ``DataError``, with file and line, where it fails."""

    def write(self, dataset: Dataset, path: Path) -> tuple[Problem, ...]:
        """Write a data set so that ``read`` gives back the same truths and splits.

        Returns what this format cannot hold and other readers do not need, as ids of classes where
        there are names; raises ``DataError`` where too much would be lost.
        """


def names() -> list[str]:
    """Return the formats there are.

    >>> names()
    ['coco', 'deeppcb', 'folder', 'idx', 'table', 'voc', 'yolo']
    """
    return plugins.names(__name__)


def find(name: str) -> Format:
    """Return the format called ``name``; raise ``DataError`` where there is no such file."""
    return cast(Format, plugins.load(__name__, name, "format", DataError))


def read(path: str | Path, *, root: str | Path | None = None) -> Dataset:
    """Read a sample set (``samples:digits``), a folder, a table or a named set (``mnist``).

    A named set gives way to a folder of the same name unless ``root`` says where it lies.
    """
    text, base = shown(path), None if root is None else Path(root).expanduser()
    if text.startswith("samples:"):
        return samples.read(text.removeprefix("samples:"))
    place = Path(path).expanduser()
    if plugins.stem(text) in sets.names() and (base is not None or not place.exists()):
        return sets.read(text, root=base)
    if (name := sniffed(place)) is not None:
        return find(name).read(place, base)
    bare = place.is_dir() and not any(place.iterdir())
    seen = "a folder with nothing in it" if bare else "which is none of these"
    named = [*sets.names(), *(f"samples:{name}" for name in samples.names())]
    raise DataError(
        f"{text!r}, {seen if place.exists() else 'where there is nothing'}",
        expected="a folder with a folder of pictures for each class, a table (.csv, .tsv, "
        f".parquet), boxes (COCO, Pascal VOC, YOLO, DeepPCB), idx files, {', '.join(named)}",
        remedy=plugins.meant(
            text, [*sets.names(), *(f"samples:{name}" for name in samples.names())]
        )
        or "Check the spelling; put pictures into folders named like their class.",
    )


def sniffed(place: Path) -> str | None:
    """Return the name of the format that a place looks like, None where it looks like none."""
    asked = sorted(names(), key=lambda name: (getattr(find(name), "LAST", False), name))
    return next((n for n in asked if place.exists() and find(n).sniff(place)), None)


def write(dataset: Dataset, path: str | Path, format: str) -> tuple[Problem, ...]:
    """Write a data set in a format, so that reading it gives back the same truths.

    Returns what the format could not hold.
    """
    return find(format).write(dataset, Path(path).expanduser())
