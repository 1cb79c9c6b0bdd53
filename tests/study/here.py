"""Hands without processes: they work at once, and die when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsin.study.hands import Job, Said
from opsin.study.stock import Stock
from opsin.study.work import Worker


class Here:
    """Does one job at a time in this process; ``fails(job)`` may say what becomes of it instead."""

    many, where = 1, "this process"

    def __init__(
        self, stock: Stock, fails: Callable[[Job], dict[str, Any] | None] = lambda job: None
    ) -> None:
        self.worker, self.fails = Worker(stock), fails
        self.done: list[str] = []
        self._said: list[Said] = []

    def idle(self) -> int:
        """Return 1 where all that was given has been heard of, too."""
        return 0 if self._said else 1

    def give(self, job: Job) -> None:
        """Do a job."""
        if job["ask"] == "row":
            self.done.append(job["id"])
        said: list[dict[str, Any]] = []
        end = self.fails(job) or self.worker.do(job, said.append)
        self._said += [(job["id"], each) for each in (*said, end)]

    def hear(self, seconds: float) -> list[Said]:
        """Return all that was said."""
        said, self._said = self._said, []
        return said

    def close(self) -> None:
        """Do nothing: nobody is anywhere else."""
