"""Every picture decoded once, into a memory map that epochs read from.

Shapes: N samples, C channels, h, w of the working size; in the file (N, h, w, C) uint8.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from opsin.data.arrays import from_array
from opsin.data.copies import SMALL, settled, thumbnail
from opsin.data.decode import PictureError, sized
from opsin.data.memory import Memory
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.events import Advanced, Event, Finished, Problem, Started
from opsin.files import write_text
from opsin.ops import phash

RULE = 3  # raise it whenever decode.py or scaling.py gives other pixels than before
PART = "read pictures"
BLOCK = 4096  # ready arrays written at a time
TASK = 16  # pictures a thread takes at a time: enough that handing out work costs nothing


Put = Callable[[int, NDArray[np.uint8]], None]  # (index of the first picture, pictures)


class _Notes:
    """Collects what threads notice about N samples; each writes to its own places."""

    def __init__(self, n: int) -> None:
        self.problems: dict[int, Problem] = {}
        self.digests = [""] * n
        self.hashes = np.zeros(n, np.uint64)
        self.sizes = np.zeros((n, 2), np.int32)


@dataclass(frozen=True, eq=False)
class Pixels:
    """Holds the pictures of N samples at the working size, and what was noticed on the way.

    ``digests`` are equal for pictures whose files (or arrays) are equal byte by byte; ``hashes``
    for pictures that look alike (``data.copies``), or, below 32 pixels, have equal pixels at the
    working size. ``sizes`` (N, 2) are the original heights and widths, 0 where a picture could not
    be read; its pixels are black and its digest is "".
    """

    memory: NDArray[np.uint8]  # (N, h, w, C)
    problems: tuple[Problem, ...]
    digests: list[str]
    hashes: NDArray[np.uint64]  # (N,)
    sizes: NDArray[np.int32]  # (N, 2)

    @property
    def images(self) -> NDArray[np.uint8]:
        """Return the pictures as (N, C, h, w), a view."""
        return self.memory.transpose(0, 3, 1, 2)

    @property
    def keep(self) -> NDArray[np.int64]:
        """Return the indexes of the samples whose picture could be read."""
        return np.flatnonzero([digest != "" for digest in self.digests]).astype(np.int64)


def fill(
    samples: Sequence[Sample],
    pre: Preprocessing,
    *,
    folder: Path | None = None,
    workers: int | None = None,
) -> Generator[Event, None, Pixels]:
    """Decode every sample once by threads and return the ``Pixels``; yields progress events.

    With a ``folder`` the pixels stay there under a name made of the files' paths, sizes and times,
    the preprocessing and the version of the decoding rule, and a second call takes them from
    there. Without one they live in a temporary file that goes with the result. A picture that
    cannot be read is a ``Problem``, never an exception; a full disk raises ``DataError``.
    """
    began = time.perf_counter()
    yield Started(PART, len(samples))
    shape = (len(samples), *pre.working, pre.channels)
    base = None if folder is None else folder / f"pixels-{_key(samples, pre)}"
    kept = None if base is None else _kept(base, shape)
    if kept is not None:
        yield Advanced(PART, len(samples))
        yield Finished(PART, time.perf_counter() - began, "kept from an earlier run")
        return kept
    with _room(base, shape) as (memory, put, finish):
        if pre.channels == 1 and samples and _raw(samples, pre.working):
            notes = _copied(samples, pre.working, put)
            yield Advanced(PART, len(samples))
        else:
            notes = yield from _decoded(samples, pre, put, workers)
        problems = tuple(notes.problems[index] for index in sorted(notes.problems))
        large = notes.sizes.min(axis=1) >= SMALL
        hashes = settled(memory, notes.hashes, notes.digests, large)
        pixels = Pixels(memory, problems, notes.digests, hashes, notes.sizes)
        finish(pixels)
    bad = len(problems)
    yield Finished(PART, time.perf_counter() - began, f"{bad} could not be read" if bad else "")
    return pixels


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def _decoded(
    samples: Sequence[Sample], pre: Preprocessing, put: Put, workers: int | None
) -> Generator[Event, None, _Notes]:
    """Decode all samples by threads: Pillow frees the interpreter meanwhile."""
    notes, memory = _Notes(len(samples)), Memory()

    def work(start: int) -> int:
        some = range(start, min(start + TASK, len(samples)))
        seen = {}
        for index in some:
            small = _read(samples[index], index, pre, memory, put, notes)
            if small is not None:
                seen[index] = small
        if seen:
            notes.hashes[list(seen)] = phash.perceptual(np.stack([*seen.values()]))
        return len(some)

    pool = ThreadPoolExecutor(workers or _processors())
    try:
        tasks = [pool.submit(work, start) for start in range(0, len(samples), TASK)]
        for done in as_completed(tasks):
            yield Advanced(PART, done.result())
    finally:
        pool.shutdown(cancel_futures=True)
    return notes


def _read(
    sample: Sample, index: int, pre: Preprocessing, memory: Memory, put: Put, notes: _Notes
) -> NDArray[np.uint8] | None:
    """Decode and put a sample; return a thumbnail where its looks say enough."""
    try:
        pixels, size = sized(sample.image, pre, memory)
    except PictureError as error:
        where = sample.called or str(index)
        notes.problems[index] = Problem(error.kind, where, str(error))
        return None
    out = np.ascontiguousarray(pixels.transpose(1, 2, 0))  # (h, w, C)
    put(index, out)
    notes.digests[index] = _digest(sample.image)
    notes.sizes[index] = size
    if min(size) < SMALL:
        notes.hashes[index] = int(_digest(out)[:16], 16)
        return None
    return thumbnail(from_array(pixels[:3]))


def _raw(samples: Sequence[Sample], working: tuple[int, int]) -> bool:
    """Return whether all samples are grey arrays at the working size already (MNIST)."""
    return min(working) < SMALL and all(
        isinstance(s.image, np.ndarray) and s.image.shape == working and s.image.dtype == np.uint8
        for s in samples
    )


def _copied(samples: Sequence[Sample], working: tuple[int, int], put: Put) -> _Notes:
    """Copy arrays that need no decoding; what they look like is what they are."""
    notes = _Notes(len(samples))
    for start in range(0, len(samples), BLOCK):
        some = samples[start : start + BLOCK]
        put(start, np.stack([np.asarray(sample.image) for sample in some]))
    notes.digests = [_digest(sample.image) for sample in samples]
    notes.hashes[:] = [int(digest[:16], 16) for digest in notes.digests]
    notes.sizes[:] = working
    return notes


def _digest(source: Path | bytes | NDArray[np.uint8]) -> str:
    """Return 128 bits that stand for the content: of a file its bytes, of an array its pixels."""
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return hashlib.file_digest(stream, _blake).hexdigest()
    plain = source if isinstance(source, bytes) else np.ascontiguousarray(source).data
    return _blake(plain).hexdigest()


def _blake(data: Any = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)


def _processors() -> int:
    """Return how many processors this process may use, which in a container are not all."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


# ── keeping ─────────────────────────────────────────────────────────────────────────────────────


def _key(samples: Sequence[Sample], pre: Preprocessing) -> str:
    """Return a name for these pictures, prepared this way; another file time gives another."""
    key = hashlib.blake2b(digest_size=12)
    key.update(f"{RULE} {pre.working} {pre.fit} {pre.interpolation} {pre.channels}".encode())
    for sample in samples:
        source = sample.image
        if isinstance(source, Path):
            try:
                facts = source.stat()
                key.update(os.fsencode(source.resolve()))
                key.update(f" {facts.st_size} {facts.st_mtime_ns}\n".encode())
            except OSError:
                key.update(os.fsencode(source) + b" is missing\n")
        else:
            key.update(f"{getattr(source, 'shape', '')} {_digest(source)}\n".encode())
    return key.hexdigest()


@contextmanager
def _room(
    base: Path | None, shape: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.uint8], Put, Callable[[Pixels], None]]]:
    """Give memory on disk, what writes pictures there, and what to call once they all are.

    All of the room is taken at the start: a disk that fills up later would end the process
    (SIGBUS) instead of raising.
    """
    if base is None:
        with _clear_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as stream:
            memory = _mapped(stream, shape)
            yield memory, _writer(stream, memory), lambda _: None
        return
    beside = base.with_name(f".{base.name}.{os.getpid()}.part")

    def finish(pixels: Pixels) -> None:
        beside.replace(base.with_suffix(".raw"))
        # Last, since it says all is there; on one line, which takes a tenth of the time.
        write_text(base.with_suffix(".json"), json.dumps(_plain(pixels)))

    try:
        with _clear_errors(base.parent):
            base.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w+b") as stream:
                memory = _mapped(stream, shape)
                yield memory, _writer(stream, memory), finish
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    """Say what to do where the disk or the folder refuses."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.strerror or error} while keeping decoded pictures in {folder}",
            expected="room for them",
            remedy="Free some disk space, or set TMPDIR or --out to another disk.",
        ) from error


def _mapped(stream: IO[bytes], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Take room for ``shape`` bytes in a file and map it into memory."""
    length = math.prod(shape)
    if length == 0:
        return np.zeros(shape, np.uint8)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, length)
    else:  # macOS and Windows: writing is the only way to be sure
        for start in range(0, length, 1 << 24):
            stream.write(bytes(min(1 << 24, length - start)))
        stream.flush()
    return np.memmap(stream, np.uint8, "r+", shape=shape)


def _writer(stream: IO[bytes], memory: NDArray[np.uint8]) -> Put:
    """Return what writes pictures from one index on; threads may call it at the same time.

    Writing to the file was measured 20 times as fast as first touching its mapped pages (21
    against 415 microseconds a picture of 256 × 256 on ext4, n = 2,000).
    """
    each, flat = math.prod(memory.shape[1:]), memory.reshape(-1)

    def put(start: int, pictures: NDArray[np.uint8]) -> None:
        if not hasattr(os, "pwrite"):  # Windows
            flat[start * each : start * each + pictures.size] = pictures.reshape(-1)
            return
        if os.pwrite(stream.fileno(), pictures.data, start * each) < pictures.nbytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return put


def _plain(pixels: Pixels) -> dict[str, Any]:
    """Return everything but the pixels as plain data."""
    return {
        "problems": [problem.to_dict() for problem in pixels.problems],
        "digests": pixels.digests,
        "hashes": pixels.hashes.tolist(),
        "sizes": pixels.sizes.tolist(),
    }


def _kept(base: Path, shape: tuple[int, ...]) -> Pixels | None:
    """Return what an earlier run kept, or None where it is absent or not whole."""
    raw, facts = base.with_suffix(".raw"), base.with_suffix(".json")
    try:
        if raw.stat().st_size != math.prod(shape):
            return None
        plain = json.loads(facts.read_text(encoding="utf-8"))
        # copy on write: whoever writes into the pictures changes them for himself alone
        memory = np.memmap(raw, np.uint8, "c", shape=shape)
        problems = tuple(Problem(**problem) for problem in plain["problems"])
        hashes = np.array(plain["hashes"], np.uint64)
        sizes = np.array(plain["sizes"], np.int32).reshape(-1, 2)
        digests = [str(digest) for digest in plain["digests"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sound = len(digests) == len(hashes) == len(sizes) == shape[0]
    return Pixels(memory, problems, digests, hashes, sizes) if sound else None
