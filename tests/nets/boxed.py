"""Drawn pictures for detectors: squares and discs that do not touch, and targets by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def targets(*pictures: Sequence[Sequence[float]]) -> Tensor:
    """Return (N, P, 6) of rows x1 y1 x2 y2 class flag for each picture, padded with −1."""
    most = max(1, *(len(rows) for rows in pictures))
    made = torch.zeros(len(pictures), most, 6)
    made[..., 4] = -1
    for picture, rows in zip(made, pictures, strict=True):
        for place, row in enumerate(rows):
            picture[place] = torch.tensor(row)
    return made


def drawn(n: int, side: int = 64, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return pictures (n, 3, side, side) of up to three squares (class 0) and discs (1)."""
    draws = np.random.default_rng(seed)
    images = draws.normal(0, 0.05, (n, 3, side, side)).astype(np.float32)
    rows: list[list[list[float]]] = []
    for image in images:
        found: list[list[float]] = []
        for _ in range(3):
            wide = int(draws.integers(side // 6, side // 2))
            x, y = (int(draws.integers(0, side - wide)) for _ in range(2))
            if any(x < b[2] and b[0] < x + wide and y < b[3] and b[1] < y + wide for b in found):
                continue
            kind, colour = int(draws.integers(2)), draws.choice([-1.0, 1.0], 3)
            down, across = np.mgrid[:wide, :wide] - (wide - 1) / 2
            inside = (down**2 + across**2 <= wide**2 / 4) if kind else np.ones((wide, wide), bool)
            part = image[:, y : y + wide, x : x + wide]
            part[...] = np.where(inside, colour[:, None, None], part)
            found.append([x, y, x + wide, y + wide, kind, 0])
        rows.append(found)
    return torch.from_numpy(images), targets(*rows)
