"""Files that are whole or absent, never half-written."""

from __future__ import annotations

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from opsin.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file beside ``path`` to write to, and rename it to ``path`` once it is complete.

    Whatever goes wrong before the rename (a full disk, a kill) leaves the old file as it was.
    Raises ``DataError`` where the disk or the folder refuses.
    """
    beside = _part(path)
    try:
        with refusals_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.touch()
            mode = beside.stat().st_mode  # what this user gives new files; writers may be stricter
            yield beside
            beside.chmod(mode)
            with beside.open("rb+") as stream:
                os.fsync(stream.fileno())  # else a power cut could leave the new name without data
            beside.replace(path)
    finally:
        with suppress(OSError):  # gone already, or the folder is a file or read-only
            beside.unlink()


@contextmanager
def folder_replacing(path: Path) -> Iterator[Path]:
    """Give a folder beside ``path`` to fill, and rename it to ``path`` once it is complete.

    Raises ``DataError`` where there is something at ``path`` already: nothing is mixed or lost.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        remedy = "Remove it, or choose another --out."
        raise DataError(f"{path}, where there is something", expected="a new folder", remedy=remedy)
    sweep(path)
    beside = _part(path)
    try:
        with refusals_named(path):
            beside.mkdir(parents=True)
            yield beside
            beside.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _part(path: Path) -> Path:
    """Return where this process writes what is to become ``path``."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def sweep(path: Path) -> None:
    """Remove what processes that were killed while they wrote ``path`` have left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if left.name.removeprefix(f".{path.name}.").count(".") == 1:  # no part of a longer name
            _sweep(left)


def sweep_folder(folder: Path) -> None:
    """Remove what processes that were killed have left half-written in a folder."""
    for left in folder.glob(".*.part"):
        _sweep(left)


def _sweep(left: Path) -> None:
    """Remove ``left`` where its name ends in the number of a process that is no more."""
    number = left.name.removesuffix(".part").rpartition(".")[2]
    if not number.isdecimal() or _lives(int(number)):
        return
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        with suppress(OSError):  # another one sweeps, too, or the folder is read-only
            left.unlink()


def _lives(process: int) -> bool:
    """Say whether a process of this machine lives."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True


@contextmanager
def refusals_named(path: Path) -> Iterator[None]:
    """Turn what a disk or a folder refuses while writing ``path`` into one ``DataError``."""
    try:
        yield
    except OSError as error:
        full = error.errno in (None, errno.ENOSPC, errno.EDQUOT)
        raise DataError(
            f"{error.strerror or error} while writing {path}",
            expected="a folder with room" if full else "a folder that can be written to",
            remedy=("Free some disk space, or choose" if full else "Choose") + " another --out.",
        ) from error


def append_line(path: Path, line: str) -> None:
    """Append a line to a log; one that a kill cut off before is ended first."""
    with refusals_named(path), path.open("ab+") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            line = line if stream.read(1) == b"\n" else "\n" + line
        stream.write(f"{line}\n".encode())


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, plain: Mapping[str, Any]) -> None:
    """Write plain data to ``path`` as JSON, whole or not at all."""
    write_text(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
