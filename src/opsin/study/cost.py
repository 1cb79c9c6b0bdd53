"""What a study will cost, said before it starts: rows, pictures, seconds here, room on the disc.

A few steps of each setting are timed, by all workers at once, since that is how they will work.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsin.events import Advanced, Event, Finished, Started
from opsin.files import write_json
from opsin.study.hands import Hands
from opsin.study.plan import Plan, Row, words
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
    where: str
    timed: int  # settings whose steps were timed
    settings: int
    each: Mapping[str, float]  # seconds a row, by the words of its cell
    open_end: bool  # a clock decides what some rows learn

    def scaled(self, plan: Plan) -> Cost:
        """Return the cost of a whole plan, of which this is the cost of a part."""
        times = len(plan) / max(1, self.left)
        return replace(
            self,
            rows=len(plan),
            left=len(plan),
            images=round(times * self.images),
            seconds=times * self.seconds,
            bytes=round(times * self.bytes),
        )

    def lines(self) -> list[str]:
        """Return the cost in sentences."""
        done = self.rows - self.left
        found = [
            f"{self.rows:,} rows ({self.settings:,} settings × seeds)"
            + (f", {done:,} of them done" if done else ""),
            f"{_much(self.images)} pictures to learn from; about {spoken(self.seconds)} on "
            f"{self.workers} workers of {self.where} ({self.timed} settings timed)",
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
    plan: Plan, left: Sequence[Row], store: RowStore, stock: Stock, hands: Hands
) -> Generator[Event, None, Cost]:
    """Time a few steps of the settings that are left and return what all rows of them cost."""
    firsts: dict[str, Row] = {}
    for row in left:
        firsts.setdefault(words(row.cell), row)
    chosen = list(firsts)[:: max(1, -(-len(firsts) // MOST))]
    file = store.cache / f"prices-{hands.where}.json".replace("/", "-")
    known: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    new = {name: firsts[name] for name in chosen if name not in known}
    known |= yield from _timed(new, store, stock, hands)
    write_json(file, known)
    usual: dict[str, Any] = next((price for price in known.values() if price), {})
    prices: dict[str, dict[str, Any]] = {}
    for name in firsts:
        usual = prices[name] = known.get(name) or usual
    each = {name: price.get("seconds", 0.0) + ASIDE for name, price in prices.items()}
    every = [prices[words(row.cell)] for row in left]
    seconds = sum(each[words(row.cell)] for row in left)
    return Cost(
        len(plan),
        len(left),
        sum(price.get("images", 0) for price in every),
        seconds / max(1, min(hands.many, len(left))),
        sum(price.get("bytes", 0) + LINE for price in every) + stock.bytes,
        hands.many,
        hands.where,
        len(chosen),
        plan.settings,
        each,
        plan.timed,
    )


def _timed(
    rows: Mapping[str, Row], store: RowStore, stock: Stock, hands: Hands
) -> Generator[Event, None, dict[str, dict[str, Any]]]:
    """Return the price of each row, {} of one that cannot be tried: it says why when it is due."""
    began, found = time.monotonic(), dict[str, dict[str, Any]]()
    waiting = [job_of(row, store, stock, "price") | {"id": name} for name, row in rows.items()]
    yield Started(PART, len(rows), "settings")
    while len(found) < len(rows):
        while waiting and hands.idle():
            hands.give(waiting.pop())
        for name, said in hands.hear(0.5):
            if {"done", "failed", "died"} & set(said):
                found[name] = said.get("done", {})
                yield Advanced(PART)
    yield Finished(PART, time.monotonic() - began)
    return found


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
