"""DeepPCB: boards ``ID_test.jpg``, each with a text ``ID.txt`` of its defects, and lists of ids.

A line is x1 y1 x2 y2 and the type of the defect: 1 open, 2 short, 3 mousebite, 4 spur, 5 copper,
6 pin-hole. ``train.txt`` or ``trainval.txt``, ``val.txt`` and ``test.txt`` hold ids, or paths that
end in them. Templates (``ID_temp.jpg``) are no samples. Corners are taken as edges, from 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.formats._boxed import held, not_kept, plainly
from opsin.data.formats._gathered import Gathered, Place
from opsin.data.formats._pictures import below, save, stems, walk
from opsin.data.formats._settled import numbers
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing, write_text
from opsin.results import Boxes
from opsin.results.boxes import shortest

TYPES = {"open": 1, "short": 2, "mousebite": 3, "spur": 4, "copper": 5, "pin-hole": 6}
LISTS = {"train": "train", "trainval": "train", "val": "validation", "test": "test"}
PICTURE = "_test"


def sniff(path: Path) -> bool:
    """Return whether ``path`` is a folder with boards and their texts, as given or rearranged."""
    if not path.is_dir() or not any((path / f"{name}.txt").is_file() for name in LISTS):
        return False
    for texts in ("boxes/*.txt", "group*/*_not/*.txt"):
        if first := next(path.glob(texts), None):
            return any(True for _ in path.glob(f"*/**/{first.stem}{PICTURE}.*")) or any(
                True for _ in path.glob(f"images/*{PICTURE}.*")
            )
    return False


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read boards with their defects; pictures may lie below ``root``."""
    files = list(walk(path))
    texts = {file.stem: file for file in files if file.suffix == ".txt" and file.parent != path}
    pictures = walk(root) if root else iter(files)
    splits = _splits(path)
    gathered = Gathered()
    gathered.names |= {number: name for name, number in TYPES.items()}
    for image in pictures:
        if not image.stem.endswith(PICTURE):
            continue
        ident, name = image.stem.removesuffix(PICTURE), shown(image.name)
        text = texts.get(ident)
        if text is None:
            why = f"there is no {ident}.txt; left out"
            gathered.problems.append(Problem("not-annotated", name, why))
            continue
        said = below(text, path)
        sample = Sample(image, None, splits.get(ident), name=name)
        slot = gathered.picture(sample, Place(said, 1))
        for number, line in enumerate(_lines(text), 1):
            if line.strip():
                _line(slot, line, Place(said, number), gathered)
    return gathered.dataset(path, shown(path.resolve().name), TYPES)


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write boards, texts and lists; raise ``DataError`` for other classes, groups and flags."""
    samples = held(dataset, "deeppcb")
    foreign = sorted(set(dataset.classes) - set(TYPES))
    flagged = any(boxes.ignored.any() for _, boxes in samples)
    if foreign or flagged or any(sample.group is not None for sample, _ in samples):
        raise DataError(
            f"the class {foreign[0]!r}" if foreign else "groups or flags",
            expected=f"{', '.join(TYPES)}, and nothing else: what DeepPCB can hold",
            remedy="Write coco, voc, yolo or a table.",
        )
    lists: dict[str, list[str]] = defaultdict(list)
    short = {"train": "train", "validation": "val", "test": "test"}
    with folder_replacing(path) as beside:
        names = stems(sample for sample, _ in samples)
        for stem, (sample, boxes) in zip(names, samples, strict=True):
            ident = stem.removesuffix(PICTURE)
            save(sample.image, beside / "images" / f"{ident}{PICTURE}")
            write_text(beside / "boxes" / f"{ident}.txt", "".join(_text(boxes)))
            lists[short.get(sample.split or "", "")].append(ident)
        for name in {*lists, "train"} - {""}:
            write_text(beside / f"{name}.txt", "".join(f"{ident}\n" for ident in lists[name]))
    scored = sum(int((boxes.scores < 1).sum()) for _, boxes in samples)
    return not_kept(path, [(scored, "scores: DeepPCB has none")])


def _splits(path: Path) -> dict[str, str]:
    """Return the split of each id in the lists."""
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        file = path / f"{name}.txt"
        for line in _lines(file) if file.is_file() else ():
            if cells := line.split():
                splits[Path(cells[-1]).stem] = split
    return splits


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} ({error})", expected="text in UTF-8") from error


def _line(slot: int, line: str, place: Place, gathered: Gathered) -> None:
    """Add the defect of one line; commas may stand between its numbers."""
    cells = line.replace(",", " ").split()
    found = numbers(cells)
    if len(cells) != 5:
        gathered.drop(slot, "no-box", place, f"{len(cells)} cells, where x1 y1 x2 y2 type are 5")
    elif found is None:
        gathered.drop(slot, "not-a-number", place, f"in {line[:60]!r} are not only numbers")
    else:
        gathered.box(slot, found[:4], found[4], place)


def _text(boxes: Boxes) -> Iterable[str]:
    """Yield the line of each box."""
    for name, box in zip(boxes.names, shortest(boxes.boxes), strict=True):
        yield f"{' '.join(plainly(edge) for edge in box)} {TYPES[name]}\n"
