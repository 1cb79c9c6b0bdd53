"""LeNet-5: the first convolutional net that read handwriting for a living.

LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition, Proc.
IEEE 86 (1998), section II.B. As it is built today: ReLU for tanh, max pooling for trainable
subsampling, C3 connected to all of S2, a plain linear layer for the Gaussian output.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models._features_fx import register_notrace_module
from torch import Tensor, nn

from opsin.nets._own import Frame, Own, draw, make, notes

__all__ = ["LeNet", "lenet5"]

SIDE = 28  # pixels: what C5 needs to see, and the size of the digits it was made for
default_cfgs = {
    "lenet5": notes(
        "Gradient-Based Learning Applied to Document Recognition", first="c1", size=SIDE
    )
}


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class Whole(nn.Conv2d):
    """Is a convolution that mostly sees maps of its own size: then it is one matrix product.

    The numbers are those of the convolution; the gradient takes a third of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, K, H - k + 1, W - k + 1) of maps (N, C, H, W)."""
        if tuple(x.shape[-2:]) != tuple(self.kernel_size):
            return super().forward(x)
        flat = nn.functional.linear(x.flatten(1), self.weight.flatten(1), self.bias)
        return flat[:, :, None, None]  # (N, K, 1, 1)


class LeNet(Own):
    """Is LeNet-5 with its layers' names from the paper.

    C5 is a 5×5 convolution, as in the paper; a picture larger than 28×28 leaves more than one
    position after it, and those are averaged, so that any size goes in.

    >>> net = LeNet(in_chans=1, num_classes=10)
    >>> sum(p.numel() for p in net.parameters())  # 156 + 2,416 + 48,120 + 10,164 + 850
    61706
    """

    def __init__(self, in_chans: int = 1, num_classes: int = 10, drop_rate: float = 0.0) -> None:
        super().__init__()
        self.frame = Frame(SIDE)
        # ReLU after pooling gives the same numbers as before it, on a quarter of them.
        self.c1 = nn.Conv2d(in_chans, 6, 5, padding=2)
        self.s2 = nn.Sequential(nn.MaxPool2d(2), nn.ReLU())
        self.c3 = nn.Conv2d(6, 16, 5)
        self.s4 = nn.Sequential(nn.MaxPool2d(2), nn.ReLU())
        self.c5 = nn.Sequential(Whole(16, 120, 5), nn.ReLU())
        self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.f6 = nn.Sequential(nn.Linear(120, 84), nn.ReLU())
        self.end(84, num_classes, drop_rate)
        self.levels(("c1", 6, 1), ("c3", 16, 2), ("c5", 120, 4))
        draw(self)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return what C5 sees in pictures (N, C, H, W)."""
        x = self.s2(self.c1(self.frame(x)))  # (N, 6, H/2, W/2)
        x = self.s4(self.c3(x))  # (N, 16, H/4 - 2, W/4 - 2)
        features: Tensor = self.c5(x)  # (N, 120, H/4 - 6, W/4 - 6)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 84)."""
        features: Tensor = self.f6(self.global_pool(x))
        return features


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def lenet5(pretrained: bool = False, **settings: Any) -> LeNet:
    """Make LeNet-5."""
    return make(LeNet, "lenet5", pretrained, 3, settings)
