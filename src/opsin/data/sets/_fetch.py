"""Downloads that are whole and official, or an error that says what to do instead."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.errors import DataError
from opsin.files import replacing

PATIENCE = 15.0  # seconds without an answer


def cache() -> Path:
    """Return where downloads are kept: ``opsin`` in $XDG_CACHE_HOME, or else in ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "opsin"


def fetch(name: str, base: str, checksums: Mapping[str, str]) -> Path:
    """Return the cache folder of a set, after downloading the files that are not there yet.

    ``checksums`` maps a file below ``base`` to "md5:…" or "sha256:…". A file gets its name only
    after its checksum was right. Raises ``DataError`` without a network or for a wrong file.
    """
    folder = cache() / name
    for file, checksum in checksums.items():
        target = folder / file
        if not target.is_file():
            logging.getLogger("opsin").warning("downloading %s%s to %s", base, file, folder)
            with replacing(target) as beside:
                _download(name, base + file, beside, checksum)
    return folder


def _download(name: str, url: str, path: Path, checksum: str) -> None:
    """Write what lies at ``url`` to ``path`` and hold it against its checksum."""
    instead = f"Or get the files of {name} elsewhere and say where they lie with --root FOLDER."
    try:
        with (
            urllib.request.urlopen(url, timeout=PATIENCE) as answer,
            path.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"no answer from {url} ({error})",
            expected="a network",
            remedy=f"Connect and try again. {instead}",
        ) from error
    algorithm, _, wanted = checksum.partition(":")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if found != wanted:
        raise DataError(
            f"{url} with {algorithm} {found}", expected=f"the official {wanted}", remedy=instead
        )


def local(name: str, root: Path, forms: str) -> DataError:
    """Return the error for a ``root`` that holds none of the forms a set is read from."""
    return DataError(
        f"{root}, which {'holds no ' + name if root.is_dir() else 'is no folder'}",
        expected=forms,
        remedy=f"Point --root at the folder of the files, or leave it out to download {name}.",
    )


def named(data: Dataset, name: str) -> Dataset:
    """Return the data set under the name of the set rather than of its folder."""
    return replace(data, name=name)
