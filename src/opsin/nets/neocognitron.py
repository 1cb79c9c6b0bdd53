"""The Neocognitron in today's terms: the first net of convolutions and pooling.

Fukushima, Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern
Recognition Unaffected by Shift in Position, Biological Cybernetics 36 (1980). Three stages of
S-cells (which look for a pattern, eq. 1–4) and C-cells (which forgive where it is, eq. 5–7), 24
planes each, all 5×5, with the constants of section 5.

In today's terms an S-cell is a convolution whose outcome is divided by how much there was to see,
then ReLU; a C-cell is a fixed blur with stride, dimmed by the other planes, then a saturation. What
differs from 1980: weights are learnt by gradient descent instead of self-organisation, and may have
either sign; the layers keep the size of their input but for the stride; a linear layer reads how
the strongest C-cells of the last planes compare, where the paper names the strongest of all.

Shapes: N images, C channels, H and W pixels, P planes, K outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.models import register_model
from torch import Tensor, nn
from torch.nn.functional import conv2d

from opsin.nets._own import Own, draw, make, notes

__all__ = ["CCells", "Neocognitron", "SCells", "neocognitron"]

SIDE = 28
PLANES = 24
WINDOW = 5  # of every cell
ALPHA = 0.5  # where C-cells saturate
SELECTIVITY = (4.0, 1.5, 1.5)  # r of the three stages
FALL = 1.5  # positions: how far c and d reach; the paper only says that both fall with distance
EPSILON = 1e-6  # keeps the slope of a root finite in the dark
default_cfgs = {"neocognitron": notes("Neocognitron", first="s1.excite", size=SIDE)}


def falling() -> Tensor:
    """Return weights (5, 5) that fall with the distance from the middle and sum to one."""
    steps = torch.arange(WINDOW) - WINDOW // 2
    line = torch.exp(-0.5 * (steps / FALL) ** 2)
    weights: Tensor = torch.outer(line, line) / line.sum() ** 2
    return weights


class SCells(nn.Module):
    """Answers r · ReLU((1 + e) / (1 + 2r / (1 + r) · b v) - 1), where a pattern is (eq. 1).

    e is a convolution, v the root mean square of what it looked at (eq. 3), b ≥ 0 is learnt.
    """

    falling: Tensor

    def __init__(self, inputs: int, planes: int, r: float) -> None:
        super().__init__()
        self.r = r
        self.excite = nn.Conv2d(inputs, planes, WINDOW, padding=WINDOW // 2, bias=False)
        self.inhibit = nn.Parameter(torch.full((planes,), 0.5))
        spread = falling().expand(1, inputs, WINDOW, WINDOW) / inputs
        self.register_buffer("falling", spread, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return planes (N, P, H, W) of maps (N, C, H, W)."""
        seen = conv2d(x.square(), self.falling, padding=WINDOW // 2)  # (N, 1, H, W)
        b = self.inhibit.abs().view(1, -1, 1, 1)
        shunt = 2 * self.r / (1 + self.r) * b * (seen + EPSILON).sqrt()  # (N, P, H, W)
        found: Tensor = self.r * ((1 + self.excite(x)) / (1 + shunt) - 1).relu()
        return found


class CCells(nn.Module):
    """Answers y / (0.5 + y) with y = ReLU((1 + blur) / (1 + mean of all blurs) - 1) (eq. 5–7)."""

    falling: Tensor

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes
        spread = falling().expand(planes, 1, WINDOW, WINDOW).clone()
        self.register_buffer("falling", spread, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return planes (N, P, H/2, W/2) of planes (N, P, H, W)."""
        blur = conv2d(x, self.falling, stride=2, padding=WINDOW // 2, groups=self.planes)
        y = ((1 + blur) / (1 + blur.mean(1, keepdim=True)) - 1).relu()  # (N, P, H/2, W/2)
        return y / (ALPHA + y)


class Neocognitron(Own):
    """Is the net; any size goes in.

    >>> net = Neocognitron(in_chans=1, num_classes=10)  # 624 + 14,424 + 14,424 + 250
    >>> sum(p.numel() for p in net.parameters())
    29722
    """

    def __init__(self, in_chans: int = 1, num_classes: int = 10, drop_rate: float = 0.0) -> None:
        super().__init__()
        r1, r2, r3 = SELECTIVITY
        self.s1, self.c1 = SCells(in_chans, PLANES, r1), CCells(PLANES)
        self.s2, self.c2 = SCells(PLANES, PLANES, r2), CCells(PLANES)
        self.s3, self.c3 = SCells(PLANES, PLANES, r3), CCells(PLANES)
        # The strongest cell of each plane, and then how the planes compare with each other.
        compare = nn.LayerNorm(PLANES, elementwise_affine=False)
        self.global_pool = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), compare)
        self.end(PLANES, num_classes, drop_rate)
        self.levels(("s1", PLANES, 1), ("s2", PLANES, 2), ("s3", PLANES, 4), ("c3", PLANES, 8))
        draw(self)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the last C-cells for pictures (N, C, H, W)."""
        x = self.c1(self.s1(x))  # (N, 24, H/2, W/2)
        x = self.c2(self.s2(x))  # (N, 24, H/4, W/4)
        features: Tensor = self.c3(self.s3(x))  # (N, 24, H/8, W/8)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 24)."""
        features: Tensor = self.global_pool(x)
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def neocognitron(pretrained: bool = False, **settings: Any) -> Neocognitron:
    """Make the Neocognitron."""
    return make(Neocognitron, "neocognitron", pretrained, 4, settings)
