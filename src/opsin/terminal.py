"""How a terminal shows what runs tell and what verbs return.

Progress goes to standard error and only to a terminal; results go to standard output, as text for
people, JSON for programs or CSV for tables.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from opsin.errors import DataError
from opsin.events import Advanced, Epoch, Event, Finished, Note, Planned, Problem, Started
from opsin.figures import Measures, count

if TYPE_CHECKING:
    from opsin.model import Model, Prediction

Watch = Callable[[Event], None]
SHOWN = 20  # problems printed one by one; the rest is counted


@contextmanager
def progress() -> Iterator[Watch]:
    """Give a watcher that draws bars with the time left; silent where nobody looks."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        open_bars: dict[str, Any] = {}

        def watch(event: Event) -> None:
            if isinstance(event, Started):
                open_bars[event.part] = bars.add_task(event.part, total=event.total or None)
            elif isinstance(event, Advanced) and event.part in open_bars:
                bars.advance(open_bars[event.part], event.by)
            else:
                if isinstance(event, Finished) and event.part in open_bars:
                    bars.remove_task(open_bars.pop(event.part))
                if line := sentence(event):
                    console.print(escape(spelled(line)))

        yield watch


def sentence(event: Event) -> str:
    """Return an event as a line for people, "" where it is not worth one.

    >>> sentence(Finished("head", 1.5, "accuracy 0.9"))
    '  head: accuracy 0.9 (1.5 s)'
    """
    if isinstance(event, Note):
        return event.text
    if isinstance(event, Planned):
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in event.parts)
        return f"Plan: {parts}"
    if isinstance(event, Finished):
        return f"  {event.part}: {event.text} ({event.seconds:.1f} s)".replace(":  (", " (")
    if isinstance(event, Epoch):
        terms = "  ".join(f"{name} {value:.4f}" for name, value in event.terms.items())
        mark = " ←" if event.best else ""
        return f"  {event.policy} {event.epoch}/{event.epochs}  {terms}{mark}"
    return ""


def print_result(result: Any, style: str) -> None:
    """Print what a verb returned."""
    if style == "json":
        click.echo(json.dumps(_plain(result), ensure_ascii=False))
        return
    # What goes to a file or a pipe is not broken into lines of some width.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
    if isinstance(result, Measures):
        _print_measures(console, result)
    elif hasattr(result, "table"):
        console.print(_table(result.table(console.width), right=result.right))
        for line in result.notes():
            console.print(spelled(line), markup=False, soft_wrap=True)
    elif hasattr(result, "lines"):
        for line in result.lines():
            console.print(spelled(line), markup=False, soft_wrap=True)
        if hasattr(result, "problems"):
            _print_problems(console, result.problems)
    elif hasattr(result, "problems"):
        _print_checked(console, result)
    else:
        _print_model(console, result)


def _plain(result: Any) -> Any:
    """Return a result as plain data."""
    return result.to_dict()


def print_stream(results: Iterator[Prediction], style: str) -> None:
    """Print predictions as they come: a line each, whatever the style.

    Raises ``DataError`` at the end if not one picture could be read.
    """
    table: csv.DictWriter[str] | None = None
    waiting: list[Prediction] = []  # for one that was read, which tells the columns
    good = bad = 0
    for each in results:
        good, bad = good + (each.error is None), bad + (each.error is not None)
        if style == "json":
            click.echo(json.dumps(each.to_dict(), ensure_ascii=False))
        elif style == "csv":
            if table is None and each.result is not None:
                table = _csv(each.result.columns)
            waiting.append(each)
            if table is not None:
                table.writerows(row for one in waiting for row in _rows(one))
                waiting.clear()
        else:
            click.echo(_line(each))
    if waiting:
        _csv(()).writerows(row for one in waiting for row in _rows(one))
    if bad and not good:
        raise DataError(f"{bad} files, none of which is a picture", expected="pictures to look at")


def _csv(columns: Sequence[str]) -> csv.DictWriter[str]:
    """Begin a table with these columns between the path and the error."""
    names = ["path", *columns, "error"]
    table = csv.DictWriter(sys.stdout, names, restval="", lineterminator="\n")
    table.writeheader()
    return table


def _rows(said: Prediction) -> list[dict[str, Any]]:
    """Return the rows of one picture: one at least, several where it shows several objects."""
    rows = said.result.rows() if said.result else []
    return [{"path": said.path, **row, "error": said.error or ""} for row in rows or [{}]]


def spelled(text: str) -> str:
    r"""Return text with control characters spelled out: file names may hold anything.

    >>> print(spelled("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _line(said: Prediction) -> str:
    if said.result is None:
        return spelled(f"{'error':<24} {said.path}: {said.error}")
    rows = said.result.rows()
    cells = rows[0].values() if len(rows) == 1 else [said.result.words()]
    words = " ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells)
    return spelled(f"{words:<24} {said.path}")


def _print_measures(console: Console, measures: Measures) -> None:
    metrics = [
        {"metric": name, "value": f"{m.value:.4f}", "95 %": f"{m.low:.4f} – {m.high:.4f}", "n": m.n}
        for name, m in measures.metrics.items()
    ]
    console.print(_table(metrics))
    if measures.per_class:
        rows = [{"class": name, **numbers} for name, numbers in measures.per_class.items()]
        console.print(_table(rows))


def _print_checked(console: Console, checked: Any) -> None:
    plain = checked.to_dict()
    splits = sorted({split for row in plain["classes"].values() for split in row})
    boxes = plain.get("boxes", {}).get("classes", {})
    rows = [
        {"class": name}
        | {split or "pictures": row.get(split, 0) for split in splits}
        | {f"{split} boxes".strip(): boxes[name].get(split, 0) for split in splits if name in boxes}
        for name, row in plain["classes"].items()
    ]
    console.print(f"{count(plain['images'], 'picture')}, {count(len(rows), 'class')}")
    console.print(_table(rows))
    for line in checked.objects.lines() if checked.objects else ():
        console.print(line, markup=False, soft_wrap=True)
    _print_problems(console, checked.problems)


def _print_problems(console: Console, problems: Sequence[Problem]) -> None:
    """Print what is wrong, by kind."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    for kind, found in sorted(kinds.items()):
        console.print(f"[bold]{kind}[/bold]: {len(found)}")
        for problem in found[:SHOWN]:
            line = "  " + spelled(f"{problem.path}: {problem.message}")
            console.print(line, markup=False, soft_wrap=True)
        if len(found) > SHOWN:
            console.print(f"  … and {len(found) - SHOWN} more (--json lists all)")
    if not kinds:
        console.print("No problems found.")


def _print_model(console: Console, model: Model) -> None:
    plain = model.to_dict()
    metric = next(iter(plain["metrics"].items()), None)
    file = escape(spelled(str(plain["model"])))
    console.print(f"[bold]{file}[/bold] ({plain['net']}, {plain['policy']})", soft_wrap=True)
    if metric:
        name, numbers = metric
        held = plain["split"]["held_out"]
        console.print(
            f"{name} {numbers['value']:.3f} "
            f"({numbers['low']:.3f}–{numbers['high']:.3f}) on {numbers['n']} {held} pictures"
        )
    console.print(f"report: {escape(spelled(str(plain['report'])))}", soft_wrap=True)


def _table(rows: list[Any] | list[Mapping[str, Any]], right: Sequence[str] = ()) -> Table:
    """Return rows of the same keys as a table; numbers and the columns ``right`` to the right."""
    table = Table(box=None, pad_edge=False)
    names = list(rows[0]) if rows else []
    for name in names:
        number = isinstance(rows[0][name], int | float) or name in right
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return "×".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else escape(spelled(str(value)))
