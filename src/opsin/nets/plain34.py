"""The plain 34-layer net: ResNet-34 without its skips, which learns worse than one of 18 layers.

He, Zhang, Ren & Sun, Deep Residual Learning for Image Recognition, CVPR 2016, section 3.3, figure 3
(middle) and figure 4. Everything but the block is timm's ResNet: the same names, stem, stages and
head, so that the two can be compared layer by layer.

Shapes: N images, C channels, H and W pixels.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models.resnet import BasicBlock, ResNet
from torch import Tensor

from opsin.nets._own import make, notes

__all__ = ["PlainBlock", "plain34"]

default_cfgs = {"plain34": notes("Deep Residual Learning for Image Recognition", first="conv1")}


class PlainBlock(BasicBlock):  # type: ignore[misc, unused-ignore]
    """Is two convolutions in a row; timm hands it a projection for the skip, which it drops."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.downsample = None

    def zero_init_last(self) -> None:
        """Do nothing: a residual branch may start at zero, but here nothing would pass."""

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, C', H/s, W/s) of maps (N, C, H, W), s the stride of the block."""
        x = self.act1(self.bn1(self.conv1(x)))
        found: Tensor = self.act2(self.bn2(self.conv2(x)))
        return found


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def plain34(pretrained: bool = False, **settings: Any) -> ResNet:
    """Make the plain net of 34 layers."""
    shape = {"block": PlainBlock, "layers": (3, 4, 6, 3)}
    return make(ResNet, "plain34", pretrained, 5, shape | settings)
