"""CIFAR-10: photos of ten kinds of things, 50,000 to train on and 10,000 to test, 32×32.

A. Krizhevsky, "Learning multiple layers of features from tiny images" (2009), binary version
(www.cs.toronto.edu/~kriz/cifar.html): records of 1 byte label and 3072 bytes (3, 32, 32).
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.formats import folder
from opsin.data.sample import Sample
from opsin.data.sets._fetch import fetch, local, named
from opsin.errors import DataError
from opsin.results import Label

BASE = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-binary.tar.gz"
CHECKSUMS = {
    ARCHIVE: "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
INSIDE = "cifar-10-batches-bin"
FILES = {f"data_batch_{k}.bin": "train" for k in range(1, 6)} | {"test_batch.bin": "test"}
RECORD = 1 + 3 * 32 * 32
MOST = 60_000 * RECORD


def read(root: Path | None = None) -> Dataset:
    """Return CIFAR-10 from its archive, its .bin files or class folders, or downloaded."""
    place = fetch("cifar10", BASE, CHECKSUMS) if root is None else root
    batches = list(_batches(place))
    if batches:
        return Dataset(tuple(s for name, body in batches for s in _samples(name, body)), "cifar10")
    if folder.sniff(place):
        return named(folder.read(place), "cifar10")
    raise local("cifar10", place, f"{ARCHIVE}, data_batch_1.bin and its kin, or train/CLASS/*.png")


def _batches(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each batch; the archive is read, never unpacked."""
    for where in (place, place / INSIDE):
        if (where / "test_batch.bin").is_file():
            for name in FILES:
                if (where / name).is_file():
                    yield name, (where / name).read_bytes()
            return
    archive = place if place.is_file() else place / ARCHIVE
    if not archive.is_file():
        return
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = Path(member.name).name
                if name in FILES and member.isfile() and member.size <= MOST:
                    stream = tar.extractfile(member)
                    yield name, stream.read() if stream else b""
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(
            f"{archive}, damaged ({error})", expected=f"a whole {ARCHIVE}", remedy="Get it again."
        ) from error


def _samples(name: str, body: bytes) -> list[Sample]:
    """Return the samples of one batch."""
    if len(body) % RECORD or not body:
        raise DataError(f"{name} of {len(body):,} bytes", expected=f"a multiple of {RECORD:,}")
    records = np.frombuffer(body, np.uint8).reshape(-1, RECORD)
    labels, pixels = records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32)
    if labels.max() >= len(CLASSES):
        raise DataError(f"label {labels.max()} in {name}", expected="0..9")
    truths = [Label(kind) for kind in CLASSES]
    stem = name.removesuffix(".bin")
    return [
        Sample(image, truths[k], FILES[name], name=f"{stem}/{index}")
        for index, (image, k) in enumerate(zip(pixels, labels.tolist(), strict=True))
    ]
