"""Network3: the digit reader of Nielsen's book, which Tabik et al. measured against LeNet.

Nielsen, Neural Networks and Deep Learning (2015), chapter 6, "Convolutional neural networks in
practice", the last single net, and its program network3.py. Tabik, Peralta, Herrera-Poyatos &
Herrera, A snapshot of image pre-processing for convolutional neural networks: case study of MNIST,
IJCIS 10 (2017), section 4: two convolutions, three dense layers, ReLU, dropout.

As in network3.py, the input of each dense layer is dropped, and weights are drawn by the number of
outputs (but the last, which start at zero there and near it here): with He's larger ones the wide
layers do not learn at all at usual rates. Pictures smaller than 28×28 are framed,
the maps of larger ones averaged to 4×4, so that any size goes in.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from torch import Tensor, nn

from opsin.nets._own import Frame, Own, draw_small, make, notes, pooled

__all__ = ["Network3", "network3"]

SIDE = 28
default_cfgs = {"network3": notes("Neural Networks and Deep Learning", first="conv1.0", size=SIDE)}


class Network3(Own):
    """Is Nielsen's net: 20 and 40 filters of 5×5, then 1000, 1000 and K units.

    >>> net = Network3(in_chans=1, num_classes=10)  # 520 + 20,040 + 641,000 + 1,001,000 + 10,010
    >>> sum(p.numel() for p in net.parameters())
    1672570
    """

    def __init__(self, in_chans: int = 1, num_classes: int = 10, drop_rate: float = 0.5) -> None:
        super().__init__()
        self.frame = Frame(SIDE)
        self.conv1 = nn.Sequential(nn.Conv2d(in_chans, 20, 5), nn.ReLU())
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Sequential(nn.Conv2d(20, 40, 5), nn.ReLU())
        self.pool2 = nn.MaxPool2d(2)
        self.global_pool = pooled(4)
        self.fc1 = nn.Sequential(nn.Dropout(drop_rate), nn.Linear(40 * 4 * 4, 1000), nn.ReLU())
        self.fc2 = nn.Sequential(nn.Dropout(drop_rate), nn.Linear(1000, 1000), nn.ReLU())
        self.end(1000, num_classes, drop_rate)
        self.levels(("conv1", 20, 1), ("conv2", 40, 2), ("pool2", 40, 4))
        self.draw()

    def draw(self) -> None:
        """Draw weights with a spread of one by the root of the outputs, maps counted as pooled."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                seen = 5 * 5 / 4 if isinstance(module, nn.Conv2d) else 1  # positions of a filter
                nn.init.normal_(module.weight, std=(len(module.weight) * seen) ** -0.5)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        draw_small(self.fc)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maps of the second pooling for pictures (N, C, H, W)."""
        x = self.pool1(self.conv1(self.frame(x)))  # (N, 20, H/2 - 2, W/2 - 2)
        features: Tensor = self.pool2(self.conv2(x))  # (N, 40, H/4 - 3, W/4 - 3)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 1000)."""
        features: Tensor = self.fc2(self.fc1(self.global_pool(x)))
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def network3(pretrained: bool = False, **settings: Any) -> Network3:
    """Make Network3."""
    return make(Network3, "network3", pretrained, 3, settings)
