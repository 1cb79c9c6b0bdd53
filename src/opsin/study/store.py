"""The folder of a study: what is planned, which rows are done, who works on which.

``study.json`` says what is studied, ``rows.jsonl`` holds a line for each row that is done,
``rows/ID/`` what it left, ``claims/ID`` is locked by the process that works on it. The system lets
go of a lock when its process ends, however it ends, so no claim of a dead process stands.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from opsin.errors import DataError, ModelError
from opsin.files import refusals_named, write_json, write_text

Line = dict[str, Any]  # of rows.jsonl


@dataclass(frozen=True, eq=False)
class Claim:
    """Is the right to work on a row; nobody else has it until ``release``."""

    path: Path
    stream: IO[str]

    def release(self) -> None:
        """Let others have the row."""
        self.path.unlink(missing_ok=True)  # while it is locked: who waits for it sees it gone
        self.stream.close()


class RowStore:
    """Keeps the rows of a study in ``folder``, each exactly once, whoever works on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read, self._rows = 0, dict[str, Line]()

    @property
    def cache(self) -> Path:
        """Return the folder of what can be computed again."""
        return self.folder / "cache"

    def row_folder(self, row: str) -> Path:
        """Return the folder of what a row leaves."""
        return self.folder / "rows" / row

    # ── the study ───────────────────────────────────────────────────────────────────────────────

    def facts(self) -> dict[str, Any]:
        """Return what is studied, {} where nothing is; raise ``ModelError`` for a damaged file."""
        path = self.folder / "study.json"
        if not path.exists():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, OSError) as error:
            raise ModelError(f"{path} ({error})", expected="the file a study wrote") from error

    def note(self, **facts: Any) -> None:
        """Write down what is studied, whole or not at all."""
        write_json(self.folder / "study.json", self.facts() | facts)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Do something that one process does at a time while the others wait."""
        path = self.folder / f".{what}.lock"
        with refusals_named(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            opened = path.open("w")
        with opened as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> dict[str, Line]:
        """Return every line by its id, in the order rows were done; torn lines are passed over."""
        path = self.folder / "rows.jsonl"
        with suppress(FileNotFoundError), path.open("rb") as stream:
            stream.seek(self._read)
            whole, _, _ = stream.read().rpartition(b"\n")
            if whole:
                self._read += len(whole) + 1
            for raw in whole.split(b"\n"):
                with suppress(ValueError, KeyError, TypeError):
                    line = json.loads(raw)
                    self._rows.setdefault(line["id"], line)
        return self._rows

    def record(self, line: Line) -> bool:
        """Append a line, whole or not at all; False where the row is there already."""
        path = self.folder / "rows.jsonl"
        with self.alone("rows"):
            if line["id"] in self.rows():
                return False
            with refusals_named(path), path.open("ab+") as stream:
                end = stream.seek(0, os.SEEK_END)
                text = json.dumps(line, ensure_ascii=False).encode() + b"\n"
                if end:  # what a kill cut off is ended first
                    stream.seek(-1, os.SEEK_END)
                    text = text if stream.read(1) == b"\n" else b"\n" + text
                try:
                    stream.write(text)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    with suppress(OSError):
                        stream.close()
                    os.truncate(path, end)
                    raise
            return True

    def forget(self, rows: set[str]) -> None:
        """Take lines out, so that their rows are done again."""
        if not rows:
            return
        with self.alone("rows"):
            kept = [line for line in self.rows().values() if line["id"] not in rows]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
            write_text(self.folder / "rows.jsonl", text)
            self._read, self._rows = 0, {}

    def claim(self, row: str) -> Claim | None:
        """Return the right to work on a row; None where another process has it, or it is done."""
        path = self.folder / "claims" / row
        with refusals_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            return None
        claim = Claim(path, stream)
        if not _same(stream, path):  # it went away meanwhile, with the one who had the row
            stream.close()
            return None
        if row in self.rows():
            claim.release()
            return None
        try:
            with refusals_named(path):
                stream.truncate(0)
                stream.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
                stream.flush()
        except DataError:
            claim.release()
            raise
        return claim

    @contextmanager
    def working(self, tidy: Callable[[], None]) -> Iterator[None]:
        """Tell others that someone works here; ``tidy`` is called first, where nobody else does."""
        path = self.folder / ".working.lock"
        with refusals_named(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            opened = path.open("w")
        with opened as stream:
            with suppress(BlockingIOError):
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                tidy()
            fcntl.flock(stream, fcntl.LOCK_SH)
            yield

    def forget_all(self) -> None:
        """Remove a study that never began: a corrected call finds the folder free."""
        if self.facts():
            return
        self.clean()
        with suppress(OSError):  # nothing was written, or someone else's files are in it
            for name in ("truths.safetensors", ".study.lock", ".rows.lock", ".working.lock"):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()

    def clean(self) -> None:
        """Remove what serves work alone: the study is done."""
        shutil.rmtree(self.cache, ignore_errors=True)
        shutil.rmtree(self.folder / "claims", ignore_errors=True)


def _same(stream: IO[str], path: Path) -> bool:
    """Say whether a file still has the name it was opened by."""
    try:
        return os.fstat(stream.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
