"""The time a run may take, and the wish of a person to end it early."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Clock:
    """Says how long a run has worked, how much is left, and whether it should stop.

    ``minutes`` is the budget (None: no limit); ``spent`` are seconds of it already used, by the
    start of the process or by an earlier one that was killed; ``reserve`` are seconds kept for what
    comes after learning (measuring, the report).

    >>> clock = Clock(minutes=1.0, spent=20.0, reserve=5.0)
    >>> 34 < clock.left() <= 35, clock.over()
    (True, False)
    """

    def __init__(
        self, minutes: float | None = None, *, spent: float = 0.0, reserve: float = 0.0
    ) -> None:
        self.budget = None if minutes is None else 60.0 * minutes
        self.reserve = reserve
        self._born = time.monotonic() - spent
        self._asked = threading.Event()

    def spent(self) -> float:
        """Return the seconds the run has taken so far."""
        return time.monotonic() - self._born

    def left(self) -> float:
        """Return the seconds that are left for learning; infinite without a budget."""
        return float("inf") if self.budget is None else self.budget - self.reserve - self.spent()

    def over(self) -> bool:
        """Say whether to stop: someone asked to, or no time is left."""
        return self._asked.is_set() or self.left() <= 0

    def stop(self) -> None:
        """Ask the run to end after the step it is in."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Say whether a person asked the run to end."""
        return self._asked.is_set()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turn the first Ctrl-C into a polite stop; a second one ends the process at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def polite(number: int, frame: FrameType | None) -> None:
            if self.asked and callable(before):
                before(number, frame)
            self.stop()

        signal.signal(signal.SIGINT, polite)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
