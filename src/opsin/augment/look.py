"""What a chain sees of the pictures it is drawn for.

Shapes: N pictures of C channels, H x W pixels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from opsin.augment._operation import Frame
from opsin.augment.lots import Floats


def at(batch: Tensor, frame: Frame) -> Frame:
    """Return ``frame`` with the mass and the light of a uint8 ``batch`` (N, C, H, W)."""
    (top, left), (h, w) = frame.corner, frame.out
    middle = np.array([left + w / 2, top + h / 2])
    return replace(frame, mass=mass(batch) - middle, light=light(batch))


def light(batch: Tensor) -> Floats:
    """Return the mean colour of each picture in 0..1, (N, C, H, W) -> (N, 3), of R, G and B.

    >>> light(torch.full((1, 1, 2, 2), 51, dtype=torch.uint8)).round(3).tolist()
    [[0.2, 0.2, 0.2]]
    """
    means = batch.flatten(2).sum(2, dtype=torch.int64).double() / (255 * batch[0, 0].numel())
    return np.broadcast_to(means[:, :3].cpu().numpy(), (len(batch), 3))  # grey is R = G = B


def mass(batch: Tensor) -> Floats:
    """Return the centre of mass (x, y) of each picture in pixels, (N, C, H, W) -> (N, 2).

    The mass of a pixel is how far it lies from the mean colour of the border, rounded; that of a
    picture without any lies in its middle.

    >>> dot = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    >>> dot[0, 0, 1, 2] = 255
    >>> mass(dot).tolist()
    [[2.5, 1.5]]
    """
    height, width = batch.shape[2:]
    pixels = batch.float()
    rim = torch.cat([pixels[:, :, [0, -1]].flatten(2), pixels[:, :, 1:-1, [0, -1]].flatten(2)], 2)
    paper = rim.mean(2).round()[:, :, None, None]
    ink = (pixels - paper).abs_().sum(1)  # (N, H, W)
    across, down = ink.sum(1), ink.sum(2)  # (N, W), (N, H)
    whole = across.sum(1, keepdim=True)
    x = across @ (torch.arange(width, device=batch.device) + 0.5)
    y = down @ (torch.arange(height, device=batch.device) + 0.5)
    found = torch.stack([x, y], dim=1) / whole  # (N, 2)
    middle = torch.tensor([width / 2, height / 2], device=batch.device)
    return torch.where(whole > 0, found, middle).double().cpu().numpy()
