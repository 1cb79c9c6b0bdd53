"""YOLO: a text file for each picture, and a YAML file that says where they are and names the ids.

A line is the id of a class, then the centre x y, width and height of a box as shares of the picture
(0..1), and in predictions a score. A longer line is an outline, id x y x y …, and becomes its box.
The text of ``…/images/a.jpg`` is ``…/labels/a.txt``, or else lies beside the picture. A picture
without a text file has no objects, as this format will have it, and the ledger says so.

Names come from ``names`` of the YAML file, or else from ``classes.txt``; without either a class is
called like its id. Ids are kept, also where they have gaps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from opsin.data.dataset import Dataset
from opsin.data.formats import _yolo_layout as layout
from opsin.data.formats._boxed import given_ids, held, not_kept, plainly
from opsin.data.formats._gathered import Gathered, Place
from opsin.data.formats._outlines import around
from opsin.data.formats._pictures import below, save, stems
from opsin.data.formats._settled import numbers, spelt
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing, write_text
from opsin.results import Boxes

MOST_TEXT = 1 << 24
DIGITS = 12  # of a share: a millionth of a pixel in the largest picture
FINE = 6  # decimals of a pixel that shares of twelve digits give back


def sniff(path: Path) -> bool:
    """Return whether ``path`` is a YAML file with names, or a folder with one or with labels."""
    if path.is_file():
        return path.suffix.lower() in layout.YAML
    return path.is_dir() and (
        layout.yaml_in(path) is not None or any(True for _ in layout.label_folders(path))
    )


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read boxes; paths start from ``root``, or else from where the YAML file says or lies.

    Splits are the ``train``, ``val`` and ``test`` of the YAML file, or folders called so.
    """
    file = path if path.is_file() else layout.yaml_in(path)
    top = path if path.is_dir() else path.parent
    gathered = Gathered()
    config = {} if file is None else layout.config_of(file)
    listed = list(
        layout.listed(config, [root] if root else layout.bases(config, top), gathered, file)
    )
    if not any(key in config for key in layout.SPLITS):
        listed = list(layout.found(root or top))
    names = _names(config, file, top, gathered)
    paired = [(image, layout.text_of(image), split) for image, split in listed]
    for image, text, split in paired:
        _add(image, text, split, top, gathered)
    for image, text in layout.orphans((image, text) for image, text, _ in paired):
        _add(image, text, None, top, gathered)
    if file is None:
        gathered.problems += layout.passed_over(top)
    if names is None:
        names = {key: str(key) for key in sorted(k for k in gathered.seen if isinstance(k, int))}
        why = (
            "neither a YAML file nor classes.txt names the classes; they are called like their ids"
        )
        gathered.problems.append(Problem("no-names", shown(top.resolve().name), why))
    gathered.names |= dict[Hashable, str](names.items())
    ids: dict[str, int] = {}
    for key, name in names.items():
        ids.setdefault(name, key)
    return gathered.dataset(path, shown(top.resolve().name), ids)


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write ``images`` with copies of the pictures, ``labels`` and ``data.yaml``.

    What is flagged crowd, difficult or ignore would become an ordinary object here: such boxes are
    left out and named. Raises ``DataError`` for groups, and for splits of some pictures only.
    """
    samples = held(dataset, "yolo")
    parts = {sample.split or "" for sample, _ in samples}
    if any(sample.group is not None for sample, _ in samples) or ("" in parts and len(parts) > 1):
        raise DataError(
            f"{dataset.name or 'data'} with groups, or with splits for some pictures only",
            expected="what YOLO can hold",
            remedy="Write coco or a table.",
        )
    ids = given_ids(dataset, first=0)
    short = {split: key for key, split in layout.SPLITS.items()} | {"": "train"}
    lost = [(_gaps(ids), "ids stand for no class: some trainers want 0, 1, 2 … without gaps")]
    problems = list(not_kept(path, lost))
    with folder_replacing(path) as beside:
        for stem, (sample, boxes) in zip(stems(s for s, _ in samples), samples, strict=True):
            part = short[sample.split or ""]
            save(sample.image, beside / "images" / part / stem)
            lines = _lines(boxes.keep(~boxes.ignored), ids)
            write_text(beside / "labels" / part / f"{stem}.txt", "".join(lines))
            problems += _flagged(sample.called or stem, boxes)
        plain: dict[str, Any] = {short[part]: f"images/{short[part]}" for part in sorted(parts)}
        plain |= {"unsplit": True} if "" in parts else {}  # what is to train on, to other readers
        plain |= {"names": {number: name for name, number in sorted(ids.items(), key=_second)}}
        text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
        write_text(beside / "data.yaml", text)
    return tuple(problems)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def _names(
    config: layout.Config, file: Path | None, top: Path, gathered: Gathered
) -> dict[int, str] | None:
    """Return the names of ids, None where nothing names them."""
    given, said = config.get("names"), shown(file.name) if file else ""
    if given is None:
        listed = [f for f in (top / "classes.txt", top / "labels" / "classes.txt") if f.is_file()]
        if not listed:
            return None
        given = [line.strip() for line in _text(listed[0]).splitlines() if line.strip()]
        said = listed[0].name
    if not isinstance(given, dict | list):
        raise DataError(f"{said} with the names {spelt(given)[:40]!r}", expected="a list of names")
    names: dict[int, str] = {}
    for key, name in given.items() if isinstance(given, dict) else enumerate(given):
        number = _id(key)
        if number is None or not isinstance(name, str | int | float) or not str(name).strip():
            why = f"{said}: the class {spelt(key)[:40]} without a number or a name; left out"
            gathered.problems.append(Problem("no-name", said, why))
            continue
        if name in names.values():
            why = f"{said}: {spelt(name)!r} has several ids; taken as one class"
            gathered.problems.append(Problem("two-ids", said, why))
        names[number] = spelt(name)
    return names


def _id(cell: Any) -> int | None:
    """Return the number of a class, None for what is none."""
    found = numbers([cell])
    return int(found[0]) if found and 0 <= found[0] < 1e9 and found[0] % 1 == 0 else None


def _add(image: Path, text: Path, split: str | None, top: Path, gathered: Gathered) -> None:
    """Add a picture and the boxes of its text file."""
    name, said = below(image, top), below(text, top)
    slot = gathered.picture(Sample(image, None, split, name=name), Place(said, 1))
    if not text.is_file():
        if gathered.size(slot) == (0, 0):
            return  # the picture is missing, too, which is said
        why = f"there is no {said}; taken to be without objects"
        gathered.problems.append(Problem("no-file", name, why))
        return
    try:
        lines = _text(text).splitlines()
    except DataError as error:
        gathered.problems.append(Problem("broken", name, f"{said}: {error.received}"))
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            _line(slot, line, Place(said, number), gathered)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_TEXT:
            raise DataError(f"{file}", expected=f"at most {MOST_TEXT >> 20} MB for one picture")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} ({error})", expected="text in UTF-8") from error


def _line(slot: int, line: str, place: Place, gathered: Gathered) -> None:
    """Add the box of one line."""
    cells = line.split()
    values, number = numbers(cells[1:]), _id(cells[0])
    if number is None:
        gathered.drop(slot, "no-class", place, f"{cells[0][:40]!r} is not the number of a class")
    elif values is None:
        gathered.drop(slot, "not-a-number", place, f"in {line[:60]!r} are not only numbers")
    elif len(values) not in (4, 5) and (len(values) < 6 or len(values) % 2):
        why = f"{len(cells)} cells, where a box has 5 and an outline an odd number from 7 on"
        gathered.drop(slot, "no-box", place, why)
    else:
        height, width = gathered.size(slot)
        shares = _corners(values)
        sides = (width, height, width, height)
        box = [round(a * side, FINE) for a, side in zip(shares, sides, strict=True)]
        score = values[4] if len(values) == 5 else 1.0
        gathered.box(slot, box, number, place, score=score)


def _corners(values: list[float]) -> list[float]:
    """Return the corners x1 y1 x2 y2, as shares, of a box or an outline."""
    if len(values) > 5:
        return list(around(np.array(values)) or ())
    x, y, wide, high = values[:4]
    return [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def _lines(boxes: Boxes, ids: Mapping[str, int]) -> Iterator[str]:
    """Yield the line of each box."""
    height, width = boxes.size or (1, 1)
    scored = bool((boxes.scores < 1).any())
    exact = boxes.boxes.astype(np.float64)
    for name, (x1, y1, x2, y2), score in zip(boxes.names, exact, boxes.scores, strict=True):
        middle = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height
        shares = (*middle, (x2 - x1) / width, (y2 - y1) / height)
        cells = [plainly(share, DIGITS) for share in (*shares, *([float(score)] if scored else []))]
        yield f"{ids[name]} {' '.join(cells)}\n"


def _flagged(name: str, boxes: Boxes) -> Iterator[Problem]:
    """Yield a line of the ledger for each box that is left out because of its flag."""
    for kind, flag in zip(boxes.names, boxes.flags, strict=True):
        if flag:
            why = f"{kind}, flagged {flag}, would be an ordinary object in YOLO; left out"
            yield Problem("not-kept", name, why)


def _gaps(ids: Mapping[str, int]) -> int:
    """Return how many numbers below the highest id stand for no class."""
    return max(ids.values(), default=-1) + 1 - len(set(ids.values()))


def _second(pair: tuple[str, int]) -> int:
    return pair[1]
