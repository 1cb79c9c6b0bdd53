"""One picture and what is known about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Source = Path | bytes | NDArray[np.uint8]

SPLITS = ("train", "validation", "test")


def shown(path: str | Path) -> str:
    r"""Return the name of a file as text; bytes in it that are no UTF-8 are spelt out.

    Such a name lies on disks that were written by old or foreign systems, and no file of text, no
    JSON and no page can hold it as it is.

    >>> print(shown("caf\udce9.jpg"))
    caf\xe9.jpg
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Is a picture and its truth.

    ``image`` is a file, the bytes of one, or pixels of shape (3, H, W) or (H, W).

    ``name`` is what a person sees in messages and reports; ``split`` is one of ``SPLITS`` or None
    where the data does not say; samples of one ``group`` (a person, a site, a day) never end up on
    both sides of a split.
    """

    image: Source
    truth: Result | None = None
    split: str | None = None
    group: str | None = None
    name: str = ""

    @property
    def called(self) -> str:
        """Return what a person calls the sample: its name, else its path."""
        return self.name or (shown(self.image) if isinstance(self.image, Path) else "")
