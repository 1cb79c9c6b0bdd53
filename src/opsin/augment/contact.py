"""A contact sheet: one picture as a chain would show it 64 times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opsin.augment.chain import Chain

SIDE, CELLS, GAP = 160, 8, 2  # longest side of a cell, cells a side, white pixels between


def sheet(image: NDArray[np.uint8], chain: Chain, seed: int = 0) -> NDArray[np.uint8]:
    """Draw ``image`` (3, H, W) 8x8 times through ``chain``; return the sheet, uint8 (3, H', W').

    A picture longer than 160 pixels is made smaller first; hidden parts are grey. The sheet of
    another seed shows other draws.

    >>> from opsin.augment import parse
    >>> sheet(np.zeros((3, 10, 20), np.uint8), parse("flip")).shape
    (3, 94, 174)
    """
    import torch

    cell = _shrink(image)
    size = (cell.shape[1], cell.shape[2])
    batch = torch.from_numpy(cell).expand(CELLS**2, -1, -1, -1)
    draw = chain.draw_for(batch, size, (seed,))
    seen = draw.images(batch, mean=(0.5,), std=(1.0,))  # (64, 3, h, w), 0 is grey
    cells = ((seen + 0.5) * 255).round().clamp(0, 255).byte().numpy()
    framed = np.pad(cells, ((0, 0), (0, 0), (0, GAP), (0, GAP)), constant_values=255)
    table = framed.reshape(CELLS, CELLS, *framed.shape[1:])  # (row, column, 3, h, w)
    joined = table.transpose(2, 0, 3, 1, 4).reshape(3, CELLS * framed.shape[2], -1)
    return np.ascontiguousarray(joined[:, :-GAP, :-GAP])


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``image`` (3, H, W) no longer than ``SIDE`` on its longest side."""
    from PIL import Image

    height, width = image.shape[1:]
    ratio = min(1.0, SIDE / max(height, width))
    if ratio == 1.0:
        return image
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    small = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).resize(size)
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))
