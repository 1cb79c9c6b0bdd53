"""What formats share: telling pictures from other files, and writing pictures out."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from opsin.data.arrays import FOUR, from_array
from opsin.data.decode import SUFFIXES, kind_of
from opsin.data.sample import shown
from opsin.errors import DataError
from opsin.files import replacing

if TYPE_CHECKING:
    from opsin.data.sample import Sample, Source

LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
ENDINGS = {"JPEG": ".jpg", "WebP": ".webp", "PNG": ".png"} | {
    "BMP": ".bmp",
    "TIFF": ".tif",
    "GIF": ".gif",
}


def entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted, without hidden files and what systems leave behind."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder} ({error.strerror})", expected="a folder that may be read"
        ) from error
    return [p for p in found if not p.name.startswith(".") and p.name.lower() not in LITTER]


def walk(folder: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files below a folder, sorted; a link to a folder that holds it is not followed.

    ``seen`` are further folders that no link may lead back to, by their real paths.
    """
    real = folder.resolve()
    if real in seen:
        return
    seen |= {real, *real.parents}
    for entry in entries(folder):
        if entry.is_dir():
            yield from walk(entry, seen)
        else:
            yield entry


def is_picture(path: Path) -> bool:
    """Return whether a file is named like a picture, or else begins like one."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        if not path.is_file():  # a pipe or a device would keep us waiting
            return False
        with path.open("rb") as stream:
            return kind_of(stream.read(16)) is not None
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Return whether there is a file; a path that no file could have, too long or odd, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def below(path: Path, top: Path) -> str:
    """Return what people call a file of a folder: its path from there, its name elsewhere."""
    return shown(path.relative_to(top).as_posix() if path.is_relative_to(top) else path.name)


class Finder:
    """Finds pictures by what annotations call them, in folders that are tried in turn."""

    def __init__(self, places: Iterable[Path]) -> None:
        self.places = list(dict.fromkeys(places))

    def find(self, name: str) -> Path:
        """Return the file; where there is none, the path at which it was expected first.

        A path of another machine is tried by its last part.
        """
        name = _possible(name.replace("\\", "/"))
        for index, place in enumerate(self.places):
            if is_file(place / name):
                self.places.insert(0, self.places.pop(index))  # the next one will lie there, too
                return place / name
        last = PureWindowsPath(name).name
        return self.find(last) if last and last != name else self.places[0] / name


def _possible(name: str) -> str:
    """Return a name that the system can be asked for: what it could never hold is spelt out."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()
    return name


def stems(samples: Iterable[Sample]) -> list[str]:
    """Return a file name without ending for each sample, like its own, all different."""
    taken: set[str] = set()
    names = []
    for index, sample in enumerate(samples):
        stem = re.sub(r"[^\w.-]", "_", Path(sample.called).stem).strip(".")[:100] or f"{index:06}"
        if stem.lower() in taken:
            stem = f"{stem}_{index:06}"
        taken.add(stem.lower())
        names.append(stem)
    return names


def save(source: Source, path: Path) -> Path:
    """Write a picture as ``path`` plus its ending, files byte by byte, pixels as ``encoded``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, Path):
        target = path.with_name(path.name + source.suffix.lower())
        with replacing(target) as beside:
            shutil.copyfile(source, beside)
        return target
    written = encoded(source)
    target = path.with_name(path.name + ENDINGS.get(kind_of(written[:16]) or "", ".png"))
    with replacing(target) as beside:
        beside.write_bytes(written)
    return target


def encoded(source: Source) -> bytes:
    """Return the bytes of a picture file; pixels become PNG, those of four bands TIFF."""
    if isinstance(source, Path):
        return source.read_bytes()
    if isinstance(source, bytes):
        return source
    buffer, image = io.BytesIO(), from_array(source)
    image.save(buffer, "TIFF" if image.mode == FOUR else "PNG")
    return buffer.getvalue()
