"""Four-band pictures that tests of several rooms draw: what they show is in the fourth alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import opsin
from opsin.data.arrays import from_array

Pixels = NDArray[np.uint8]


def tiff(pixels: Pixels, **options: Any) -> bytes:
    """Return pixels (B, H, W) as a TIFF file; of four bands the fourth is said to be no alpha."""
    buffer = io.BytesIO()
    from_array(pixels).save(buffer, "TIFF", **options)
    return buffer.getvalue()


def noise(seed: int, bands: int = 4, height: int = 37, width: int = 53) -> Pixels:
    """Return pixels (B, H, W) that are all drawn alone."""
    return np.random.default_rng(seed).integers(0, 256, (bands, height, width), np.uint8)


def field(seed: int, side: int = 48) -> tuple[Pixels, opsin.Boxes]:
    """Return pixels (4, side, side) where one to three squares stand out in the fourth band."""
    draws = np.random.default_rng(seed)
    pixels = draws.integers(0, 120, (4, side, side))
    boxes: list[tuple[int, int, int, int]] = []
    for _ in range(draws.integers(1, 4)):
        wide = int(draws.integers(10, 17))
        x, y = (int(corner) for corner in draws.integers(0, side - wide, 2))
        if all(x >= c or x + wide <= a or y >= d or y + wide <= b for a, b, c, d in boxes):
            pixels[3, y : y + wide, x : x + wide] += 130
            boxes.append((x, y, x + wide, y + wide))
    truth = opsin.Boxes(np.array(boxes, np.float32), ("tree",) * len(boxes), size=(side, side))
    return pixels.astype(np.uint8), truth


def folder(root: Path, n: int, bands: int = 4, seed: int = 0) -> Path:
    """Write class folders of TIFF pictures that are lighter or darker in the fourth band alone."""
    for index in range(n):
        pixels = noise(seed + index, 4, 32, 32)
        kind = index % 2
        pixels[3] = pixels[3] // 2 + 100 * kind
        path = root / ("bare", "green")[kind] / f"{seed + index:04}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiff(pixels[:bands]))
    return root
