"""Finds what belongs to YOLO data: the YAML file, the pictures of each split, their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from opsin.data.formats._gathered import Gathered
from opsin.data.formats._pictures import Finder, entries, is_picture, walk
from opsin.data.formats._settled import numbers, spelt
from opsin.data.formats.folder import SPLIT_NAMES
from opsin.data.sample import shown
from opsin.errors import DataError
from opsin.events import Problem

YAML = (".yaml", ".yml")
SPLITS = {"train": "train", "val": "validation", "test": "test"}  # keys of the YAML file
MOST_YAML = 1 << 20  # bytes

Config = Mapping[str, Any]


def yaml_in(folder: Path) -> Path | None:
    """Return the first YAML file right in a folder that has names."""
    for file in entries(folder):
        if file.suffix.lower() in YAML and file.is_file() and file.stat().st_size <= MOST_YAML:
            try:
                text = file.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                continue
            if any(line.startswith("names") for line in text.splitlines()):
                return file
    return None


def label_folders(folder: Path) -> Iterator[Path]:
    """Yield folders called labels, at most one folder down, in which a text begins with a box."""
    inside = [entry for entry in entries(folder) if entry.is_dir()]
    deeper = [f for entry in inside for f in (entry / "labels",) if f.is_dir()]
    for labels in (*(f for f in inside if f.name == "labels"), *deeper):
        texts = (file for pattern in ("*.txt", "*/*.txt") for file in labels.glob(pattern))
        if any(_is_label(file) for _, file in zip(range(20), texts, strict=False)):
            yield labels


def _is_label(file: Path) -> bool:
    """Return whether the first line of a text has an id and at least four numbers."""
    try:
        with file.open(encoding="utf-8") as stream:
            cells = stream.readline(1000).split()
    except (OSError, UnicodeDecodeError):
        return False
    return len(cells) >= 5 and numbers(cells) is not None


def config_of(file: Path) -> Config:
    """Return what a YAML file says; only plain data is read, never a tag that makes objects."""
    try:
        if file.stat().st_size > MOST_YAML:
            raise DataError(f"{file}", expected=f"a YAML file of at most {MOST_YAML >> 20} MB")
        plain = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except DataError:
        raise
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "no YAML"
        raise DataError(f"{file}{line}: {why}", expected="YAML with names") from error
    except Exception as error:  # a number or a date that is none makes its reader raise anything
        raise DataError(f"{file} ({str(error)[:80]})", expected="YAML in UTF-8") from error
    if not isinstance(plain, dict):
        raise DataError(
            f"{file} with {type(plain).__name__}", expected="names and train, val, test"
        )
    return {str(key): value for key, value in plain.items()}


def bases(config: Config, top: Path) -> list[Path]:
    """Return the folders that paths of a YAML file may start from, the likeliest first."""
    said = config.get("path")
    return [top / said, top] if isinstance(said, str) and said else [top]


def listed(
    config: Config, bases: list[Path], gathered: Gathered, file: Path | None
) -> Iterator[tuple[Path, str | None]]:
    """Yield the pictures of each split that the YAML file lists."""
    for key, split in SPLITS.items():
        given = config.get(key)
        part = None if config.get("unsplit") is True else split
        for entry in given if isinstance(given, list) else [given] if given else []:
            said = spelt(entry)[:200] if isinstance(entry, str) else f"a {type(entry).__name__}"
            place = _place(entry, bases) if isinstance(entry, str) else None
            if place is None:
                why = f"{shown(file.name) if file else ''}: there is no {said} for {key}; left out"
                gathered.problems.append(Problem("missing", said, why))
            elif place.is_dir():
                yield from ((image, part) for image in walk(place) if _is_image(image))
            else:
                yield from ((image, part) for image in _lines_of(place))


def _place(entry: str, bases: list[Path]) -> Path | None:
    """Return where an entry leads; ``../train`` is tried as ``train``, too, as some tools mean."""
    for name in (entry, entry.replace("\\", "/").removeprefix("../")):
        for base in bases:
            try:
                if (base / name).exists():
                    return base / name
            except (OSError, ValueError):
                continue
    return None


def _lines_of(file: Path) -> Iterator[Path]:
    """Yield the pictures that a list names, a path a line."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} ({error})", expected="a list of paths in UTF-8") from error
    finder = Finder([file.parent])
    yield from (finder.find(line.strip()) for line in lines if line.strip())


def found(top: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield all pictures below a folder; those in a folder called train, val or test are split."""
    for image in walk(top):
        if _is_image(image):
            above = (part.lower() for part in image.relative_to(top).parts[:-1])
            yield image, next((SPLIT_NAMES[part] for part in above if part in SPLIT_NAMES), None)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() not in (".txt", ".cache", *YAML) and is_picture(file)


def text_of(image: Path) -> Path:
    """Return the text file of a picture, whether there is one or not."""
    parts = list(image.parts)
    if "images" in parts[:-1]:
        parts[len(parts) - 2 - parts[:-1][::-1].index("images")] = "labels"
    beside = image.with_suffix(".txt")
    usual = Path(*parts).with_suffix(".txt")
    return usual if usual.is_file() or not beside.is_file() else beside


def orphans(pairs: Iterable[tuple[Path, Path]]) -> Iterator[tuple[Path, Path]]:
    """Yield where a picture should be, and its text, for each text with boxes that has none.

    ``pairs`` are the pictures that are known and their texts; asked is what lies beside them.
    """
    known, folders = set[Path](), dict[Path, set[Path]]()
    for image, text in pairs:
        known.add(text)
        folders.setdefault(text.parent, set()).add(image.parent)
    for texts, places in folders.items():
        files = (file for place in places if place.is_dir() for file in entries(place))
        stems = {file.stem for file in files if _is_image(file)}
        for text in entries(texts) if texts.is_dir() else ():
            lone = text.suffix == ".txt" and text.stem not in stems and text not in known
            if lone and _is_label(text):
                yield min(places) / f"{text.stem}.*", text


def passed_over(folder: Path) -> Iterator[Problem]:
    """Yield why each YAML file right in a folder names no classes."""
    for file in entries(folder):
        if file.suffix.lower() not in YAML or not file.is_file():
            continue
        why = ", in which no line begins with names"
        try:
            config_of(file)
        except DataError as error:
            why = error.received.removeprefix(str(file))
        yield Problem("no-names", shown(file.name), f"{shown(file.name)}{why}; passed over")
