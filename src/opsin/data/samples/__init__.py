"""Data sets that ship with the package, one file each: ``opsin train samples:digits``."""

from __future__ import annotations

import importlib
import pkgutil

from opsin.data.dataset import Dataset
from opsin.data.sets import meant
from opsin.errors import DataError


def names() -> list[str]:
    """Return the sample sets there are.

    >>> names()
    ['digits', 'discs', 'shapes']
    """
    return [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]


def read(name: str) -> Dataset:
    """Return a sample set; raise ``DataError`` where there is no such file."""
    if name not in names():
        known = [f"samples:{each}" for each in names()]
        remedy = meant(f"samples:{name}", known)
        raise DataError(f"samples:{name}", expected=f"one of {', '.join(known)}", remedy=remedy)
    data: Dataset = importlib.import_module(f"{__name__}.{name}").read()
    return data
