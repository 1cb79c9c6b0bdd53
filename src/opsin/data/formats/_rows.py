"""Tables with a row for each box: path, x1, y1, x2, y2, label, and what goes beside them.

Corners go by x1 y1 x2 y2, xmin ymin xmax ymax, left top right bottom, or by x y with width and
height (x, y the upper left corner). They are edges in pixels, from 0. A row whose corners are all
empty says that a picture has no objects. Rows are read one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsin.data.dataset import Dataset
from opsin.data.formats._boxed import called, held
from opsin.data.formats._gathered import Gathered, Place
from opsin.data.formats._pictures import Finder
from opsin.data.formats._settled import numbers, spelt
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.results.boxes import shortest

CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
SIDES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
COLUMNS = ("path", "x1", "y1", "x2", "y2", "label", "score", "flag", "split", "group")
OPTIONAL = ("score", "flag", "split", "group")

Row = tuple[int, Mapping[str, Any] | int]  # line, and its cells, or how many there were instead


def corners(columns: Sequence[str], where: str = "") -> list[str] | None:
    """Return the four columns of a box, None where a table has none.

    Raises ``DataError`` where one of the four is missing.

    >>> corners(["Path", "Xmin", "Ymin", "Xmax", "Ymax", "label"])
    ['Xmin', 'Ymin', 'Xmax', 'Ymax']
    """
    lower = {name.lower(): name for name in reversed(columns)}
    for wanted in (*CORNERS, *SIDES):
        if all(name in lower for name in wanted):
            return [lower[name] for name in wanted]
    for wanted in CORNERS:  # three cannot be meant as anything else
        lost = [name for name in wanted if name not in lower]
        if len(lost) == 1:
            raise DataError(
                f"{where}the columns {', '.join(columns)}",
                expected=f"{lost[0]} beside the other corners",
                remedy="Rename the column.",
            )
    return None


def read(path: Path, rows: Iterable[Row], picture: str, label: str, root: Path | None) -> Dataset:
    """Read boxes of a table whose columns of pictures and classes are known."""
    gathered, finder = Gathered(), Finder([root or path.parent])
    said, slots = shown(path.name), dict[str | bytes, int]()
    lower: dict[str, str] = {}
    box: list[str] = []
    for line, cells in rows:
        place = Place(said, line)
        if isinstance(cells, int):
            gathered.broken(place, f"{cells} cells, which is not what the first line has")
            continue
        if not lower:
            lower, box = {name.lower(): name for name in cells}, corners(list(cells)) or []
        key = _key(cells[picture])
        if key is None:
            gathered.broken(place, "no picture is named")
            continue
        more = {name: spelt(cells.get(lower.get(name, "")) or "") for name in OPTIONAL}
        if key not in slots:
            slots[key] = gathered.picture(_sample(key, more, finder, place, gathered), place)
        _box(gathered, slots[key], [cells[name] for name in box], cells[label], place, more, box)
    return gathered.dataset(path, shown(path.stem))


def rows(dataset: Dataset, path: Path) -> list[dict[str, Any]]:
    """Return the rows of a data set: one for each box, one for a picture without objects."""
    found: list[dict[str, Any]] = []
    for index, (sample, boxes) in enumerate(held(dataset, "a table of boxes")):
        ends = {"split": sample.split or "", "group": sample.group or ""}
        start = {"path": called(sample, path, index)}
        scores, edged = shortest(boxes.scores), shortest(boxes.boxes)
        told = zip(boxes.names, boxes.flags, scores, edged, strict=True)
        for name, flag, score, edges in told:
            middle = dict(zip(COLUMNS[1:5], edges, strict=True))
            found.append(start | middle | {"label": name, "score": score, "flag": flag} | ends)
        if not len(boxes):
            nothing = dict.fromkeys(COLUMNS[1:5]) | {"label": "", "score": None, "flag": ""}
            found.append(start | nothing | ends)
    return found


def _key(cell: Any) -> str | bytes | None:
    """Return what a picture goes by: its path, or in Parquet its bytes; None for nothing."""
    if isinstance(cell, dict):  # how Hugging Face keeps pictures
        cell = cell.get("bytes") or cell.get("path")
    return cell if isinstance(cell, bytes) else str(cell or "").strip() or None


def _sample(
    key: str | bytes, more: Mapping[str, str], finder: Finder, place: Place, gathered: Gathered
) -> Sample:
    """Return the picture of a row, with the split and the group of its first row."""
    image = key if isinstance(key, bytes) else finder.find(key)
    name = str(place) if isinstance(key, bytes) else spelt(key)
    split = more["split"].lower()
    if split and split not in SPLIT_NAMES:
        why = f"{place}: the split {split[:40]!r} is none of train, validation, test; left open"
        gathered.problems.append(Problem("no-split", name, why))
    return Sample(image, None, SPLIT_NAMES.get(split), more["group"] or None, name)


def _box(
    gathered: Gathered,
    slot: int,
    cells: list[Any],
    label: Any,
    place: Place,
    more: Mapping[str, str],
    columns: list[str],
) -> None:
    """Add the box of a row; name what cannot be used."""
    if all(cell in (None, "") for cell in cells):
        return  # the picture is there, and nothing on it
    found, score = numbers(cells), numbers([more["score"] or 1])
    name = spelt(label if label is not None else "").strip()
    if found is None:
        said = " ".join(spelt(cell)[:20] for cell in cells)
        gathered.drop(slot, "not-a-number", place, f"the box {said!r} is not four numbers")
    elif not name:
        gathered.drop(slot, "no-class", place, "it names no class")
    else:
        if columns[2].lower() in ("width", "w"):
            found = [found[0], found[1], found[0] + found[2], found[1] + found[3]]
        gathered.names[name] = name
        told = score[0] if score else float("nan")
        gathered.box(slot, found, name, place, flag=more["flag"].strip(), score=told)
