"""Pictures of Pillow as arrays, and back.

Shapes: H, W of the picture, B bands: 1 (grey), 3 (colour) or 4 (colour and a band).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FOUR = "RGBX"  # Pillow's mode of four bands, of which the fourth is no alpha
MODES = {1: "L", 3: "RGB", 4: FOUR}  # of Pillow, by the number of bands


def to_array(image: Image.Image) -> Pixels:
    """Return a picture of mode L, RGB or RGBX as uint8 (B, H, W)."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)  # (B, H, W)


def from_array(array: Pixels) -> Image.Image:
    """Return pixels (B, H, W) or (H, W) as a picture of mode L, RGB or RGBX.

    >>> from_array(np.zeros((3, 2, 5), np.uint8)).size
    (5, 2)
    """
    mode, size = MODES[bands(array)], array.shape[:-3:-1]
    turned = array if array.ndim == 2 else array.transpose(1, 2, 0)  # (H, W, B)
    return Image.frombuffer(mode, size, np.ascontiguousarray(turned), "raw", mode, 0, 1)


def bands(array: Pixels) -> int:
    """Return how many bands pixels (B, H, W) or (H, W) have: 1, 3 or 4."""
    return 1 if array.ndim == 2 else len(array)
