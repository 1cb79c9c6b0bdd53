"""SqueezeNet with a head that can be taken off: AlexNet's accuracy with 50 times fewer parameters.

Iandola et al., SqueezeNet: AlexNet-level Accuracy with 50x Fewer Parameters and <0.5MB Model Size,
2016, table 1 (version 1.0), and the release of version 1.1 by its authors. The convolutions are
torchvision's own layers under their own names, and so its weights fit.

The paper ends in a 1×1 convolution to one map a class, ReLU, and the mean of each map. Here the
maps are averaged first, and a linear layer with the same weights comes after: without that ReLU
the two orders give the same numbers, and with it no score could be negative. Like that it has
features (N, 512) and a last layer as all other nets.

Shapes: N images, C channels, H and W pixels, K outputs.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from torch import Tensor, nn
from torchvision.models import squeezenet as torchvisions

from opsin.nets._own import Own, draw_small, make, notes

__all__ = ["SqueezeNet", "squeezenet1_0", "squeezenet1_1"]

PAPER = "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size"
HOME = "https://download.pytorch.org/models"
LICENCE = {"license": "bsd-3-clause"}
default_cfgs = {
    "squeezenet1_0": LICENCE
    | notes(PAPER, first="features.0", url=f"{HOME}/squeezenet1_0-b66bff10.pth"),
    "squeezenet1_1": LICENCE
    | notes(PAPER, first="features.0", url=f"{HOME}/squeezenet1_1-b8a52dc0.pth"),
}
# Where each resolution ends: layer, channels, stride.
LEVELS = {
    "1_0": (("features.1", 96, 2), ("features.5", 256, 4), ("features.10", 512, 8),
            ("features.12", 512, 16)),
    "1_1": (("features.1", 64, 2), ("features.4", 128, 4), ("features.7", 256, 8),
            ("features.12", 512, 16)),
}  # fmt: skip


class SqueezeNet(Own):
    """Is one of the two versions.

    >>> sum(p.numel() for p in SqueezeNet("1_1").parameters())
    1235496
    """

    def __init__(
        self,
        version: str,
        in_chans: int = 3,
        num_classes: int = 1000,
        drop_rate: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = torchvisions.SqueezeNet(version).features
        if in_chans != 3:
            first = self.features[0]
            sizes = (first.out_channels, first.kernel_size[0], first.stride[0])
            self.features[0] = nn.Conv2d(in_chans, *sizes)
            nn.init.kaiming_uniform_(self.features[0].weight)  # as torchvision draws the others
            nn.init.zeros_(self.features[0].bias)
        self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.end(512, num_classes, drop_rate)
        draw_small(self.fc)
        self.levels(*LEVELS[version])

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maps (N, 512, H/16, W/16) of the last Fire for pictures (N, C, H, W)."""
        features: Tensor = self.features(x)
        return features

    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, 512)."""
        features: Tensor = self.global_pool(x)
        return features


def checkpoint_filter_fn(tensors: dict[str, Tensor], _: nn.Module) -> dict[str, Tensor]:
    """Return torchvision's tensors under our names; its last convolution as a linear layer."""
    renamed = {name.replace("classifier.1.", "fc."): tensor for name, tensor in tensors.items()}
    if "fc.weight" in renamed:
        renamed["fc.weight"] = renamed["fc.weight"].flatten(1)  # (K, 512, 1, 1) to (K, 512)
    return renamed


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def squeezenet1_0(pretrained: bool = False, **settings: Any) -> SqueezeNet:
    """Make version 1.0, as in the paper."""
    chosen = {"version": "1_0", "pretrained_filter_fn": checkpoint_filter_fn}
    return make(SqueezeNet, "squeezenet1_0", pretrained, 4, chosen | settings)


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def squeezenet1_1(pretrained: bool = False, **settings: Any) -> SqueezeNet:
    """Make version 1.1: as accurate, with 2.4 times less arithmetic."""
    chosen = {"version": "1_1", "pretrained_filter_fn": checkpoint_filter_fn}
    return make(SqueezeNet, "squeezenet1_1", pretrained, 4, chosen | settings)
