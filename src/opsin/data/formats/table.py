"""A table with a row for each picture: CSV, TSV or Parquet.

The columns, by name in any case: the picture (path, file, filename, image, …), its class (label,
class, category) or its number (value, target, price, …), and where wanted split and group.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.formats._pictures import encoded, save
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import replacing
from opsin.results import Label, Result, Value

if TYPE_CHECKING:
    from opsin.data.sample import Source

PICTURE = ("path", "file", "filename", "file_name", "filepath", "image", "img", "picture", "photo")
CLASS = ("label", "class", "category", "class_name")
NUMBER = ("value", "number", "target", "price", "cost", "age", "score", "y")
SPLIT = ("split", "set", "subset", "fold")
GROUP = ("group",)
ENDINGS = (".csv", ".tsv", ".txt", ".parquet")
DELIMITERS = ",;\t|"

Row = tuple[int, Mapping[str, Any]]  # line (a Parquet row counts as one), cells by column


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
    columns, rows = _parquet(path) if parquet else _text(path)
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
        elif isinstance(image, Path) and not image.is_file():
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


def write(dataset: Dataset, path: Path) -> None:
    """Write a table; pictures that are no files go into a folder beside it, or into the Parquet."""
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
    columns = list(rows[0]) if rows else ["path", "label"]
    with replacing(path) as beside:
        if parquet:
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


def _text(path: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and rows of a text table; its delimiter is the commonest in line 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        head = text.split("\n", 1)[0]
        delimiter = max(DELIMITERS, key=head.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        columns = [name.strip() for name in next(lines, [])]
        rows = list(_rows(path, columns, lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} ({error})", expected="a table in UTF-8") from error
    return columns, rows


def _rows(path: Path, columns: list[str], lines: Any) -> Iterator[Row]:
    """Yield the rows that are not empty; each must have a cell for each column."""
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise DataError(
                f"{path}, line {lines.line_num}: {len(cells)} cells",
                expected=f"{len(columns)}, as in the first line ({', '.join(columns)})",
                remedy="Put quotes around cells that contain the delimiter.",
            )
        named = zip(columns, (cell.strip() for cell in cells), strict=True)
        yield lines.line_num, dict(named)


def _parquet(path: Path) -> tuple[list[str], list[Row]]:
    parquet, arrow = _arrow(path)
    try:
        table = parquet.read_table(path)
        rows = table.to_pylist()
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise DataError(f"{path} ({error})", expected="a Parquet file") from error
    return list(table.column_names), list(enumerate(rows, 1))


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
