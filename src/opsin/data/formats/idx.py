"""The files MNIST comes in: ``train-images-idx3-ubyte`` and its labels, plain or .gz.

Layout (yann.lecun.com/exdb/mnist): two zero bytes, 8 for uint8, the number of axes D, D sizes as
big-endian 32-bit numbers, then the bytes. Shapes: N pictures (N, H, W), labels (N,).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing, replacing, write_text
from opsin.results import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREFIXES = {"train": "train", "validation": "validation", "t10k": "test", "data": None}
IMAGES = ("-images-idx3-ubyte", "-images.idx3-ubyte")
LABELS = ("-labels-idx1-ubyte", "-labels.idx1-ubyte")
MOST = 1 << 31  # bytes in one file
DEFLATE = 1032  # the most that a byte of gzip can hold (zlib.net, Technical Details)


def sniff(path: Path) -> bool:
    """Return whether a folder holds at least one idx file of pictures."""
    return path.is_dir() and any(_find(path, prefix, IMAGES) for prefix in PREFIXES)


def read(
    path: Path,
    root: Path | None = None,  # noqa: ARG001 (only tables need it)
    names: Sequence[str] | None = None,
) -> Dataset:
    """Read the pairs of files in a folder; label k is called ``names[k]``.

    Without ``names`` those in ``classes.txt`` (one a line) are taken, or else the numbers.
    """
    listed = path / "classes.txt"
    if names is None and listed.is_file():
        names = listed.read_text(encoding="utf-8").splitlines()
    samples: list[Sample] = []
    for prefix, split in PREFIXES.items():
        images = _find(path, prefix, IMAGES)
        if images is not None:
            samples += _samples(images, _find(path, prefix, LABELS), split, names)
    return Dataset(tuple(samples), shown(path.resolve().name))


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write grey pictures of one size, with their classes in ``classes.txt``."""
    if len(dataset.classes) > 256 or any("\n" in name for name in dataset.classes):
        raise DataError(f"{len(dataset.classes)} classes", expected="at most 256, each on one line")
    with folder_replacing(path) as beside:
        _parts(dataset, beside)
        write_text(beside / "classes.txt", "\n".join(dataset.classes) + "\n")
    return ()


def _parts(dataset: Dataset, path: Path) -> None:
    """Write two files for each split."""
    for prefix, split in PREFIXES.items():
        some = [sample for sample in dataset.samples if sample.split == split]
        if not some:
            continue
        images = [sample.image for sample in some if isinstance(sample.image, np.ndarray)]
        truths = [sample.truth.name for sample in some if isinstance(sample.truth, Label)]
        shapes = {image.shape for image in images}
        if not len(images) == len(truths) == len(some) or len(shapes) > 1 or images[0].ndim != 2:
            raise DataError(
                f"{dataset.name or 'data'} with files, colours, numbers or several sizes",
                expected="labelled grey arrays (H, W) of one size",
                remedy="Write a folder or a table instead.",
            )
        place = {name: index for index, name in enumerate(dataset.classes)}
        labels = np.array([place[name] for name in truths], np.uint8)
        _write(path / f"{prefix}{IMAGES[0]}", np.stack(images))
        _write(path / f"{prefix}{LABELS[0]}", labels)


def _find(path: Path, prefix: str, endings: tuple[str, ...]) -> Path | None:
    """Return the file with this prefix, plain or packed."""
    tried = (path / f"{prefix}{ending}{gz}" for ending in endings for gz in ("", ".gz"))
    return next((file for file in tried if file.is_file()), None)


def _samples(
    images: Path, labels: Path | None, split: str | None, names: Sequence[str] | None
) -> list[Sample]:
    """Return the samples of a pair of files, after holding them against each other."""
    if labels is None:
        raise DataError(f"{images} alone", expected="its labels beside it (…-labels-idx1-ubyte)")
    pixels, numbers = _array(images, 3), _array(labels, 1)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{len(pixels):,} pictures in {images} and {len(numbers):,} labels in {labels}",
            expected="as many of the one as of the other",
        )
    highest = int(numbers.max(initial=0))
    if names is not None and highest >= len(names):
        raise DataError(f"label {highest} in {labels}", expected=f"0..{len(names) - 1}")
    truths = [Label(names[k] if names else str(k)) for k in range(highest + 1)]
    start = images.name.split("-images")[0]
    return [
        Sample(image, truths[k], split, name=f"{start}/{index}")
        for index, (image, k) in enumerate(zip(pixels, numbers.tolist(), strict=True))
    ]


def _array(path: Path, axes: int) -> NDArray[np.uint8]:
    """Return the bytes of an idx file, after holding its header against its length."""
    packed = path.suffix == ".gz"
    length = path.stat().st_size
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            head = stream.read(4 + 4 * axes)
            if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, 8, axes)):
                raise _damaged(path, f"the first bytes {head[:4].hex(' ')}")
            shape = struct.unpack(f">{axes}I", head[4:])
            size = math.prod(shape)
            most = min(MOST, length * DEFLATE if packed else length - len(head))
            if size > most:
                raise _damaged(path, f"a header that promises {size:,} bytes")
            body = stream.read(size)
            if len(body) < size or stream.read(1):
                raise _damaged(
                    path, f"{'less' if len(body) < size else 'more'} than {size:,} bytes"
                )
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    array: NDArray[np.uint8] = np.frombuffer(body, np.uint8).reshape(shape)
    return array


def _damaged(path: Path, why: str) -> DataError:
    remedy = "Copy or download the file again."
    return DataError(f"{path}, damaged: {why}", expected="a whole idx file", remedy=remedy)


def _write(path: Path, array: NDArray[np.uint8]) -> None:
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    with replacing(path) as beside:
        beside.write_bytes(head + array.tobytes())
