"""Pictures with what was said of them drawn in, one file each.

Shapes: a picture (3, H, W) uint8 RGB.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from opsin.data.decode import decode
from opsin.files import replacing
from opsin.results import Result

if TYPE_CHECKING:
    from opsin.data.sample import Source

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}  # kept; any other becomes PNG


class Album:
    """Writes drawn pictures into a folder, each under the name of its file.

    Of two files of one name the second gets a number: nothing is overwritten, not even where the
    folder is that of the pictures, and nothing lands outside of it, whatever the paths were.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        self.taken: Counter[str] = Counter()

    def add(self, image: Source, name: str, result: Result) -> Path:
        """Draw a result on its picture, and return where it was written, whole or not at all."""
        path = self._path(name)
        drawn = result.draw(decode(image)[:3])  # (3, H, W)
        with replacing(path) as beside:
            kind = FORMATS[path.suffix.lower()]
            picture = Image.fromarray(np.ascontiguousarray(drawn.transpose(1, 2, 0)))
            picture.save(beside, kind, **({"quality": 92} if kind == "JPEG" else {}))
        return path

    def _path(self, name: str) -> Path:
        given = Path(name)
        suffix = given.suffix if given.suffix.lower() in FORMATS else ".png"
        stem = given.stem.strip(".") or "picture"
        while True:
            self.taken[(stem + suffix).lower()] += 1
            often = self.taken[(stem + suffix).lower()]
            path = self.folder / (f"{stem}{suffix}" if often == 1 else f"{stem}-{often}{suffix}")
            if not path.exists():
                return path
