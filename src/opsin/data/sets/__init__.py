"""Public data sets by name, one file each: ``opsin train mnist --root FOLDER``.

Each has ``read(root=None)``: from ``root``, or from the cache, or downloaded there with its
checksum held against the official one.
"""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.errors import DataError


def names() -> list[str]:
    """Return the named sets there are.

    >>> names()
    ['cifar10', 'fashion_mnist', 'mnist']
    """
    return [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]


def read(name: str, *, root: Path | None = None) -> Dataset:
    """Return a named set; raise ``DataError`` where it is unknown or cannot be had."""
    if name not in names():
        raise DataError(
            f"the set {name!r}",
            expected=f"one of {', '.join(names())}",
            remedy=meant(name, names()),
        )
    data: Dataset = importlib.import_module(f"{__name__}.{name}").read(root)
    return data


def meant(name: str, known: list[str]) -> str:
    """Return the question after the known name that ``name`` may be a misspelling of, or "".

    >>> meant("mnsit", names())
    'Did you mean mnist?'
    """
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""
