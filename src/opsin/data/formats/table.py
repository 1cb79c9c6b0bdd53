"""A table with a row for each picture, or for each box: CSV, TSV or Parquet.

The columns, by name in any case: the picture (path, file, filename, image, …), its class (label,
class, category) or its number (value, target, price, …), and where wanted split and group. Where
there are four corners, too, the table is one of boxes (``_rows.py``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.formats import _rows as box_rows
from opsin.data.formats._boxed import not_kept
from opsin.data.formats._pictures import encoded, is_file, save
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import replacing
from opsin.results import Boxes, Label, Result, Value

if TYPE_CHECKING:
    from opsin.data.sample import Source

PICTURE = (
    *("path", "file", "filename", "file_name", "filepath", "image", "img", "picture", "photo"),
    *("image_path", "img_path"),
)
CLASS = ("label", "class", "category", "class_name")
NUMBER = ("value", "number", "target", "price", "cost", "age", "score", "y")
SPLIT = ("split", "set", "subset", "fold")
GROUP = ("group",)
ENDINGS = (".csv", ".tsv", ".txt", ".parquet")
DELIMITERS = ",;\t|"

BATCH = 4096  # rows of a Parquet file at a time

Row = tuple[int, Mapping[str, Any]]  # line (a Parquet row counts as one), cells by column
Found = box_rows.Row


def sniff(path: Path) -> bool:
    """Return whether ``path`` is a file named like a table."""
    return path.is_file() and path.suffix.lower() in ENDINGS


def read(path: Path, root: Path | None = None) -> Dataset:
    """Read a table; paths in it start from ``root``, or else from the table's own folder.

    A class column gives classes, unless it holds numbers with a fraction. Any other column gives
    numbers where every cell is one, classes where none is, and an error where they are mixed.
    Pictures that do not exist and rows without a truth go to the ledger. Raises ``DataError``
    with file and line for what is wrong.
    """
    parquet = path.suffix.lower() == ".parquet"
    columns, found = _parquet(path) if parquet else _text(path)
    if box_rows.corners(columns, f"{path}, line 1: "):
        picture = _column(path, columns, PICTURE, "the picture")
        label = _column(path, columns, CLASS, "the class of a box")
        return box_rows.read(path, found, picture, label, root)
    rows = _whole(path, columns, found)
    if not rows:
        raise DataError(f"{path} without rows", expected="a row for each picture")
    picture = _column(path, columns, PICTURE, "the picture")
    split, group = (_maybe(columns, wanted) for wanted in (SPLIT, GROUP))
    truth = _truth_column(path, columns, {picture, split, group})
    ledger: list[Problem] = []
    samples: list[Sample] = []
    truths = _truths(path, truth, rows)
    base = root or path.parent
    for line, cells in rows:
        image, name = _picture(cells[picture], base)
        where = f"{shown(path.name)}, line {line}"
        if line not in truths:
            ledger.append(Problem("no-label", name or where, f"{where}: no {truth}; left out"))
        elif isinstance(image, Path) and not is_file(image):
            ledger.append(
                Problem("missing", name, f"{where}: there is no file {shown(image)}; left out")
            )
        else:
            part = _split(path, line, cells.get(split or ""))
            person = str(cells.get(group or "") or "") or None
            samples.append(Sample(image, truths[line], part, person, name or where))
    if not samples:
        raise DataError(
            f"{path}, of whose {len(rows)} pictures none was found ({ledger[0].message})",
            expected="paths that start from the table's folder",
            remedy="Say where the pictures lie with --root.",
        )
    return Dataset(tuple(samples), shown(path.stem), tuple(ledger))


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write a table; pictures that are no files go into a folder beside it, or into the Parquet.

    Ids of classes are not kept.
    """
    if any(isinstance(sample.truth, Boxes) for sample in dataset.samples):
        _save(path, box_rows.rows(dataset, path), list(box_rows.COLUMNS))
    else:
        rows = _labelled(dataset, path)
        _save(path, rows, list(rows[0]) if rows else ["path", "label"])
    return not_kept(path, [(len(dataset.ids), "ids of classes: a table has names")])


def _labelled(dataset: Dataset, path: Path) -> list[dict[str, Any]]:
    """Return a row for each picture with its class or number."""
    rows = []
    parquet = path.suffix.lower() == ".parquet"
    for index, sample in enumerate(dataset.samples):
        image: Any = sample.image.resolve() if isinstance(sample.image, Path) else None
        if image is None and not parquet:
            image = save(sample.image, path.with_name(f"{path.stem}_images") / f"{index:06}")
            image = image.relative_to(path.parent)
        cell = encoded(sample.image) if image is None else image.as_posix()
        rows.append({"path": cell} | _cells(sample))
    if len({frozenset(row) for row in rows}) > 1:
        raise DataError("truths of several kinds", expected="one kind in a table")
    return rows


def _save(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Write rows as the kind of table that the ending asks for."""
    with replacing(path) as beside:
        if path.suffix.lower() == ".parquet":
            _arrow(path)[0].write_table(_arrow(path)[1].Table.from_pylist(rows), beside)
            return
        with beside.open("w", encoding="utf-8", newline="") as stream:
            delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
            table = csv.DictWriter(stream, columns, delimiter=delimiter)
            table.writeheader()
            table.writerows(rows)


def _cells(sample: Sample) -> dict[str, Any]:
    """Return the cells of a row beside the picture."""
    if isinstance(sample.truth, Label):
        cells: dict[str, Any] = {"label": sample.truth.name}
    elif isinstance(sample.truth, Value):
        cells = {"value": sample.truth.value}
    else:
        raise DataError(f"the truth {sample.truth}", expected="a label or a number")
    return cells | {"split": sample.split or "", "group": sample.group or ""}


# ── reading cells ───────────────────────────────────────────────────────────────────────────────


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a table is read into one error with its name."""
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} ({error})", expected="a table in UTF-8") from error


def _text(path: Path) -> tuple[list[str], Iterator[Found]]:
    """Return the columns and rows of a text table; its delimiter is the commonest in line 1."""
    with _named(path), path.open(encoding="utf-8-sig", newline="") as stream:
        delimiter = max(DELIMITERS, key=stream.readline().count)
        stream.seek(0)
        lines = csv.reader(stream, delimiter=delimiter, strict=True)
        columns = [name.strip() for name in next(lines, [])]
    return columns, _lines(path, delimiter, columns)


def _lines(path: Path, delimiter: str, columns: list[str]) -> Iterator[Found]:
    """Yield the rows that are not empty, one at a time; a number of cells where they do not fit."""
    with _named(path), path.open(encoding="utf-8-sig", newline="") as stream:
        lines = csv.reader(stream, delimiter=delimiter, strict=True)
        next(lines, [])
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            fits = len(cells) == len(columns)
            named = zip(columns, (cell.strip() for cell in cells), strict=False)
            yield lines.line_num, dict(named) if fits else len(cells)


def _whole(path: Path, columns: list[str], found: Iterator[Found]) -> list[Row]:
    """Return all rows; each must have a cell for each column."""
    rows: list[Row] = []
    for line, cells in found:
        if isinstance(cells, int):
            raise DataError(
                f"{path}, line {line}: {cells} cells",
                expected=f"{len(columns)}, as in the first line ({', '.join(columns)})",
                remedy="Put quotes around cells that contain the delimiter.",
            )
        rows.append((line, cells))
    return rows


def _parquet(path: Path) -> tuple[list[str], Iterator[Found]]:
    parquet, arrow = _arrow(path)
    try:
        table = parquet.ParquetFile(path)
        columns = list(table.schema_arrow.names)
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise DataError(f"{path} ({error})", expected="a Parquet file") from error
    return columns, _batches(path, table, arrow)


def _batches(path: Path, table: Any, arrow: Any) -> Iterator[Found]:
    """Yield the rows of a Parquet file, some thousand in memory at a time."""
    line = 0
    try:
        for batch in table.iter_batches(BATCH):
            for cells in batch.to_pylist():
                line += 1
                yield line, cells
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise DataError(f"{path} ({error})", expected="a Parquet file") from error


def _arrow(path: Path) -> tuple[Any, Any]:
    """Return pyarrow, which only Parquet needs."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            str(path),
            expected="pyarrow to be installed",
            remedy="pip install 'opsin[table]', or use CSV.",
        ) from error
    return parquet, pyarrow


def _maybe(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    """Return the column whose name comes first in ``wanted``."""
    lower = {name.lower(): name for name in reversed(columns)}
    return next((lower[name] for name in wanted if name in lower), None)


def _column(path: Path, columns: list[str], wanted: tuple[str, ...], what: str) -> str:
    found = _maybe(columns, wanted)
    if found is None:
        raise DataError(
            f"{path}, line 1: the columns {', '.join(columns) or '(none)'}",
            expected=f"one for {what}: {', '.join(wanted)}",
            remedy="Rename the column.",
        )
    return found


def _truth_column(path: Path, columns: list[str], used: set[str | None]) -> str:
    """Return the column of the truth: by its name, or because it is the only one left."""
    left = [name for name in columns if name not in used]
    known = _maybe(left, CLASS) or _maybe(left, NUMBER)
    if known is not None:
        return known
    return left[0] if len(left) == 1 else _column(path, left, CLASS + NUMBER, "class or number")


def _truths(path: Path, column: str, rows: list[Row]) -> dict[int, Result]:
    """Return the truth of each line that has one."""
    cells = {line: row[column] for line, row in rows if row[column] not in (None, "")}
    numbers = {line: _number(cell) for line, cell in cells.items()}
    bad = [line for line, number in numbers.items() if number is None]
    as_class = column.lower() in CLASS
    fraction = any(number is not None and number % 1 for number in numbers.values())
    if bad and len(bad) < len(cells) and column.lower() not in CLASS:
        raise DataError(
            f"{path}, line {bad[0]}: {column} {cells[bad[0]]!r}",
            expected="a number, as in other rows",
            remedy="Correct it, or call the column label if it names classes.",
        )
    if bad or (as_class and not fraction):
        return {line: Label(str(cell)) for line, cell in cells.items()}
    return {line: Value(number) for line, number in numbers.items() if number is not None}


def _number(cell: Any) -> float | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _picture(cell: Any, base: Path) -> tuple[Source, str]:
    """Return a cell's picture, a path or (in Parquet) bytes, and the name to show."""
    if isinstance(cell, dict):  # how Hugging Face keeps pictures
        inside, path = cell.get("bytes"), cell.get("path")
        return (inside, str(path or "")) if inside else _picture(path, base)
    if isinstance(cell, bytes):
        return cell, ""
    return base / str(cell or ""), str(cell or "")


def _split(path: Path, line: int, cell: Any) -> str | None:
    if cell in (None, ""):
        return None
    if str(cell).lower() not in SPLIT_NAMES:
        raise DataError(
            f"{path}, line {line}: split {cell!r}", expected="train, validation, test or nothing"
        )
    return SPLIT_NAMES[str(cell).lower()]
