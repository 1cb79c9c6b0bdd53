"""What a run tells while it works. Watchers (bars, logs, files) read events and never answer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """Marks a moment of a run."""


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Says one sentence a person should read (what was decided, and why)."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """Lists the parts of a run with how long each should take, before they start."""

    parts: tuple[tuple[str, float], ...]  # (what will be done, seconds)
    budget: float | None  # seconds, None without a budget


@dataclass(frozen=True, slots=True)
class Started(Event):
    """Opens a part of a run that has ``total`` units of work (images, steps); 0 if unknown."""

    part: str
    total: int = 0
    unit: str = "images"


@dataclass(frozen=True, slots=True)
class Advanced(Event):
    """Moves the part that is open forward by ``by`` units."""

    part: str
    by: int = 1


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Closes a part after ``seconds``; ``text`` says in a few words what came out of it."""

    part: str
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Epoch(Event):
    """Closes an epoch: ``terms`` holds loss and error of training and validation by name.

    ``step`` and ``images`` (pictures learnt from) count from the start of the policy.
    """

    policy: str
    epoch: int
    epochs: int
    step: int
    seconds: float
    terms: dict[str, float] = field(default_factory=dict)
    best: bool = False
    images: int = 0


@dataclass(frozen=True, slots=True)
class Problem(Event):
    """Names one thing that is wrong with the data: ``kind`` (one word), where, and why.

    >>> Problem("truncated", "a/b.jpg", "the file ends early").to_dict()
    {'kind': 'truncated', 'path': 'a/b.jpg', 'message': 'the file ends early'}
    """

    kind: str
    path: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the problem as plain data, as ``check --json`` prints it."""
        return {"kind": self.kind, "path": self.path, "message": self.message}


def follow(events: Generator[Event, None, T], watch: Callable[[Event], None]) -> T:
    """Run a generator of events to its end, show each to ``watch``, return what it returns.

    >>> def work():
    ...     yield Note("working")
    ...     return 42
    >>> follow(work(), lambda event: print(event.text))
    working
    42
    """
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            return cast("T", end.value)
        watch(event)
