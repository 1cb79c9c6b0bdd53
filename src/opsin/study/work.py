"""What a worker does, wherever it is: jobs as plain data in, lines of ``rows.jsonl`` out.

A job holds ``id``, ``ask`` ("row" or "price"), ``recipe``, ``net``, ``pre``, ``frame``, and the
``folder`` that a row writes into.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opsin.errors import DataError, InputError
from opsin.events import Advanced, Event, Started, follow
from opsin.files import refusals_named
from opsin.recipe import Recipe
from opsin.study.speed import measure
from opsin.study.stock import Stock, choice_of
from opsin.training.lean import Lean, lean, price
from opsin.training.material import Material

Job = dict[str, Any]
Tell = Callable[[dict[str, Any]], None]

LONGEST = 500  # characters of a reason


class Worker:
    """Works through jobs on one stock; what rows have in common is made once."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        self._made: dict[str, Material] = {}

    def do(self, job: Job, tell: Tell) -> dict[str, Any]:
        """Return what a job gives: {"done": …}, or {"failed": reason}.

        ``tell`` hears of progress. Nothing but the end of the process stops a worker.
        """
        try:
            made = self._material(job["frame"])
            recipe = Recipe.from_dict(job["recipe"])
            choice = choice_of(job, recipe)
            folder = Path(job["folder"])
            if job["ask"] == "price":
                found = price(made, choice, recipe, folder)
                return {"done": asdict(found)}
            with refusals_named(folder):
                folder.mkdir(parents=True, exist_ok=True)
                for left in folder.glob(".*.part"):  # by whoever was killed at it
                    left.unlink(missing_ok=True)
            done = follow(lean(made, choice, recipe, folder), _Told(tell).watch)
            return {
                "done": line(done) | {"speed": measure(done.judged.model, self.stock.originals)}
            }
        except Exception as error:  # whatever a row dies of, the study outlives it
            return {"failed": reason(error)} | refused(error)

    def _material(self, frame: str) -> Material:
        if frame not in self._made:
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


def refused(error: Exception) -> dict[str, Any]:
    """Return {"refused": …} where the disc or the folder said no, to no other row more kindly.

    >>> from opsin.files import refusals_named
    >>> try:
    ...     with refusals_named(Path("row")):
    ...         raise OSError(28, "No space left on device")
    ... except DataError as error:
    ...     refused(error)["refused"]["expected"]
    'a folder with room'
    >>> refused(ValueError())
    {}
    """
    if not (isinstance(error, DataError) and isinstance(error.__cause__, OSError)):
        return {}
    said = {"received": error.received, "expected": error.expected, "remedy": error.remedy}
    return {"refused": said}


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
