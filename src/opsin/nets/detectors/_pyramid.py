"""Maps of several strides made to know of each other: coarse ones say what, fine ones where.

Downwards as in Lin et al., Feature Pyramid Networks for Object Detection, 2017, section 3; then
upwards once more as in Liu et al., Path Aggregation Network, 2018, section 3.2. All 3 x 3
convolutions are depthwise, with one of 1 x 1 after them (Sandler et al., MobileNetV2, 2018, section
6.2), so that on a processor the pyramid costs a small part of what stands below it.

Shapes: a map (B, C, h, w) for each level, finest first; widths C are one number once they leave.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def pointwise(channels: int, width: int) -> nn.Sequential:
    """Return a convolution of 1 x 1, batch normalisation and a rectifier."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


def separable(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    """Return a depthwise convolution of 3 x 3 and ``pointwise``, normalised and rectified each.

    >>> import torch
    >>> separable(8, 16, 2)(torch.zeros(2, 8, 5, 5)).shape
    torch.Size([2, 16, 3, 3])
    """
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        *pointwise(channels, width),
    )


class Pyramid(nn.Module):
    """Turns maps of ``channels`` into maps of one ``width`` at the same strides.

    >>> import torch
    >>> maps = [torch.zeros(2, 8, 10, 10), torch.zeros(2, 16, 5, 5)]
    >>> [tuple(m.shape) for m in Pyramid([8, 16], 32)(maps)]
    [(2, 32, 10, 10), (2, 32, 5, 5)]
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        steps = range(len(channels) - 1)
        self.lateral = nn.ModuleList([pointwise(each, width) for each in channels])
        self.finer = nn.ModuleList([separable(width, width) for _ in steps])
        self.coarser = nn.ModuleList([separable(width, width, 2) for _ in steps])

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return as many maps, each as large as it was."""
        seen = [layer(m) for layer, m in zip(self.lateral, maps, strict=True)]
        for level in reversed(range(len(seen) - 1)):
            size = seen[level].shape[-2:]
            above = functional.interpolate(seen[level + 1], size=size, mode="nearest")
            seen[level] = self.finer[level](seen[level] + above)
        for level, after in itertools.pairwise(range(len(seen))):
            below = self.coarser[level](seen[level])
            if below.shape[-2:] != seen[after].shape[-2:]:  # the net below rounds sizes down
                below = functional.adaptive_avg_pool2d(below, seen[after].shape[-2:])
            seen[after] = seen[after] + below
        return seen
