"""The folder of a run: decisions taken once, checkpoints, the log."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor

from opsin.engine import checkpoint
from opsin.errors import ModelError
from opsin.events import Advanced, Event
from opsin.files import append_line, refusals_named, sweep_folder, write_json


class Store:
    """Keeps what a killed run needs to go on: ``run.json``, checkpoints and scratch files.

    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()))
    >>> store.once("size", lambda: 224), store.once("size", lambda: 96)
    (224, 224)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def scratch(self) -> Path:
        """Return the folder of what can be computed again; it goes when the run is done."""
        return self.folder / "cache"

    def facts(self) -> dict[str, Any]:
        """Return every decision taken so far; raise ``ModelError`` where the file is damaged."""
        path = self.folder / "run.json"
        if not path.exists():
            return {}
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise ModelError(f"{path} ({error})", expected="the file a run wrote") from error
        return dict(facts)

    def once(self, name: str, decide: Callable[[], Any]) -> Any:
        """Return the decision ``name``: the one written down, or else ``decide()``, written down.

        What depends on a clock (the plan) is decided once, so that a resumed run follows it.
        """
        facts = self.facts()
        if name not in facts:
            facts[name] = decide()
            self._write(facts)
        return facts[name]

    def note(self, **facts: Any) -> None:
        """Write down facts that may change, such as the seconds spent."""
        self._write(self.facts() | facts)

    def _write(self, facts: dict[str, Any]) -> None:
        write_json(self.folder / "run.json", facts)

    def keep(self, name: str, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
        """Write the checkpoint ``name``, whole or not at all."""
        checkpoint.save(self.folder / "checkpoints" / f"{name}.safetensors", tensors, header)

    def kept(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the checkpoint ``name``, or None where there is none yet."""
        path = self.folder / "checkpoints" / f"{name}.safetensors"
        return checkpoint.load(path) if path.exists() else None

    def log(self, event: Event) -> None:
        """Append an event to ``events.jsonl``; steps are too many to be worth a line."""
        if isinstance(event, Advanced):
            return
        line = json.dumps({"event": type(event).__name__.lower()} | asdict(event))
        append_line(self.folder / "events.jsonl", line)

    def logged(self) -> list[dict[str, Any]]:
        """Return what was logged so far; lines that a kill cut off are passed over."""
        path = self.folder / "events.jsonl"
        if not path.exists():
            return []
        found = []
        for line in path.read_bytes().split(b"\n"):
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict) and "event" in line]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of this run; the system lets go of the lock if we are killed."""
        lock = self.folder / ".lock"
        with refusals_named(lock):
            self.folder.mkdir(parents=True, exist_ok=True)
            opened = lock.open("w")
        with opened as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(
                    f"{self.folder}, where another process is at work",
                    expected="a run that nobody else is working on",
                    remedy="Wait for it, stop it, or choose another --out.",
                ) from error
            yield

    def forget(self) -> None:
        """Remove a run that never began to learn: a corrected call finds the folder free."""
        if (self.folder / "checkpoints").exists() or (self.folder / "model.safetensors").exists():
            return
        self.clean()
        with suppress(OSError):  # nothing was written, or someone else's files are in it
            for name in ("run.json", "events.jsonl", ".lock"):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()

    def clean(self) -> None:
        """Remove checkpoints, scratch files and what kills left half-written: the run is done."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        sweep_folder(self.folder)


class Sparing(Store):
    """Keeps decisions in memory, and a checkpoint (with them) only ``every`` so many seconds.

    For short runs by the thousand: one that is killed sooner begins anew.
    """

    def __init__(self, folder: Path, every: float = 60.0) -> None:
        super().__init__(folder)
        self.every, self._kept = every, time.monotonic()
        self._facts = super().facts()

    def facts(self) -> dict[str, Any]:
        """Return every decision taken so far."""
        return dict(self._facts)

    def _write(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def keep(self, name: str, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
        """Write the checkpoint ``name`` and what was decided, where the last one is old enough."""
        if time.monotonic() - self._kept < self.every:
            return
        super()._write(self._facts)
        super().keep(name, tensors, header)
        self._kept = time.monotonic()

    def clean(self) -> None:
        """Remove all that was kept: the run is done."""
        super().clean()
        (self.folder / "run.json").unlink(missing_ok=True)


def once(fabric: Fabric, store: Store, name: str, decide: Callable[[], Any]) -> Any:
    """Return a decision that is taken once in a run, by the first process for all of them."""
    facts = store.facts()
    if name in facts:
        return facts[name]
    decided = fabric.broadcast(decide())
    if fabric.is_global_zero:
        store.once(name, lambda: decided)
    fabric.barrier()
    return decided
