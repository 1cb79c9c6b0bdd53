"""COCO: one JSON file with images, annotations and categories, or a folder with such files.

A box is x, y, width, height in pixels, from 0, edges continuous. Where an annotation has an outline
but no box, its box is that of the polygons or of the mask (``_outlines.py``). ``iscrowd`` marks a
crowd, ``ignore`` and ``difficult`` what their names say. The file is read one element at a time;
what is kept of it are boxes. Outlines, key points, captions and supercategories are not kept.

Beyond COCO's own, images may have a ``split`` and a ``group``, annotations a ``score``: other
readers pass over them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from opsin.data.dataset import Dataset
from opsin.data.formats._boxed import called, counted_on, given_ids, held
from opsin.data.formats._elements import elements
from opsin.data.formats._gathered import Gathered, Place
from opsin.data.formats._outlines import box_of
from opsin.data.formats._pictures import Finder
from opsin.data.formats._settled import numbers, spelt
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import Sample, shown
from opsin.events import Problem
from opsin.files import replacing
from opsin.results import Boxes
from opsin.results.boxes import shortest

HEAD = 1 << 16  # characters in which a file of boxes shows what it is
MARKS = ('"images"', '"annotations"', '"categories"')
ENDINGS = (".json",)
PATTERNS = ("*.json", "annotations/*.json", "*/_annotations.coco.json")
MOST_ID = 1 << 62


def sniff(path: Path) -> bool:
    """Return whether ``path`` is a JSON file, or a folder with one of this kind."""
    if path.is_file():
        return path.suffix.lower() in ENDINGS
    return path.is_dir() and any(True for _ in _files(path))


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read boxes; paths start from ``root``, or else from the file's own folder and its neighbours.

    In a folder, each file is a split if its name says so. The ids of categories are kept.
    """
    gathered, ids = Gathered(), dict[str, int]()
    files = [path] if path.is_file() else list(_files(path))
    for number, file in enumerate(files):
        split = _split_of(file.relative_to(path)) if path.is_dir() else None
        _File(file, gathered, ids, number, split).read(root)
    return gathered.dataset(path, shown(path.stem if path.is_file() else path.resolve().name), ids)


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write one file; pictures that are no files go into a folder beside it."""
    samples = held(dataset, "coco")
    ids = given_ids(dataset, first=1)
    with (
        replacing(path) as beside,
        beside.open("w", encoding="utf-8", errors="backslashreplace") as stream,
    ):  # half a character pair, as in names that are no UTF-8, becomes what JSON spells it as
        stream.write('{"info": {"description": ' + json.dumps(dataset.name) + "},\n")
        _write_list(stream, "images", _images(samples, path), ",\n")
        _write_list(stream, "annotations", _annotations(samples, ids), ",\n")
        named = ({"id": number, "name": name} for name, number in ids.items())
        _write_list(stream, "categories", named, "}\n")
    return ()


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that begin like this format."""
    for pattern in PATTERNS:
        for file in sorted(folder.glob(pattern)):
            if not file.name.startswith(".") and file.is_file() and _looks_right(file):
                yield file


def _looks_right(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            head = stream.read(HEAD)
    except (OSError, UnicodeDecodeError):
        return False
    return head.lstrip().startswith("{") and any(mark in head for mark in MARKS)


def _split_of(file: Path) -> str | None:
    """Return the split that a file's name, or else that of its folder below the top, speaks of."""
    words = file.stem.lower().replace("-", "_").rstrip("0123456789").split("_")
    words.append(file.parent.name.lower())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), None)


class _File:
    """Reads one file, whose lists may come in any order."""

    def __init__(
        self, file: Path, gathered: Gathered, ids: dict[str, int], number: int, split: str | None
    ) -> None:
        self.file, self.gathered, self.ids, self.split = file, gathered, ids, split
        self.number = number  # of the file: ids of two files have nothing to do with each other
        self.said = shown(file.name)
        self.slots: dict[int | str, int] = {}
        self.outlines = 0

    def read(self, root: Path | None) -> None:
        folder = self.file.parent
        near = (folder, folder / "images", folder.parent, folder.parent / "images")
        split = self.file.stem.removeprefix("instances_")
        deep = (folder.parent / split, folder.parent / "images" / split)
        finder = Finder([root, root / split] if root else [*near, *deep])
        for key, element, line, column in elements(self.file):
            place = Place(self.said, line, column)
            if key == "images":
                self._image(element, place, finder)
            elif key == "annotations":
                self._annotation(element, place)
            elif key == "categories":
                self._category(element, place)
        if self.outlines:
            why = f"{self.said}: {self.outlines:,} outlines; only boxes are kept"
            self.gathered.problems.append(Problem("not-kept", self.said, why))

    def _slot(self, key: int | str) -> int:
        if key not in self.slots:
            self.slots[key] = self.gathered.slot()
        return self.slots[key]

    def _image(self, element: Any, place: Place, finder: Finder) -> None:
        """Add a picture; one without an id or a file name goes to the ledger."""
        plain = element if isinstance(element, dict) else {}
        key, name = _key(plain.get("id")), plain.get("file_name")
        if key is None or not isinstance(name, str) or not name:
            what = "no id" if key is None else "no file_name"
            self._problem("no-name", place, f"an image with {what}; left out")
            return
        if key in self.slots and self.gathered.knows(self.slots[key]):
            self._problem("two-ids", place, f"its id {key} is that of another image; left out")
            return
        size = numbers([plain.get("height"), plain.get("width")])
        split = SPLIT_NAMES.get(str(plain.get("split")).lower(), self.split)
        group = plain.get("group")
        image, group = finder.find(name), spelt(group) if group else None
        sample = Sample(image, None, split, group, spelt(name))
        self.gathered.picture(
            sample, place, slot=self._slot(key), size=_whole(size) if size else None
        )

    def _annotation(self, element: Any, place: Place) -> None:
        """Add a box, or what an outline stands for; name what cannot be used."""
        plain = element if isinstance(element, dict) else {}
        ident = plain.get("id")
        if isinstance(ident, int) and not isinstance(ident, bool) and 0 <= ident < MOST_ID:
            place = Place(place.file, place.line, place.column, ident)
        key, kind = _key(plain.get("image_id")), _key(plain.get("category_id"))
        if key is None:
            self._problem("no-picture", place, "it names no image; dropped")
            return
        slot, box = self._slot(key), plain.get("bbox")
        if plain.get("segmentation"):
            self.outlines += 1
        if kind is None:
            self.gathered.drop(slot, "no-class", place, "it names no category")
        elif box in (None, []):
            around = box_of(plain.get("segmentation"))
            if around is None:
                self.gathered.drop(slot, "no-box", place, "neither a bbox nor an outline")
            else:
                self._box(slot, [*around], kind, place, plain)
        elif not isinstance(box, list) or len(box) != 4 or (found := numbers(box)) is None:
            said = json.dumps(box)[:60]
            self.gathered.drop(slot, "not-a-number", place, f"bbox {said} is not four numbers")
        else:
            x, y, wide, high = found
            self._box(slot, [x, y, x + wide, y + high], kind, place, plain)

    def _box(
        self, slot: int, box: list[float], kind: int | str, place: Place, plain: Mapping[str, Any]
    ) -> None:
        flags = {"crowd": "iscrowd", "difficult": "difficult", "ignore": "ignore"}
        flag = next((flag for flag, word in flags.items() if plain.get(word)), "")
        score = numbers([plain.get("score", 1)])
        told = score[0] if score else float("nan")
        self.gathered.box(slot, box, (self.number, kind), place, flag=flag, score=told)

    def _category(self, element: Any, place: Place) -> None:
        """Note what an id stands for; two ids of one name are one class, and that is said."""
        plain = element if isinstance(element, dict) else {}
        key, name = _key(plain.get("id")), plain.get("name")
        if key is None or not isinstance(name, str) or not name.strip():
            self._problem("no-name", place, "a category without an id or a name; left out")
            return
        name = spelt(name)
        known = self.gathered.names.setdefault((self.number, key), name)
        if known != name:
            self._problem("two-ids", place, f"the id {key} of {name!r} is that of {known!r}, too")
        elif isinstance(key, int):
            first = self.ids.setdefault(name, key)
            if first != key:
                why = f"{name!r} has the ids {first} and {key}; taken as one class"
                self._problem("two-ids", place, why)

    def _problem(self, kind: str, place: Place, why: str) -> None:
        self.gathered.problems.append(Problem(kind, self.said, f"{place}: {why}"))


def _key(value: Any) -> int | str | None:
    """Return an id, None for what cannot be one."""
    good = isinstance(value, int | str) and not isinstance(value, bool)
    return spelt(value) if good and isinstance(value, str) else value if good else None


def _whole(size: list[float]) -> tuple[int, int] | None:
    """Return (height, width) as whole numbers."""
    return (int(size[0]), int(size[1])) if all(0 < side < 1e6 for side in size) else None


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def _write_list(stream: IO[str], name: str, rows: Iterator[dict[str, Any]], end: str) -> None:
    """Write a list, one element a line, so that a line number leads to it."""
    stream.write(f'"{name}": [')
    for index, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
        stream.write((",\n" if index else "\n") + text)
    stream.write("]" + end)


def _images(samples: list[tuple[Sample, Boxes]], path: Path) -> Iterator[dict[str, Any]]:
    for index, (sample, boxes) in enumerate(samples, 1):
        height, width = boxes.size or (0, 0)
        row = {"id": index, "file_name": called(sample, path, index - 1)}
        row |= {"width": width, "height": height}
        more = {"split": sample.split, "group": sample.group}
        yield row | {key: value for key, value in more.items() if value}


def _annotations(
    samples: list[tuple[Sample, Boxes]], ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    number = 0
    for index, (_, boxes) in enumerate(samples, 1):
        scores, edges = shortest(boxes.scores), shortest(boxes.boxes)
        told = zip(boxes.names, boxes.flags, scores, edges, strict=True)
        for name, flag, score, (x1, y1, x2, y2) in told:
            number += 1
            wide, high = counted_on(x2 - x1), counted_on(y2 - y1)
            row: dict[str, Any] = {"id": number, "image_id": index, "category_id": ids[name]}
            row |= {"bbox": [x1, y1, wide, high], "area": counted_on(wide * high)}
            row |= {"iscrowd": int(flag == "crowd"), "segmentation": []}
            more = {flag: 1} if flag in ("difficult", "ignore") else {}
            yield row | more | ({} if score == 1 else {"score": score})
