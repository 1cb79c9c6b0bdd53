"""What formats of boxes share when they write: what they can hold, ids, names of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.decode import look
from opsin.data.formats._pictures import save
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.results import Boxes

Held = list[tuple[Sample, Boxes]]


def held(dataset: Dataset, format: str) -> Held:
    """Return each sample with its boxes, which know the size of their picture.

    Raises ``DataError`` for truths that are no boxes.
    """
    pairs = []
    for sample in dataset.samples:
        truth = sample.truth
        if not isinstance(truth, Boxes):
            raise DataError(
                f"the truth {truth} of {sample.called or 'a picture'}",
                expected=f"boxes, which are what {format} holds",
                remedy="Write a table or a folder instead.",
            )
        if truth.size is None:
            facts = look(sample.image)
            truth = replace(truth, size=(facts.height, facts.width))
        pairs.append((sample, truth))
    return pairs


def given_ids(dataset: Dataset, *, first: int) -> dict[str, int]:
    """Return the id of each class: the source's own, and for new names those after the highest."""
    ids = dict(dataset.ids)
    free = max((first - 1, *ids.values())) + 1
    new = [name for name in dataset.classes if name not in ids]
    return ids | {name: free + place for place, name in enumerate(new)}


def called(sample: Sample, path: Path, index: int) -> str:
    """Return what a file at ``path`` calls a picture: where it lies from there.

    One that is no file is saved into a folder beside it first.
    """
    folder = path.parent.resolve()
    if isinstance(sample.image, Path):
        image = sample.image.resolve()
        return (image.relative_to(folder) if image.is_relative_to(folder) else image).as_posix()
    image = save(sample.image, path.with_name(f"{path.stem}_images") / f"{index:06}")
    return image.relative_to(path.parent).as_posix()


def counted_on(number: float) -> float:
    """Return a sum or difference of decimals without the dust that binary arithmetic leaves.

    >>> counted_on(0.3 - 0.1)
    0.2
    """
    return float(f"{number:.10g}")


def plainly(number: float, digits: int = 10) -> str:
    """Return a number as text, whole ones without a point.

    >>> plainly(81.0), plainly(0.1 + 0.2)
    ('81', '0.3')
    """
    text = f"{number:.{digits}g}"
    return text if "e" not in text else f"{number:.{digits + 6}f}".rstrip("0").rstrip(".")


def not_kept(where: Path, lost: Iterable[tuple[int, str]]) -> tuple[Problem, ...]:
    """Return a line of the ledger for each kind of thing that a format cannot hold."""
    name = shown(where.name)
    return tuple(Problem("not-kept", name, f"{count:,} {what}") for count, what in lost if count)
