"""A folder for each class, with or without train, validation and test folders above them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.formats._pictures import entries, is_picture, save, walk
from opsin.data.sample import Sample, shown
from opsin.errors import DataError
from opsin.events import Problem
from opsin.files import folder_replacing
from opsin.results import Label

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


LAST = True  # any folder with folders in it: other formats are asked first


def sniff(path: Path) -> bool:
    """Return whether ``path`` is a folder with folders in it."""
    return path.is_dir() and any(entry.is_dir() for entry in entries(path))


def read(path: Path, root: Path | None = None) -> Dataset:  # noqa: ARG001 (only tables need it)
    """Read pictures whose class is the name of their folder; folders inside a class belong to it.

    Where every folder at the top that holds folders is called train, val, validation, valid, test
    (any case), those are splits. Files that are not pictures and classes without one go to the
    ledger. Raises ``DataError`` where nothing is left.
    """
    ledger: list[Problem] = []
    samples: list[Sample] = []
    for folder, split in _splits(path, ledger):
        for entry in entries(folder):
            if entry.is_dir():
                samples += _class(entry, split, path, ledger)
            else:
                why = "it lies in no class folder" if is_picture(entry) else "it is not a picture"
                kind = "no-class" if is_picture(entry) else "not-an-image"
                ledger.append(Problem(kind, _name(entry, path), f"{why}; left out"))
    if not samples:
        raise DataError(
            f"{path}, without a picture in a class folder",
            expected="folders named like classes with pictures in them",
            remedy="Make a folder for each class and put its pictures there.",
        )
    return Dataset(tuple(samples), shown(path.resolve().name), tuple(ledger))


def write(dataset: Dataset, path: Path) -> tuple[Problem, ...]:
    """Write pictures into class folders (below split folders where there are splits).

    Raises ``DataError`` for what folders cannot say: numbers, groups, and pictures of which only
    some have a split.
    """
    unsplit = {sample.split is None for sample in dataset.samples}
    if len(unsplit) > 1 or any(sample.group is not None for sample in dataset.samples):
        raise DataError(
            f"{dataset.name or 'data'} with groups, or with splits for some pictures only",
            expected="what class folders can say",
            remedy="Write a table instead.",
        )
    with folder_replacing(path) as beside:
        counts: Counter[Path] = Counter()
        for sample in dataset.samples:
            put(sample, beside, counts)
    return ()


def put(sample: Sample, path: Path, counts: Counter[Path]) -> None:
    """Save a sample as the next of its class folder below ``path``, and count it there.

    Raises ``DataError`` for a truth that cannot be the name of a folder.
    """
    name = sample.truth.name if isinstance(sample.truth, Label) else None
    if name is None or name.startswith(".") or set(name) & set("/\\\0"):
        kind = "none" if sample.truth is None else sample.truth.kind
        raise DataError(
            f"a truth of kind {kind}" if name is None else f"the class {name!r}",
            expected="a class that can be the name of a folder",
            remedy="Write a table instead.",
        )
    folder = path / (sample.split or "") / name
    save(sample.image, folder / f"{counts[folder]:06}")
    counts[folder] += 1


def _splits(path: Path, ledger: list[Problem]) -> list[tuple[Path, str | None]]:
    """Return the folders that hold class folders, each with its split."""
    folders = [entry for entry in entries(path) if entry.is_dir()]
    deep = [f for f in folders if any(entry.is_dir() for entry in entries(f))]
    if not deep or any(f.name.lower() not in SPLIT_NAMES for f in deep):
        return [(path, None)]
    for entry in entries(path):
        if entry not in deep:
            kind = "no-split" if entry.is_dir() or is_picture(entry) else "not-an-image"
            ledger.append(Problem(kind, _name(entry, path), "it lies beside the splits; left out"))
    return [(f, SPLIT_NAMES[f.name.lower()]) for f in deep]


def _class(folder: Path, split: str | None, top: Path, ledger: list[Problem]) -> list[Sample]:
    """Return the samples of a class folder; name in the ledger what is no picture."""
    samples, truth = [], Label(shown(folder.name))
    above = frozenset(real for place in (top, folder.parent) for real in _above(place.resolve()))
    for file in walk(folder, above):
        if is_picture(file):
            samples.append(Sample(file, truth, split, name=_name(file, top)))
        else:
            why = "it is neither named like a picture nor begins like one; left out"
            ledger.append(Problem("not-an-image", _name(file, top), why))
    if not samples:
        ledger.append(Problem("empty-class", _name(folder, top), "there is no picture in it"))
    return samples


def _above(real: Path) -> tuple[Path, ...]:
    """Return a folder and all that hold it: what is linked from within would be read as its own."""
    return (real, *real.parents)


def _name(path: Path, top: Path) -> str:
    return shown(path.relative_to(top).as_posix())
