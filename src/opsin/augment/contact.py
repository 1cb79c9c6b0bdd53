"""A contact sheet: pictures as a chain would show them, the first of each as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from opsin.augment.chain import Chain

if TYPE_CHECKING:
    from PIL.Image import Resampling

CELLS = 8  # a side
SEEN, LEAST = 224, 28  # pixels, the longest and the shortest side of a picture as nets see it
SHOWN = 160  # pixels, the longest side of a cell
GAP = 4  # white pixels between cells

Pixels = NDArray[np.uint8]


def sheet(images: Sequence[Pixels], chain: Chain, seed: int = 0) -> Pixels:
    """Draw 8 x 8 cells of ``images`` (3, H, W) through ``chain``; return the sheet, (3, H', W').

    Each picture begins with itself and goes on with what the epochs of a run with this ``seed``
    would show of it; one picture fills the sheet, eight have a row each. Hidden parts are grey.
    Pictures longer than 224 pixels are made smaller before, and shown at 160; small ones enlarged.

    >>> from opsin.augment import parse
    >>> sheet([np.zeros((3, 10, 20), np.uint8)], parse("flip")).shape
    (3, 484, 932)
    """
    some = images[:CELLS]
    rows = -(-CELLS // len(some))  # of each picture
    cells = []
    for number, image in enumerate(some):
        cells += _versions(_as_seen(image), chain, seed, number, rows * CELLS)
    shown = [_enlarged(_shrunk(cell, SHOWN)) for cell in cells[: CELLS**2]]
    return _joined(shown)


def _versions(image: Pixels, chain: Chain, seed: int, number: int, count: int) -> list[Pixels]:
    """Return ``count`` pictures: the image itself, then what epoch after epoch shows of it."""
    import torch

    size = (image.shape[1], image.shape[2])
    batch = torch.from_numpy(np.array(image))[None]
    cells = [image]
    for epoch in range(count - 1):
        draw = chain.draw_epoch(batch, size, seed, epoch, [number])
        seen = draw.images(batch, mean=(0.5,) * 3, std=(1.0,) * 3)[0]  # (3, h, w), 0 is grey
        cells.append(((seen + 0.5) * 255).round().clamp(0, 255).byte().numpy())
    return cells


def _joined(cells: Sequence[Pixels]) -> Pixels:
    """Return 8 cells a row on white, each in the middle of its place, (3, H, W)."""
    height, width = np.max([cell.shape[1:] for cell in cells], axis=0) + GAP
    lines = -(-len(cells) // CELLS)
    table = np.full((3, lines * height + GAP, CELLS * width + GAP), 255, np.uint8)
    for place, cell in enumerate(cells):
        row, column = divmod(place, CELLS)
        top = row * height + GAP + (height - GAP - cell.shape[1]) // 2
        left = column * width + GAP + (width - GAP - cell.shape[2]) // 2
        table[:, top : top + cell.shape[1], left : left + cell.shape[2]] = cell
    return table


def _as_seen(image: Pixels) -> Pixels:
    """Return ``image`` (3, H, W) at a size that nets learn from."""
    from PIL.Image import Resampling

    shortest = min(image.shape[1:])
    if max(image.shape[1:]) <= SEEN * shortest / LEAST and shortest < LEAST:
        return _resized(image, LEAST / shortest, Resampling.BILINEAR)
    return _shrunk(image, SEEN)


def _shrunk(image: Pixels, longest: int) -> Pixels:
    """Return ``image`` (3, H, W) no longer than ``longest`` on its longest side."""
    from PIL.Image import Resampling

    ratio = longest / max(image.shape[1:])
    return image if ratio >= 1 else _resized(image, ratio, Resampling.LANCZOS)


def _enlarged(image: Pixels) -> Pixels:
    """Return a small picture with each pixel repeated as often as fits into a cell."""
    times = max(1, SHOWN // max(image.shape[1:]))
    return image.repeat(times, axis=1).repeat(times, axis=2)


def _resized(image: Pixels, ratio: float, way: Resampling) -> Pixels:
    """Return ``image`` (3, H, W) with both sides ``ratio`` times as long, at least a pixel."""
    from PIL import Image

    height, width = (max(1, round(side * ratio)) for side in image.shape[1:])
    plain = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    resized = np.asarray(plain.resize((width, height), way))
    return np.ascontiguousarray(resized.transpose(2, 0, 1))
