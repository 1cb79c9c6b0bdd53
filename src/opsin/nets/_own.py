"""What the nets of our own share: the methods timm calls, the last layer, the way they are made.

A family is one file of this folder with a class on top of ``Own``, notes that timm reads
(``notes``) and one registered function a net (``make``); then ``timm.create_model`` knows it, too,
with ``features_only``, ``in_chans``, ``num_classes`` and ``drop_rate``.

Shapes: N images, C channels, H and W pixels, F features, K outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import build_model_with_cfg
from timm.models._features_fx import register_notrace_module
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)
DIGITS = ((0.1307,), (0.3081,))  # mean and spread of MNIST's training pictures


class Own(nn.Module, ABC):
    """Is a net of our own: maps, then F numbers a picture, then one linear layer.

    A family makes its layers, calls ``end`` last, and says what ``forward_features`` and ``embed``
    do.
    """

    def end(self, features: int, num_classes: int, drop_rate: float) -> None:
        """Add what comes last, dropout and the linear layer; 0 classes leave the features bare."""
        self.num_classes = num_classes
        self.num_features = self.head_hidden_size = features
        self.dropout = nn.Dropout(drop_rate)
        self.fc = nn.Linear(features, num_classes) if num_classes else nn.Identity()

    def levels(self, *found: tuple[str, int, int]) -> None:
        """Declare the layers (name, channels, stride) that end each resolution, finest first."""
        self.feature_info = [
            {"module": module, "num_chs": channels, "reduction": stride}
            for module, channels, stride in found
        ]

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
        return self.fc

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh last layer with ``num_classes`` outputs, or none for 0."""
        self.num_classes = num_classes
        self.fc = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    @abstractmethod
    def forward_features(self, x: Tensor) -> Tensor:
        """Return the deepest maps of pictures (N, C, H, W)."""

    @abstractmethod
    def embed(self, x: Tensor) -> Tensor:
        """Return the features (N, F) of maps, before dropout and the last layer."""

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return outputs (N, K) of maps, or with ``pre_logits`` the features (N, F)."""
        features: Tensor = self.dropout(self.embed(x))  # (N, F)
        if pre_logits:
            return features
        outputs: Tensor = self.fc(features)  # (N, K)
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, K) for pictures (N, C, H, W)."""
        return self.forward_head(self.forward_features(x))


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class Frame(nn.Module):
    """Lays small pictures in the middle of zeros, up to ``side`` in both ways; larger ones pass."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Return pictures (N, C, H, W) with H and W at least ``side``."""
        high, wide = (max(0, self.side - found) for found in x.shape[-2:])
        if not high and not wide:
            return x
        return nn.functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))


def pooled(side: int) -> nn.Sequential:
    """Return a layer that averages maps to side × side positions and lays them in one row.

    Maps of that size pass as they are, so that a net keeps to its paper at its own input size.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(side), nn.Flatten())


def draw(net: Any) -> None:
    """Draw weights for ReLU (He et al., Delving Deep into Rectifiers, 2015, eq. 10), last small.

    A net that is sure of itself before it has learnt anything takes first steps that some of its
    units do not survive: one LeNet in five at a rate of 0.2.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    draw_small(net.get_classifier())


def draw_small(last: nn.Module) -> None:
    """Draw a last layer with a spread of 0.01, as AlexNet's and many after it.

    Behind dropout larger weights make noise that the first steps are spent on.
    """
    if isinstance(last, nn.Linear):  # there is none in a net of no classes
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)


def notes(paper: str, *, first: str, size: int = 224, url: str = "") -> dict[str, Any]:
    """Return what timm notes about a net: its paper, what it was made for, where weights are.

    ``first`` is the first convolution. Nets for less than 64 pixels are for digits: one channel,
    ten classes.
    """
    digits = size < 64
    mean, std = DIGITS if digits else (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    return {
        "url": url,
        "num_classes": 10 if digits else 1000,
        "input_size": (1 if digits else 3, size, size),
        "crop_pct": 1.0 if digits else 0.875,
        "interpolation": "bilinear",
        "mean": mean,
        "std": std,
        "first_conv": first,
        "classifier": "fc",
        "paper_name": paper,
    }


def make(
    kind: type[Net], name: str, pretrained: bool, levels: int, settings: dict[str, Any]
) -> Net:
    """Make a net for timm; ``levels`` is how many resolutions ``features_only`` gives."""
    features = {"out_indices": tuple(range(levels)), "feature_cls": "fx"}
    net: Net = build_model_with_cfg(kind, name, pretrained, feature_cfg=features, **settings)
    return net
