"""The loop of a study: claim a row, hand it out, write down what came of it.

It tells and decides nothing else: which rows there are is the plan's, who works is the hands', what
is kept is the store's. Several such loops share one folder: a row is claimed before it is given
away, and one that someone else has is waited for, and taken over if he dies.
"""

from __future__ import annotations

import platform
import shutil
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from opsin.errors import DataError
from opsin.events import Advanced, Event, Finished, Note, Started
from opsin.study.cost import job_of
from opsin.study.hands import Hands
from opsin.study.plan import Row
from opsin.study.stock import Stock
from opsin.study.store import Claim, Line, RowStore

PART = "rows"
AGAIN = 1.0  # seconds until a row that someone else has is asked for again
LISTEN = 0.25


@dataclass(eq=False)
class _Running:
    """Is a row in work here."""

    row: Row
    claim: Claim
    began: float = field(default_factory=time.monotonic)


def drive(
    rows: Sequence[Row], store: RowStore, stock: Stock, hands: Hands, *, retries: int, metric: str
) -> Generator[Event, None, None]:
    """Work until every row is done or has failed, here or elsewhere."""
    began, known = time.monotonic(), set(store.rows())
    waiting = {row.id: row for row in rows if row.id not in known}
    yield Started(PART, len(rows), "rows")
    yield Advanced(PART, len(rows) - len(waiting))
    running: dict[str, _Running] = {}
    attempts: Counter[str] = Counter()
    asked: dict[str, float] = {}
    try:
        while waiting or running:
            for found in set(store.rows()) & set(waiting):  # by someone else
                del waiting[found]
                yield Advanced(PART)
            while hands.idle() and (mine := _claimed(waiting, store, asked)):
                running[mine.row.id] = mine
                hands.give(job_of(mine.row, store, stock, "row"))
            for id, said in hands.hear(LISTEN):
                yield from _heard(running, id, said)
                line = _line(running[id].row, said, len(running))
                if line is None:
                    continue
                if refused := said.get("refused"):
                    raise DataError(**refused)
                attempts[id] += 1
                mine = running.pop(id)
                if line["state"] == "failed" and attempts[id] <= retries:
                    waiting[id] = mine.row
                    yield Note(f"{mine.row.label} is tried again: {line['reason']}")
                else:
                    if line["state"] == "failed":
                        shutil.rmtree(store.row_folder(id), ignore_errors=True)
                    store.record(line)
                    yield Advanced(PART)
                mine.claim.release()
                told = _told(line, metric)
                yield Finished(mine.row.label, time.monotonic() - mine.began, told)
    finally:
        for mine in running.values():
            mine.claim.release()
    yield Finished(PART, time.monotonic() - began, f"{len(rows)} done")


def _claimed(waiting: dict[str, Row], store: RowStore, asked: dict[str, float]) -> _Running | None:
    """Take the first waiting row that nobody has; those that someone has are asked for later."""
    now = time.monotonic()
    for id, row in waiting.items():
        if now - asked.get(id, -AGAIN) < AGAIN:
            continue
        if claim := store.claim(id):
            del waiting[id]
            return _Running(row, claim)
        asked[id] = now
    return None


def _heard(
    running: dict[str, _Running], id: str, said: dict[str, object]
) -> Generator[Event, None, None]:
    """Tell how far a row is."""
    if total := said.get("started"):
        yield Started(running[id].row.label, int(str(total)), "steps")
    if by := said.get("advanced"):
        yield Advanced(running[id].row.label, int(str(by)))


def _line(row: Row, said: dict[str, object], at_once: int) -> Line | None:
    """Return the line of a row that has come to an end, None for one that goes on.

    ``at_once`` rows were in work here, itself among them: neighbours cost each other time.
    """
    reason = said.get("failed") or said.get("died")
    done = said.get("done")
    if not reason and done is None:
        return None
    line: Line = {
        "id": row.id,
        "cell": row.cell,
        "seed": row.seed,
        "state": "failed" if reason else "done",
        "reason": reason or None,
        "folder": f"rows/{row.id}",
        "worker": said.get("worker") or platform.node(),
        "at_once": at_once,
    }
    return line | (done if isinstance(done, dict) else {})


def _told(line: Line, metric: str) -> str:
    """Return in a few words what came of a row."""
    if line["state"] == "failed":
        return f"failed: {line['reason']}"
    part = "test" if line["scores"].get("test") is not None else "validation"
    return f"{part} {metric} {line['scores'][part]:.4f}"
