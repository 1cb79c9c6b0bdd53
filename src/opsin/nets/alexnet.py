"""AlexNet with its two towers, as it won ImageNet on two graphics cards.

Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural Networks,
NeurIPS 2012, section 3.5 and figure 2. Each tower is one half of the planes: the second, fourth and
fifth convolution see their own tower only (groups of 2), all other layers see both. Normalisation
as in section 3.3, overlapping pooling as in 3.4. The one-tower AlexNet that torchvision keeps comes
from a later paper (Krizhevsky, One weird trick, 2014) and has 61,100,840 parameters.

The paper says 224 pixels and 55 positions: that takes a border of 2, as here, or 227 pixels. Maps
of other pictures are averaged to 6×6 before the dense layers: any size from 63 pixels on goes in.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from torch import Tensor, nn

from opsin.nets._own import Own, draw, draw_small, make, notes, pooled

__all__ = ["AlexNet", "alexnet_two_towers"]

PAPER = "ImageNet Classification with Deep Convolutional Neural Networks"
default_cfgs = {"alexnet_two_towers": notes(PAPER, first="conv1.0")}


def normalisation() -> nn.LocalResponseNorm:
    """Return a / (2 + 1e-4 · sum of a² over 5 planes) ** 0.75; torch takes the mean for the sum."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class AlexNet(Own):
    """Is the net of the paper.

    >>> import torch
    >>> with torch.device("meta"):
    ...     net = AlexNet()
    >>> sum(p.numel() for p in net.parameters())
    60965224
    """

    groups = 2  # towers

    def __init__(self, in_chans: int = 3, num_classes: int = 1000, drop_rate: float = 0.5) -> None:
        super().__init__()
        towers = self.groups
        self.begin(in_chans)
        self.conv3 = nn.Sequential(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU())
        self.conv4 = nn.Sequential(nn.Conv2d(384, 384, 3, padding=1, groups=towers), nn.ReLU())
        self.conv5 = nn.Sequential(nn.Conv2d(384, 256, 3, padding=1, groups=towers), nn.ReLU())
        self.pool5 = nn.MaxPool2d(3, 2)
        self.global_pool = pooled(6)
        self.fc6 = nn.Sequential(nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(drop_rate))
        self.fc7 = nn.Sequential(nn.Linear(4096, 4096), nn.ReLU())
        self.end(4096, num_classes, drop_rate)
        draw(self)
        draw_small(self.fc)

    def begin(self, in_chans: int) -> None:
        """Make the two convolutions with their pooling that see 224 pixels as 13 positions."""
        conv1 = nn.Conv2d(in_chans, 96, 11, stride=4, padding=2)
        self.conv1 = nn.Sequential(conv1, nn.ReLU(), normalisation())
        self.pool1: nn.Module = nn.MaxPool2d(3, 2)
        conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=self.groups)
        self.conv2 = nn.Sequential(conv2, nn.ReLU(), normalisation())
        self.pool2: nn.Module = nn.MaxPool2d(3, 2)
        self.levels(("conv1", 96, 4), ("conv2", 256, 8), ("conv5", 256, 16))

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maps of the last pooling for pictures (N, C, H, W)."""
        x = self.pool1(self.conv1(x))  # (N, 96, 27, 27) of 224×224 pixels
        x = self.pool2(self.conv2(x))  # (N, 256, 13, 13)
        x = self.conv5(self.conv4(self.conv3(x)))  # (N, 256, 13, 13)
        features: Tensor = self.pool5(x)  # (N, 256, 6, 6)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 4096)."""
        features: Tensor = self.fc7(self.fc6(self.global_pool(x)))
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def alexnet_two_towers(pretrained: bool = False, **settings: Any) -> AlexNet:
    """Make AlexNet with two towers."""
    return make(AlexNet, "alexnet_two_towers", pretrained, 3, settings)
