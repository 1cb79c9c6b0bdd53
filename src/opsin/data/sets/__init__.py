"""Public data sets by name, one file each: ``opsin train mnist --root FOLDER``.

Each has ``read(root=None)``: from ``root``, or from the cache, or downloaded there with its
checksum held against the official one.
"""

from __future__ import annotations

import importlib
import pkgutil
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
        raise DataError(f"the set {name!r}", expected=f"one of {', '.join(names())}")
    data: Dataset = importlib.import_module(f"{__name__}.{name}").read(root)
    return data
