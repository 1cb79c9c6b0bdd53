"""LeNet-5: the first convolutional net that read handwriting for a living.

LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition, Proc.
IEEE 86 (1998), section II.B. As it is built today: ReLU for tanh, max pooling for trainable
subsampling, C3 connected to all of S2, a plain linear layer for the Gaussian output.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.models import register_model
from timm.models._features_fx import register_notrace_module
from torch import Tensor, nn

__all__ = ["LeNet", "lenet5"]


SIDE = 28  # pixels: what C5 needs to see, and the size of the digits it was made for


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class Frame(nn.Module):
    """Lays small pictures in the middle of zeros, up to 28×28; larger ones pass."""

    def forward(self, x: Tensor) -> Tensor:
        """Return pictures (N, C, H, W) with H and W at least 28."""
        high, wide = (max(0, SIDE - side) for side in x.shape[-2:])
        if not high and not wide:
            return x
        return nn.functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))


class LeNet(nn.Module):
    """Is LeNet-5 with its layers' names from the paper.

    C5 is a 5×5 convolution, as in the paper; a picture larger than 28×28 leaves more than one
    position after it, and those are averaged, so that any size goes in.

    >>> net = LeNet(in_chans=1, num_classes=10)
    >>> sum(p.numel() for p in net.parameters())  # 156 + 2,416 + 48,120 + 10,164 + 850
    61706
    """

    def __init__(self, in_chans: int = 1, num_classes: int = 10, drop_rate: float = 0.0) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.num_features = self.head_hidden_size = 84
        self.frame = Frame()
        self.c1 = nn.Sequential(nn.Conv2d(in_chans, 6, 5, padding=2), nn.ReLU())
        self.s2 = nn.MaxPool2d(2)
        self.c3 = nn.Sequential(nn.Conv2d(6, 16, 5), nn.ReLU())
        self.s4 = nn.MaxPool2d(2)
        self.c5 = nn.Sequential(nn.Conv2d(16, 120, 5), nn.ReLU())
        self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.f6 = nn.Sequential(nn.Linear(120, 84), nn.ReLU())
        self.dropout = nn.Dropout(drop_rate)
        self.fc = nn.Linear(84, num_classes) if num_classes else nn.Identity()
        self.feature_info = [
            {"num_chs": 6, "reduction": 1, "module": "c1"},
            {"num_chs": 16, "reduction": 2, "module": "c3"},
            {"num_chs": 120, "reduction": 4, "module": "c5"},
        ]

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
        return self.fc

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh last layer with ``num_classes`` outputs, or none for 0."""
        self.num_classes = num_classes
        self.fc = nn.Linear(84, num_classes) if num_classes else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        """Return what C5 sees in pictures (N, C, H, W)."""
        x = self.s2(self.c1(self.frame(x)))  # (N, 6, H/2, W/2)
        x = self.s4(self.c3(x))  # (N, 16, H/4 - 2, W/4 - 2)
        features: Tensor = self.c5(x)  # (N, 120, H/4 - 6, W/4 - 6)
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return outputs (N, K), or with ``pre_logits`` the features (N, 84) they come from."""
        features: Tensor = self.dropout(self.f6(self.global_pool(x)))  # (N, 84)
        if pre_logits:
            return features
        outputs: Tensor = self.fc(features)  # (N, K)
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, K) for pictures (N, C, H, W)."""
        return self.forward_head(self.forward_features(x))


def _draw(net: nn.Module) -> None:
    """Draw weights for ReLU (He et al., Delving Deep into Rectifiers, 2015, eq. 10)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def lenet5(pretrained: bool = False, **settings: Any) -> LeNet:
    """Make LeNet-5; timm passes ``in_chans``, ``num_classes`` and ``drop_rate``."""
    if pretrained:
        raise RuntimeError("lenet5 has no pretrained weights: it trains in seconds")
    known = ("in_chans", "num_classes", "drop_rate")
    net = LeNet(**{name: settings[name] for name in known if name in settings})
    with torch.no_grad():
        _draw(net)
    return net
