"""What an augmentation makes of pictures, on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin import augment
from opsin.data.dataset import Dataset
from opsin.data.decode import SUFFIXES, decode
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.lessons import picture
from opsin.results import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

ROWS = 8  # pictures of a data set on a sheet


@dataclass(frozen=True)
class Sheet:
    """Says where a sheet lies, of what it is, and which line was drawn."""

    subject: str
    out: str
    policy: str
    line: str
    pictures: int
    size: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "subject": self.subject,
            "out": self.out,
            "policy": self.policy,
            "line": self.line,
            "pictures": self.pictures,
            "size": list(self.size),
        }

    def lines(self) -> list[str]:
        """Return what a person wants to know, a sentence a line."""
        named = self.line if self.policy == self.line else f"{self.policy}: {self.line}"
        one = "The first of the 64 is the picture as it is."
        many = f"{self.pictures} pictures, a row each, the first of a row as it is."
        return [named, one if self.pictures == 1 else many, self.out]


def draw_file(
    subject: str | Path | Dataset, policy: str, out: str | Path, seed: int, root: str | Path | None
) -> Sheet:
    """Draw ``subject``, a picture file or a data set, through ``policy`` into the file ``out``.

    Raises ``RecipeError`` for a line that cannot be read, before anything else is looked at.
    """
    chain = None if policy == "auto" else augment.parse(policy)
    path = picture.writable(out, "" if isinstance(subject, Dataset) else subject)
    images = _images(subject, root)
    if chain is None:
        chain = augment.parse(_fitting(images))
    table = augment.sheet(images, chain, seed)
    picture.write(path, table)
    name = subject.name if isinstance(subject, Dataset) else str(subject)
    size = (table.shape[1], table.shape[2])
    return Sheet(name, str(path), policy, str(chain), len(images), size)


def _images(subject: str | Path | Dataset, root: str | Path | None) -> list[Pixels]:
    """Return the picture that a file holds, or some of a data set: of different classes first."""
    if not isinstance(subject, Dataset):
        path = Path(subject).expanduser()
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            return [decode(path)[:3]]
        subject = Dataset.read(subject, root=root)
    found = []
    for sample in _varied(subject.samples):
        try:
            found.append(decode(sample.image)[:3])
        except DataError:
            continue
        if len(found) == ROWS:
            break
    if not found:
        raise DataError(
            f"{len(subject)} pictures, none of which could be read",
            expected="at least one whole picture",
            remedy="See `opsin check` for what is wrong with each.",
        )
    return found


def _varied(samples: tuple[Sample, ...]) -> list[Sample]:
    """Return samples, the first of each class before the others, which are spread evenly."""
    first: dict[str, Sample] = {}
    for sample in samples:
        if isinstance(sample.truth, Label):
            first.setdefault(sample.truth.name, sample)
    classes = [first[name] for name in sorted(first)]
    chosen = classes[:: max(1, len(classes) // ROWS)][:ROWS]
    return [*chosen, *samples[:: max(1, len(samples) // (4 * ROWS))]]


def _fitting(images: list[Pixels]) -> str:
    """Return the line that ``auto`` stands for: what most of the pictures ask for."""
    lines = [augment.fitting(image[None]) for image in images]
    return max(lines, key=lines.count)
