"""Data sets that ship with the package, one file each: ``opsin train samples:digits``."""

from __future__ import annotations

from opsin import plugins
from opsin.data.dataset import Dataset
from opsin.errors import DataError


def names() -> list[str]:
    """Return the sample sets there are.

    >>> names()
    ['digits', 'discs', 'scattered', 'shapes', 'x_or_o']
    """
    return plugins.names(__name__)


def read(name: str) -> Dataset:
    """Return a sample set; raise ``DataError`` where there is no such file."""
    data: Dataset = plugins.load(__name__, name, "sample set", DataError).read()
    return data
