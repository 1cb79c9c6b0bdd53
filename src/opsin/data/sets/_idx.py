"""What MNIST and the sets made after it share: idx files, or class folders of PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.formats import folder, idx
from opsin.data.sets._fetch import fetch, local, named


def read_idx(
    name: str, root: Path | None, base: str, checksums: Mapping[str, str], classes: Sequence[str]
) -> Dataset:
    """Return a set from ``root`` (idx, idx.gz or class folders), or from its official source."""
    place = fetch(name, base, checksums) if root is None else root
    if idx.sniff(place):
        return named(idx.read(place, names=classes), name)
    if folder.sniff(place):
        return named(folder.read(place), name)
    raise local(name, place, "train-images-idx3-ubyte(.gz) and its kin, or train/CLASS/*.png")
