"""Drawn pictures for detectors, and targets by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from opsin.data.samples import scattered
from opsin.results import Boxes

LINE = "conv 3x3x8 stride 2 pad 1, bn, conv 3x3x16 stride 2 pad 1, bn, conv 3x3x24 stride 2 pad 1, "
LINE += "bn, conv 3x3x32 stride 2 pad 1, bn, dense 10"  # strides 2 to 16, 13,000 parameters


def targets(*pictures: Sequence[Sequence[float]]) -> Tensor:
    """Return (N, P, 6) of rows x1 y1 x2 y2 class flag for each picture, padded with −1."""
    most = max(1, *(len(rows) for rows in pictures))
    made = torch.zeros(len(pictures), most, 6)
    made[..., 4] = -1
    for picture, rows in zip(made, pictures, strict=True):
        for place, row in enumerate(rows):
            picture[place] = torch.tensor(row)
    return made


def drawn(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return pictures (n, 3, 64, 64) of discs (class 0) and squares (1), and their targets."""
    images, found = [], []
    for sample in scattered.read(n, seed).samples:
        assert isinstance(sample.image, np.ndarray)
        assert isinstance(sample.truth, Boxes)
        images.append(torch.from_numpy(sample.image).float() / 64 - 2)
        kinds = [float(name == "square") for name in sample.truth.names]
        boxes = sample.truth.boxes.tolist()
        found.append([[*box, kind, 0.0] for box, kind in zip(boxes, kinds, strict=True)])
    return torch.stack(images), targets(*found)


def terms(net: nn.Module, images: Tensor, rows: Tensor) -> dict[str, Tensor]:
    """Return what a detector has yet to learn, with the same draws each time."""
    torch.manual_seed(5)
    found = net(images, rows)
    assert isinstance(found, dict)
    return found


def losses(net: nn.Module, images: Tensor, rows: Tensor, steps: int) -> list[float]:
    """Return the loss at each of some steps, in which every parameter must have been moved."""
    descent = torch.optim.AdamW(net.parameters(), 1e-3)
    said, moved = [], {name: torch.zeros(()) for name, _ in net.named_parameters()}
    for _ in range(steps):
        descent.zero_grad()
        loss = torch.stack(list(terms(net, images, rows).values())).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None, name
            moved[name] = moved[name] + parameter.grad.abs().sum()
        descent.step()
        said.append(float(loss.detach()))
    assert [name for name, much in moved.items() if not float(much) > 0] == []
    return said
