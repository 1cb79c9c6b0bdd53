"""Pascal VOC: an XML file for each picture, wherever it lies below a folder, or one such file.

Pixels are counted from 1 and corners are pixels, both in the box (VOC 2007 development kit): xmin 1
and xmax 1 are the first column alone, which is 0 and 1 in edges. Many tools count from 0 and mean
edges. A 0 among the first corners of a data set gives that away; then all its corners are taken as
edges, and the ledger says so. Without one, a set of such a tool is read one pixel wider on the left
and on top.

``difficult`` is kept, and as an element of our own, ``flag``, what else may be ignored.
``truncated``, ``pose`` and the boxes of parts are not kept. The picture of ``x.xml`` is the one
called x, and only where there is none the one that ``filename`` speaks of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.sax.saxutils import escape

from opsin.data.dataset import Dataset
from opsin.data.formats._boxed import held, not_kept, plainly
from opsin.data.formats._gathered import Gathered, Place
from opsin.data.formats._pictures import below, is_picture, save, stems, walk
from opsin.data.formats._settled import numbers
from opsin.data.formats._xml import Node, parse
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing, write_text
from opsin.results import Boxes
from opsin.results.boxes import shortest

HEAD = 4096  # bytes in which an annotation shows what it is
CORNERS = ("xmin", "ymin", "xmax", "ymax")
LISTS = {"train": "train", "val": "validation", "test": "test"}  # files in ImageSets/Main


def sniff(path: Path) -> bool:
    """Return whether ``path`` is an annotation, or a folder with one, at most two folders down."""
    if path.is_file():
        return path.suffix.lower() == ".xml"
    patterns = ("*.xml", "*/*.xml", "*/*/*.xml")
    return path.is_dir() and any(_looks_right(f) for p in patterns for f in _first(path.glob(p)))


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read boxes; pictures lie below the same folder or below ``root``.

    Splits are those of ``ImageSets/Main`` or of folders called train, val or test. Pictures without
    an annotation go to the ledger, for nobody knows what is in them.
    """
    top = path if path.is_dir() else path.parent
    files = list(walk(path)) if path.is_dir() else [path]
    annotations = [f for f in files if f.suffix.lower() == ".xml" and _looks_right(f)]
    pictures = _Pictures(walk(root) if root else files if path.is_dir() else walk(top))
    gathered = Gathered()
    parsed = [found for f in annotations if (found := _parsed(f, top, gathered)) is not None]
    start = _counted_from(parsed)
    if start == 0:
        why = "corners of 0 occur: all corners are taken as edges that count from 0"
        gathered.problems.append(Problem("counts-from-0", shown(path.name), why))
    splits = _splits(top, gathered)
    used = {_add(each, pictures, splits, start, gathered, top) for each in parsed}
    if path.is_dir():
        _unannotated(pictures, used | {file.stem for file in annotations}, top, gathered)
    truncated = sum(each.truncated for each in parsed)
    what = "objects marked truncated, which is not kept"
    gathered.problems += not_kept(path, [(truncated, what)])
    return gathered.dataset(path, shown(path.resolve().name))


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write ``Annotations``, ``JPEGImages`` with copies of the pictures, and ``ImageSets/Main``.

    Ids of classes and scores are not kept. Raises ``DataError`` for groups.
    """
    samples = held(dataset, "voc")
    if any(sample.group is not None for sample, _ in samples):
        raise DataError("groups", expected="what VOC can hold", remedy="Write coco or a table.")
    lists: dict[str, list[str]] = defaultdict(list)
    with folder_replacing(path) as beside:
        for stem, (sample, boxes) in zip(stems(s for s, _ in samples), samples, strict=True):
            image = save(sample.image, beside / "JPEGImages" / stem)
            write_text(beside / "Annotations" / f"{stem}.xml", _text(image.name, boxes))
            lists[sample.split or "all"].append(stem)
        for name, split in (*LISTS.items(), ("all", "all")):
            if split in lists:
                write_text(
                    beside / "ImageSets/Main" / f"{name}.txt", "\n".join(lists[split]) + "\n"
                )
    scored = sum(int((boxes.scores < 1).sum()) for _, boxes in samples)
    ids = len(dataset.ids)
    return not_kept(
        path, [(scored, "scores: VOC has none"), (ids, "ids of classes: VOC has names")]
    )


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Object:
    """Is what an annotation says of one object, before it is held against anything."""

    line: int
    name: str
    flag: str
    cells: tuple[str, ...]
    corners: list[float] | None


@dataclass(frozen=True, slots=True)
class _Annotation:
    """Is what one file says."""

    file: Path
    said: str  # how messages call it
    line: int
    picture: str
    size: tuple[int, int] | None
    objects: tuple[_Object, ...]
    truncated: int


class _Pictures:
    """Knows the pictures below a folder by their names without ending."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.by_stem: dict[str, list[Path]] = defaultdict(list)
        for file in files:
            if file.suffix.lower() not in (".xml", ".txt") and is_picture(file):
                self.by_stem[file.stem].append(file)

    def of(self, annotation: _Annotation) -> Path:
        """Return the picture of an annotation, or the path at which it was looked for."""
        said = PureWindowsPath(annotation.picture).name
        for stem in (annotation.file.stem, PureWindowsPath(said).stem):
            if found := self.by_stem.get(stem):
                return max(found, key=lambda f: (f.name == said, _shared(f, annotation.file)))
        return annotation.file.with_name(said or annotation.file.stem)


def _shared(a: Path, b: Path) -> int:
    """Return how many folders two files have in common."""
    same = [x == y for x, y in zip(a.parts, b.parts, strict=False)]
    return same.index(False) if False in same else len(same)


def _first(files: Iterator[Path], most: int = 3) -> list[Path]:
    return [file for _, file in zip(range(most), files, strict=False)]


def _looks_right(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return b"<annotation" in stream.read(HEAD)
    except OSError:
        return False


def _parsed(file: Path, top: Path, gathered: Gathered) -> _Annotation | None:
    """Return what a file says; one that is no XML goes to the ledger."""
    said = below(file, top)
    try:
        root = parse(file)
    except DataError as error:
        why = f"{error.received.removeprefix(f'{file}, ')}; left out"
        gathered.problems.append(Problem("broken", said, f"{said}, {why}"))
        return None
    size = numbers([root.said("size/height"), root.said("size/width")])
    objects = tuple(_object(node) for node in root.all("object"))
    truncated = sum(node.said("truncated") == "1" for node in root.all("object"))
    whole = (int(size[0]), int(size[1])) if size and all(0 < s < 1e6 for s in size) else None
    return _Annotation(file, said, root.line, root.said("filename"), whole, objects, truncated)


def _object(node: Node) -> _Object:
    box = node.find("bndbox")
    cells = tuple(box.said(name) for name in CORNERS) if box else ()
    flag = node.said("flag") or ("difficult" if node.said("difficult") in ("1", "true") else "")
    line = (box or node).line
    return _Object(line, node.said("name"), flag, cells, numbers(cells) if cells else None)


def _counted_from(annotations: Iterable[_Annotation]) -> int:
    """Return the number of the first pixel, as a whole data set gives it away."""
    good = (o.corners for each in annotations for o in each.objects if o.corners)
    zero = any(min(c[:2]) == 0 and c[0] < c[2] and c[1] < c[3] for c in good)
    return 0 if zero else 1


def _edges(low: float, high: float, start: int) -> tuple[float, float]:
    """Return the edges of pixels ``low`` to ``high``, in the order they were given in.

    >>> _edges(1, 1, 1), _edges(9, 3, 1), _edges(0, 8, 0)
    ((0, 1), (9, 2), (0, 8))
    """
    return (round(low - start, 6), high) if low <= high else (low, round(high - start, 6))


def _add(
    each: _Annotation,
    pictures: _Pictures,
    splits: dict[str, str],
    start: int,
    gathered: Gathered,
    top: Path,
) -> str:
    """Add a picture and its boxes; return the picture's name without ending."""
    image = pictures.of(each)
    split = splits.get(each.file.stem) or splits.get(image.stem) or _split_above(each.said)
    sample = Sample(image, None, split, name=below(image, top))
    slot = gathered.picture(sample, Place(each.said, each.line), size=each.size)
    for one in each.objects:
        place = Place(each.said, one.line)
        if not one.cells:
            gathered.drop(slot, "no-box", place, "an object without a bndbox")
        elif not one.name:
            gathered.drop(slot, "no-class", place, "an object without a name")
        elif one.corners is None:
            gathered.drop(slot, "not-a-number", place, f"the box {' '.join(one.cells)[:60]}")
        else:
            xmin, ymin, xmax, ymax = one.corners
            (x1, x2), (y1, y2) = _edges(xmin, xmax, start), _edges(ymin, ymax, start)
            gathered.names[one.name] = one.name
            gathered.box(slot, (x1, y1, x2, y2), one.name, place, flag=one.flag)
    return image.stem


def _splits(top: Path, gathered: Gathered) -> dict[str, str]:
    """Return the split of each picture in the lists; the test keeps what several have."""
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        for file in sorted(top.glob(f"**/ImageSets/Main/{name}.txt")):
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(f"{file} ({error})", expected="a list in UTF-8") from error
            for number, line in enumerate(lines, 1):
                stem = line.strip()
                if splits.get(stem, split) != split:
                    where = f"{shown(file.relative_to(top))}, line {number}"
                    why = f"{where}: it is in {splits[stem]}, too; taken for {split}"
                    gathered.problems.append(Problem("two-splits", stem, why))
                if stem:
                    splits[stem] = split
    return splits


def _split_above(said: str) -> str | None:
    """Return the split that a folder above a file, and below the top, is called after."""
    names = (name.lower() for name in said.split("/")[:-1])
    return next((SPLIT_NAMES[name] for name in names if name in SPLIT_NAMES), None)


def _unannotated(pictures: _Pictures, used: set[str], top: Path, gathered: Gathered) -> None:
    """Name the pictures that no file is about."""
    for stem, files in pictures.by_stem.items():
        if stem not in used:
            name = below(files[0], top)
            gathered.problems.append(
                Problem("not-annotated", name, "no file is about it; left out")
            )


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def _text(picture: str, boxes: Boxes) -> str:
    """Return the annotation of a picture."""
    height, width = boxes.size or (0, 0)
    lines = ["<annotation>", f" <filename>{escape(picture)}</filename>", " <size>"]
    lines += [f"  <width>{width}</width>", f"  <height>{height}</height>", " </size>"]
    for name, flag, box in zip(boxes.names, boxes.flags, shortest(boxes.boxes), strict=True):
        lines += [" <object>", f"  <name>{_clean(name)}</name>", *_flagged(flag), "  <bndbox>"]
        told = zip(CORNERS, _pixels(box), strict=True)
        lines += [f"   <{corner}>{plainly(edge)}</{corner}>" for corner, edge in told]
        lines += ["  </bndbox>", " </object>"]
    return "\n".join([*lines, "</annotation>"]) + "\n"


def _pixels(box: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the first and the last pixel in a box, counted from 1."""
    x1, y1, x2, y2 = box
    return x1 + 1, y1 + 1, x2, y2


def _flagged(flag: str) -> list[str]:
    """Return the elements of a flag: others than difficult are difficult to other readers."""
    more = [f"  <flag>{flag}</flag>"] if flag not in ("", "difficult") else []
    return [f"  <difficult>{int(flag != '')}</difficult>", *more]


def _clean(name: str) -> str:
    """Return a name as XML holds it; raise ``DataError`` for one that it cannot hold."""
    if name != name.strip() or any(not c.isprintable() for c in name):
        raise DataError(
            f"the class {name!r}",
            expected="printable characters, none of them blank at the ends",
            remedy="Write coco or a table.",
        )
    return escape(name)
