"""Who does the work of a study: processes of this machine, each with its share of the cores.

Nets of a study are small: two of them on a core each are done sooner than one after the other on
two cores (docs/decisions/0007). Whoever else can work (``fleet``) has the same four methods.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import opsin
from opsin.errors import OpsinError

Job = dict[str, Any]
Said = tuple[str, dict[str, Any]]  # id of a job; started, advanced, done, failed or died

PATIENCE = 3  # workers that may die before they were ever ready
SHOWN = 300  # characters of the last words of a worker


class Hands(Protocol):
    """Is some workers: they take jobs and say how those go."""

    @property
    def many(self) -> int:
        """Return how many there are."""

    @property
    def where(self) -> str:
        """Return what a person calls the place where they work."""

    def idle(self) -> int:
        """Return how many jobs could be taken right now."""

    def give(self, job: Job) -> None:
        """Hand a job to somebody idle."""

    def hear(self, seconds: float) -> list[Said]:
        """Return what was said of jobs, waiting so long at most."""

    def close(self) -> None:
        """Send everybody home; what they were doing is lost."""


def processors() -> int:
    """Return how many cores this process may use, which in a container are not all."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@dataclass(eq=False)
class _Process:
    """Is one worker: its process, what it is doing, and what it has half said."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    ready: bool = False
    job: str | None = None
    half: bytes = b""


@dataclass(eq=False)
class Processes:
    """Runs ``many`` worker processes with ``threads`` each on the pictures in ``cache``."""

    cache: Path
    many: int
    threads: int = 1
    where: str = "this machine"
    _workers: list[_Process] = field(default_factory=list)
    _stillborn: int = 0

    def __post_init__(self) -> None:
        self._heard = selectors.DefaultSelector()
        for place in range(self.many):
            self._start(place)

    def _start(self, place: int) -> None:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        process = subprocess.Popen(
            [sys.executable, "-m", "opsin.study.worker", self.cache, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=self._environment(place),
        )
        worker = _Process(process, errors)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._heard.register(process.stdout, selectors.EVENT_READ, worker)
        self._workers.append(worker)

    def _environment(self, place: int) -> dict[str, str]:
        """Return what a worker finds around it: our sources, its threads, its share of GPUs."""
        home = str(Path(opsin.__file__).parents[1])
        path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
        # Threads that wait must not keep a neighbour from its core (docs/decisions/0004).
        own = {"OMP_NUM_THREADS": str(self.threads), "OMP_WAIT_POLICY": "passive"}
        del place
        return os.environ | own | {"PYTHONPATH": path}

    def idle(self) -> int:
        """Return how many workers are ready and have nothing to do."""
        return sum(worker.ready and worker.job is None for worker in self._workers)

    def give(self, job: Job) -> None:
        """Hand a job to an idle worker; one that has just died says so when it is heard."""
        worker = next(w for w in self._workers if w.ready and w.job is None)
        worker.job = job["id"]
        assert worker.process.stdin is not None
        with suppress(BrokenPipeError):
            worker.process.stdin.write(json.dumps(job).encode() + b"\n")
            worker.process.stdin.flush()

    def hear(self, seconds: float) -> list[Said]:
        """Return what workers said within some seconds; a dead one is replaced."""
        found: list[Said] = []
        for key, _ in self._heard.select(seconds):
            worker: _Process = key.data
            assert worker.process.stdout is not None
            raw = worker.process.stdout.read()
            if raw == b"":
                found += self._buried(worker)
                continue
            *lines, worker.half = (worker.half + (raw or b"")).split(b"\n")
            for text in lines:
                said = json.loads(text)
                if "ready" in said:
                    worker.ready = True
                elif worker.job is not None:
                    found.append((worker.job, said))
                    if "done" in said or "failed" in said:
                        worker.job = None
        return found

    def _buried(self, worker: _Process) -> list[Said]:
        """Put another in the place of a dead worker; return what is to be said of its job."""
        assert worker.process.stdout is not None
        self._heard.unregister(worker.process.stdout)
        code = worker.process.wait()
        words = self._last_words(worker)
        place = self._workers.index(worker)
        self._workers.remove(worker)
        _close(worker)
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn == PATIENCE:
                raise OpsinError(f"workers of the study end before they begin: {words}")
        self._start(place)
        why = f"the worker ended by {_name(-code)}" if code < 0 else f"the worker ended ({code})"
        return [(worker.job, {"died": f"{why}. {words}".strip()})] if worker.job else []

    def _last_words(self, worker: _Process) -> str:
        size = worker.errors.seek(0, os.SEEK_END)
        worker.errors.seek(max(0, size - SHOWN))
        return " ".join(worker.errors.read().decode(errors="replace").split())

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
            _close(worker)
        self._heard.close()
        self._workers.clear()


def _close(worker: _Process) -> None:
    for stream in (worker.process.stdin, worker.process.stdout, worker.errors):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _name(number: int) -> str:
    """Return what a signal is called.

    >>> _name(9)
    'SIGKILL'
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
