"""Pictures on their way to a net: found, decoded ahead by threads, in constant memory."""

from __future__ import annotations

import glob
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.data.decode import SUFFIXES, sized
from opsin.data.memory import Memory
from opsin.data.preprocess import Preprocessing
from opsin.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from opsin.data.sample import Source

    Pixels = NDArray[np.uint8]
    Block = tuple[list[str], list[Pixels | None], list[str | None], list[tuple[int, int]]]


def expand(path: str | Path) -> Iterator[Path]:
    """Yield the pictures that a file, a folder (searched to its depth) or a glob stands for.

    A file is yielded whatever its name, since it was asked for; in a folder only names that end
    like pictures count. Raises ``DataError`` where nothing is found.
    """
    text = os.fspath(path)
    if Path(text).is_file():
        yield Path(text)
        return
    if Path(text).is_dir():
        found = _pictures(Path(text))
    else:
        found = (Path(name) for name in sorted(glob.glob(text, recursive=True)))  # noqa: PTH207
    none = True
    for each in found:
        none = False
        yield from expand(each) if each.is_dir() else (each,)
    if none:
        raise DataError(
            f"{text!r}, where there is no picture",
            expected="a file, a folder with pictures, or a glob that matches some",
            remedy="Check the spelling; quote globs so that the shell leaves them alone.",
        )


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures below a folder in a fixed order, without listing all of them first."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(where, name)


def prepared(
    sources: Iterable[tuple[str, Source]], pre: Preprocessing, block: int
) -> Iterator[Block]:
    """Yield blocks of names, pictures at the working size or None, errors or None, sizes, in order.

    Sizes are the (height, width) that pictures had, (0, 0) where there was an error.

    Threads decode the next block while the caller works on this one; no more than two blocks are
    ever held. Pillow lets go of the interpreter lock while it decodes, so threads are enough.
    """
    waiting: deque[tuple[str, Future[tuple[Pixels, tuple[int, int]]]]] = deque()
    source, memory = iter(sources), Memory()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:

        def ahead() -> None:
            for name, image in islice(source, 2 * block - len(waiting)):
                waiting.append((name, pool.submit(sized, image, pre, memory)))

        try:
            ahead()
            while waiting:
                taken = [waiting.popleft() for _ in range(min(block, len(waiting)))]
                ahead()
                yield _settled(taken)
        finally:
            for _, future in waiting:
                future.cancel()


def _settled(taken: list[tuple[str, Future[tuple[Pixels, tuple[int, int]]]]]) -> Block:
    """Wait for a block; a picture that cannot be read becomes its error."""
    arrays: list[Pixels | None] = []
    errors: list[str | None] = []
    sizes: list[tuple[int, int]] = []
    for _, future in taken:
        try:
            array, size = future.result()
            arrays.append(array)
            errors.append(None)
            sizes.append(size)
        except DataError as error:
            arrays.append(None)
            errors.append(str(error))
            sizes.append((0, 0))
    return [name for name, _ in taken], arrays, errors, sizes
