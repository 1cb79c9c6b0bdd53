"""What a study will cost, said before it starts: rows, pictures, seconds here, room on the disc.

A few steps of each setting are timed, by all workers at once, since that is how they will work.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsin.events import Advanced, Event, Finished, Started
from opsin.study.hands import Hands
from opsin.study.plan import Cell, Plan, Row, words
from opsin.study.stock import Stock
from opsin.study.store import RowStore

PART = "try a few steps"
MOST = 48  # settings that are timed; those between them cost as much as their neighbours
LINE = 4096  # bytes of a row beside its tensors: its line, its folder
ASIDE = 0.5  # seconds a row takes beside its training


@dataclass(frozen=True)
class Cost:
    """Is what is left to do of a study, and what it takes on this machine."""

    rows: int
    left: int
    images: int  # pictures to learn from, all rows that are left together
    seconds: float  # on all workers
    bytes: int
    workers: int
    timed: int  # settings whose steps were timed
    settings: int
    each: Mapping[str, float]  # seconds a row, by the words of its cell
    open_end: bool  # a clock decides what some rows learn

    def lines(self) -> list[str]:
        """Return the cost in sentences."""
        done = self.rows - self.left
        found = [
            f"{self.rows:,} rows ({self.settings:,} settings × seeds)"
            + (f", {done:,} of them done" if done else ""),
            f"{_much(self.images)} pictures to learn from; about {spoken(self.seconds)} on "
            f"{self.workers} workers of this machine ({self.timed} settings timed)",
            f"{self.bytes / 1e6:,.0f} MB on the disc",
        ]
        if self.open_end:
            found.append(
                "Some rows end by the clock (minutes): this table cannot be repeated exactly."
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "rows": self.rows,
            "left": self.left,
            "images": self.images,
            "seconds": round(self.seconds, 1),
            "bytes": self.bytes,
            "workers": self.workers,
            "repeatable": not self.open_end,
        }


def estimate(
    plan: Plan, left: Sequence[Row], store: RowStore, stock: Stock, hands: Hands, workers: int
) -> Generator[Event, None, Cost]:
    """Time a few steps of the settings that are left and return what all rows of them cost."""
    cells: dict[str, tuple[Row, Cell]] = {}
    for row in left:
        cells.setdefault(words(row.cell), (row, row.cell))
    chosen = list(cells)[:: max(1, -(-len(cells) // MOST))]
    yield Started(PART, len(chosen), "settings")
    found: dict[str, dict[str, Any]] = {}
    jobs = {name: job_of(cells[name][0], store, stock, "price") for name in chosen}
    waiting = {name: job | {"id": name} for name, job in jobs.items()}
    while len(found) < len(chosen):
        while waiting and hands.idle():
            name = next(iter(waiting))
            hands.give(waiting.pop(name))
        for name, said in hands.hear(0.5):
            if {"done", "failed", "died"} & set(said):
                found[name] = said.get("done", {})  # what cannot be tried says why when it is due
                yield Advanced(PART)
    each: dict[str, float] = {}
    images = room = 0
    usual: dict[str, Any] = next((f for f in found.values() if f), {})
    for name in cells:
        usual = found.get(name) or usual
        each[name] = usual.get("seconds", 0.0) + ASIDE
    counted = {name: found.get(name) or usual for name in cells}
    for row in left:
        said = counted[words(row.cell)]
        images += said.get("images", 0)
        room += said.get("bytes", 0) + LINE
    seconds = sum(each[words(row.cell)] for row in left) / max(1, min(workers, len(left)))
    yield Finished(PART, 0.0)
    return Cost(
        len(plan),
        len(left),
        images,
        seconds,
        room + stock.bytes,
        workers,
        len(chosen),
        plan.settings,
        each,
        plan.timed,
    )


def job_of(row: Row, store: RowStore, stock: Stock, ask: str) -> dict[str, Any]:
    """Return the job of a row as plain data."""
    chosen = stock.choice(row)
    assert chosen is not None
    folder = store.row_folder(row.id) if ask == "row" else store.cache / "price" / row.id
    return {
        "id": row.id,
        "ask": ask,
        "recipe": row.recipe.to_dict(),
        **chosen,
        "folder": str(folder),
    }


def spoken(seconds: float) -> str:
    """Return a time as one says it.

    >>> spoken(42), spoken(600), spoken(7200), spoken(300_000)
    ('42 s', '10 min', '2.0 h', '3.5 days')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def _much(number: int) -> str:
    """Return a large number in millions.

    >>> _much(12_345), _much(3_600_000)
    ('12,345', '3.6 million')
    """
    return f"{number:,}" if number < 1_000_000 else f"{number / 1e6:,.1f} million"
