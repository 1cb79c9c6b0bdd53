"""What a worker does, wherever it is: jobs as plain data in, lines of ``rows.jsonl`` out.

A job holds ``id``, ``ask`` ("row" or "price"), ``recipe``, ``net``, ``pre``, ``frame``, and the
``folder`` that a row writes into.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opsin.engine import heap
from opsin.errors import InputError
from opsin.events import Advanced, Event, Started, follow
from opsin.recipe import Recipe
from opsin.study.stock import Stock, choice_of
from opsin.training.lean import Lean, lean, price
from opsin.training.material import Material

Job = dict[str, Any]
Tell = Callable[[dict[str, Any]], None]

REFUSING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
LONGEST = 500  # characters of a reason


class Worker:
    """Works through jobs on one stock; what rows have in common is made once."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        self._made: dict[str, Material] = {}

    def do(self, job: Job, tell: Tell) -> dict[str, Any]:
        """Return what a job gives: {"done": …}, or {"failed": reason, "refused": bool}.

        ``tell`` hears of progress. Nothing but the end of the process stops a worker.
        """
        try:
            made = self._material(job["frame"])
            recipe = Recipe.from_dict(job["recipe"])
            choice = choice_of(job, recipe)
            folder = Path(job["folder"])
            if job["ask"] == "price":
                found = price(made, choice, recipe, folder)
                return {"done": {"seconds": found.seconds, "images": found.images,
                                 "bytes": found.bytes}}  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            return {"done": line(follow(lean(made, choice, recipe, folder), _Told(tell).watch))}
        except Exception as error:  # whatever a row dies of, the study outlives it
            return {"failed": reason(error), "refused": refused(error)}

    def _material(self, frame: str) -> Material:
        if frame not in self._made:
            heap.keep()
            self._made[frame] = self.stock.material(frame)
        return self._made[frame]


def line(done: Lean) -> dict[str, Any]:
    """Return what a finished row says of itself in ``rows.jsonl``."""
    return {
        "scores": {"validation": None, "test": None} | done.scores,
        "n": {part: len(outputs) for part, outputs in done.judged.outputs.items()},
        "seconds": round(done.seconds, 3),
        "images": done.images,
        "epochs": len(done.curve),
        "curve": done.curve,
    }


def reason(error: BaseException) -> str:
    """Return in a line why a row failed: what is said of wrong input, else also where it broke."""
    said = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, InputError):
        where = traceback.extract_tb(error.__traceback__)[-1:]
        place = f" ({Path(where[0].filename).name}, line {where[0].lineno})" if where else ""
        said = f"{type(error).__name__}: {said}{place}"
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def refused(error: BaseException | None) -> bool:
    """Say whether it was the disk or the folder that refused: then no other row would fare better.

    >>> refused(OSError(errno.ENOSPC, "No space left on device")), refused(ValueError())
    (True, False)
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in REFUSING:
            return True
        error = error.__cause__
    return False


class _Told:
    """Passes on how far a row is: in its first part, which is the longest of most policies."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self._part = ""

    def watch(self, event: Event) -> None:
        """Tell of the part that begins, and of what is done of it."""
        if isinstance(event, Started) and event.total and not self._part:
            self._part = event.part
            self.tell({"started": event.total})
        elif isinstance(event, Advanced) and event.part == self._part:
            self.tell({"advanced": event.by})
