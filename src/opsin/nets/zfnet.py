"""ZFNet: AlexNet with finer first layers, found by looking at what the layers see.

Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, section 3 and
figure 3: 7×7 with stride 2 for AlexNet's 11×11 with stride 4, a stride of 2 in the second
convolution, one tower, and normalisation after pooling (figure 3: rectified, pooled, normalised).

Maps of other pictures than 224×224 are averaged to 6×6 before the dense layers, so that any size
from 63 pixels goes in.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from torch import nn

from opsin.nets._own import make, notes
from opsin.nets.alexnet import AlexNet, normalisation

__all__ = ["ZFNet", "zfnet"]

default_cfgs = {
    "zfnet": notes("Visualizing and Understanding Convolutional Networks", first="conv1.0")
}


class ZFNet(AlexNet):
    """Is the net of figure 3; from the third convolution on it is an AlexNet of one tower.

    >>> import torch
    >>> with torch.device("meta"):
    ...     net = ZFNet()
    >>> sum(p.numel() for p in net.parameters())
    62357608
    """

    groups = 1

    def begin(self, in_chans: int) -> None:
        """Make the two convolutions with their pooling that see 224 pixels as 13 positions."""
        self.conv1 = nn.Sequential(nn.Conv2d(in_chans, 96, 7, stride=2, padding=1), nn.ReLU())
        self.pool1 = nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), normalisation())  # 110 to 55
        self.conv2 = nn.Sequential(nn.Conv2d(96, 256, 5, stride=2), nn.ReLU())
        self.pool2 = nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), normalisation())  # 26 to 13
        self.levels(("conv1", 96, 2), ("pool1", 96, 4), ("conv2", 256, 8), ("conv5", 256, 16))


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def zfnet(pretrained: bool = False, **settings: Any) -> ZFNet:
    """Make ZFNet."""
    return make(ZFNet, "zfnet", pretrained, 4, settings)
