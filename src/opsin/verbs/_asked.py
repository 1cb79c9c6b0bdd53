"""What verbs are given, as what they work with: a watcher, a data set, a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError, ModelError
from opsin.events import Event

if TYPE_CHECKING:
    from opsin.data.dataset import Dataset
    from opsin.model import Model

Watch = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Is the watcher of those who do not watch."""


def read(data: str | Path | Dataset, root: str | Path | None) -> Dataset:
    """Return a data set itself, or the one that lies at a path or has a name."""
    from opsin.data.dataset import Dataset

    return data if isinstance(data, Dataset) else Dataset.read(data, root=root)


def load(model: str | Path | Model) -> Model:
    """Return a model itself, or that of a file or of a run's folder."""
    from opsin.model import Model

    return model if isinstance(model, Model) else Model.load(model)


def new_file(out: str | Path | None, models: Iterable[str | Path]) -> Path:
    """Return the file to write; raise ``InputError`` for none, and for one it is made from."""
    if out is None or not str(out):
        raise InputError("no out", expected="a file to write", remedy="Add --out new.safetensors.")
    path = Path(out).expanduser()
    if path.is_dir():
        raise InputError(
            f"{out}, which is a folder",
            expected="a file to write",
            remedy=f"Give --out {path / 'new.safetensors'}.",
        )
    given = [Path(each).expanduser().resolve() for each in models]
    if path.resolve() in {*given, *(each / "model.safetensors" for each in given)}:
        raise ModelError(
            f"{out}, which is what it is made from",
            expected="another file",
            remedy="Give another --out.",
        )
    return path
