"""Public data sets by name, one file each: ``opsin train mnist --root FOLDER``.

Each has ``read(root=None)``: from ``root``, or from the cache, or downloaded there with its
checksum held against the official one.
"""

from __future__ import annotations

from pathlib import Path

from opsin import plugins
from opsin.data.dataset import Dataset
from opsin.errors import DataError


def names() -> list[str]:
    """Return the named sets there are.

    >>> names()
    ['cifar10', 'fashion_mnist', 'mnist']
    """
    return plugins.names(__name__)


def read(name: str, *, root: Path | None = None) -> Dataset:
    """Return a named set; raise ``DataError`` where it is unknown or cannot be had."""
    data: Dataset = plugins.load(__name__, name, "set", DataError).read(root)
    return data
