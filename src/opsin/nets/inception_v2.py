"""Inception v2, or BN-Inception: GoogLeNet with batch normalisation, and two 3×3 for each 5×5.

Ioffe & Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift, ICML 2015, section 4.2 and the table of the appendix (figure 5). The first
convolution is separable with a depth multiplier of 8, as the appendix says; channels of 4c and 4d
are those that add up to the 576 of the table. Without the side heads, which the net did not need;
with 11.2 million parameters (the paper's 13.6 million count more than the table shows).

Szegedy et al. (Rethinking the Inception Architecture, 2015) call a step on the way to their third
version by the same name.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.layers import ConvNormAct
from timm.models import register_model
from torch import Tensor, nn

from opsin.nets._own import Own, draw, draw_small, make, notes

__all__ = ["InceptionV2", "Mixed", "inception_v2"]

MULTIPLIER = 8  # planes a colour in the first, separable convolution
# The table: what comes in, 1×1; 1×1 before and 3×3; 1×1 before and twice 3×3; 1×1 after pooling.
# No 1×1 and no last one where the stride is 2: the pooled maps pass as they are.
MIXED = {
    "mixed3a": (192, 64, 64, 64, 64, 96, 32),
    "mixed3b": (256, 64, 64, 96, 64, 96, 64),
    "mixed3c": (320, 0, 128, 160, 64, 96, 0),
    "mixed4a": (576, 224, 64, 96, 96, 128, 128),
    "mixed4b": (576, 192, 96, 128, 96, 128, 128),
    "mixed4c": (576, 160, 128, 160, 128, 160, 96),
    "mixed4d": (576, 96, 128, 192, 160, 192, 96),
    "mixed4e": (576, 0, 128, 192, 192, 256, 0),
    "mixed5a": (1024, 352, 192, 320, 160, 224, 128),
    "mixed5b": (1024, 352, 192, 320, 192, 224, 128),
}
default_cfgs = {
    "inception_v2": notes(
        "Batch Normalization: Accelerating Deep Network Training", first="conv1.0"
    )
}


def conv(inputs: int, outputs: int, side: int = 1, stride: int = 1) -> nn.Module:
    """Return a convolution without bias, batch normalisation and ReLU."""
    layer: nn.Module = ConvNormAct(
        inputs,
        outputs,
        side,
        stride=stride,
        norm_kwargs={"eps": 1e-3},
        act_kwargs={"inplace": True},
    )
    return layer


class Mixed(nn.Module):
    """Is one row of the table: up to four branches side by side.

    Pooling takes the mean, but the largest where the stride is 2 and in the very last row.
    """

    def __init__(self, row: tuple[int, ...], *, last: bool = False) -> None:
        super().__init__()
        inputs, single, before3, after3, before5, after5, after_pool = row
        stride = 1 if single else 2
        branches: list[nn.Module] = [conv(inputs, single)] if single else []
        branches.append(nn.Sequential(conv(inputs, before3), conv(before3, after3, 3, stride)))
        twice = (conv(before5, after5, 3), conv(after5, after5, 3, stride))
        branches.append(nn.Sequential(conv(inputs, before5), *twice))
        if stride == 2:
            branches.append(nn.MaxPool2d(3, 2, padding=1))
        else:
            mean = nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)
            pool = nn.MaxPool2d(3, 1, padding=1) if last else mean
            branches.append(nn.Sequential(pool, conv(inputs, after_pool)))
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps (N, C', H/s, W/s) of all branches for maps (N, C, H, W)."""
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionV2(Own):
    """Is the net of the table; any size goes in.

    >>> with torch.device("meta"):
    ...     net = InceptionV2()
    >>> sum(p.numel() for p in net.parameters())
    11188288
    """

    def __init__(self, in_chans: int = 3, num_classes: int = 1000, drop_rate: float = 0.2) -> None:
        super().__init__()
        wide = in_chans * MULTIPLIER
        depthwise = nn.Conv2d(in_chans, wide, 7, 2, padding=3, groups=in_chans, bias=False)
        self.conv1 = nn.Sequential(depthwise, conv(wide, 64))
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        self.conv2 = nn.Sequential(conv(64, 64), conv(64, 192, 3))
        self.pool2 = nn.MaxPool2d(3, 2, padding=1)
        for name, row in MIXED.items():
            self.add_module(name, Mixed(row, last=name == "mixed5b"))
        self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.end(1024, num_classes, drop_rate)
        self.levels(
            ("conv1", 64, 2), ("conv2", 192, 4), ("mixed3b", 320, 8), ("mixed4d", 576, 16),
            ("mixed5b", 1024, 32),
        )  # fmt: skip
        draw(self)
        draw_small(self.fc)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maps of the last row for pictures (N, C, H, W)."""
        x = self.pool1(self.conv1(x))  # (N, 64, H/4, W/4)
        x = self.pool2(self.conv2(x))  # (N, 192, H/8, W/8)
        for name in MIXED:
            x = self.get_submodule(name)(x)  # (N, 320, H/8), (N, 576, H/16), (N, 1024, H/32, W/32)
        return x

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 1024)."""
        features: Tensor = self.global_pool(x)
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def inception_v2(pretrained: bool = False, **settings: Any) -> InceptionV2:
    """Make Inception v2."""
    return make(InceptionV2, "inception_v2", pretrained, 5, settings)
