"""How much memory decoding takes, and a gate that lets only so much be taken at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    ROWSPERSTRIP,
    TILELENGTH,
    TILEWIDTH,
    TiffImageFile,
)

if TYPE_CHECKING:
    from PIL import Image

MOST_DECODED = 1 << 30  # bytes: 200 megapixels of colour take 800 MB
STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # a pixel's bytes; any other mode takes 4

WEBP = 13  # bytes a pixel beside the picture: measured, lossy and lossless


class Memory:
    """Makes threads wait until what they decode fits, all together, into so many bytes.

    What is larger than that by itself is let through alone.

    >>> memory = Memory(100)
    >>> with memory.taken(60):
    ...     memory.used
    60
    """

    def __init__(self, most: int = MOST_DECODED) -> None:
        self.most, self.used = most, 0
        self._changed = Condition()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Hold ``amount`` bytes meanwhile; wait for others to give theirs back first."""
        with self._changed:
            self._changed.wait_for(lambda: not self.used or self.used + amount <= self.most)
            self.used += amount
        try:
            yield
        finally:
            with self._changed:
                self.used -= amount
                self._changed.notify_all()


def held(image: Image.Image, full: tuple[int, int], *, turned: bool) -> int:
    """Return how many bytes decoding a picture holds at once, at the scale it will be decoded.

    ``full`` is its whole size: what a progressive JPEG keeps its coefficients of at any scale.
    """
    stored = STORED.get(image.mode, 4)
    each = 2 * stored if turned else stored
    if image.mode not in ("L", "RGB", "RGBX") or image.has_transparency_data:
        each += 4  # what it is converted to
    if image.format == "WEBP":
        each += WEBP
    more = _strip(image) if isinstance(image, TiffImageFile) else 0
    if image.info.get("progressive"):
        more = 6 * full[0] * full[1]  # coefficients of 16 bits, three channels
    return image.width * image.height * each + more


def _strip(image: TiffImageFile) -> int:
    """Return the bytes of the largest part that libtiff unpacks at once."""
    if image.info.get("compression") == "raw":
        return 0
    tags = image.tag_v2
    rows = min(image.height, tags.get(ROWSPERSTRIP, image.height))
    area = tags[TILEWIDTH] * tags[TILELENGTH] if TILEWIDTH in tags else rows * image.width
    bits = sum(tags.get(BITSPERSAMPLE, (1,)))
    return int(area * max(4, bits / 8))
