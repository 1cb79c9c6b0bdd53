"""The DropConnect net: the digit reader that held the record of MNIST, 0.21 % errors by a vote.

Wan, Zeiler, Zhang, LeCun & Fergus, Regularization of Neural Networks using DropConnect, ICML 2013,
section 6.1: two convolutions with 32 and 64 maps, a layer of 150 units with DropConnect, and the
output. As Tabik et al. (IJCIS 10, 2017) used it: two convolutions and two dense layers, ReLU,
DropConnect. The layer itself, and what it does in evaluation: ``opsin.ops.dropconnect``.

Pictures smaller than 28×28 are framed, the maps of larger ones averaged to 4×4, so that any size
goes in.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models._features_fx import register_notrace_module
from torch import Tensor, nn

from opsin.nets._own import Frame, Own, draw, draw_small, make, notes, pooled
from opsin.ops.dropconnect import DropConnect

__all__ = ["DropConnectNet", "dropconnect"]

SIDE = 28
default_cfgs = {
    "dropconnect": notes(
        "Regularization of Neural Networks using DropConnect", first="conv1.0", size=SIDE
    )
}
register_notrace_module(DropConnect)  # it does something else in training


class DropConnectNet(Own):
    """Is the net of the paper; ``drop_rate`` is the share of connections dropped.

    >>> net = DropConnectNet(in_chans=1, num_classes=10)  # 832 + 51,264 + 153,750 + 1,510
    >>> sum(p.numel() for p in net.parameters())
    207356
    """

    def __init__(self, in_chans: int = 1, num_classes: int = 10, drop_rate: float = 0.5) -> None:
        super().__init__()
        self.frame = Frame(SIDE)
        self.conv1 = nn.Sequential(nn.Conv2d(in_chans, 32, 5), nn.ReLU())
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Sequential(nn.Conv2d(32, 64, 5), nn.ReLU())
        self.pool2 = nn.MaxPool2d(2)
        self.global_pool = pooled(4)
        self.fc1 = nn.Sequential(DropConnect(64 * 4 * 4, 150, drop_rate), nn.ReLU())
        self.end(150, num_classes, 0.0)
        self.levels(("conv1", 32, 1), ("conv2", 64, 2), ("pool2", 64, 4))
        draw(self)
        draw_small(self.fc)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maps of the second pooling for pictures (N, C, H, W)."""
        x = self.pool1(self.conv1(self.frame(x)))  # (N, 32, H/2 - 2, W/2 - 2)
        features: Tensor = self.pool2(self.conv2(x))  # (N, 64, H/4 - 3, W/4 - 3)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 150)."""
        features: Tensor = self.fc1(self.global_pool(x))
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def dropconnect(pretrained: bool = False, **settings: Any) -> DropConnectNet:
    """Make the DropConnect net."""
    return make(DropConnectNet, "dropconnect", pretrained, 3, settings)
