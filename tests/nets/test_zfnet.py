"""ZFNet against figure 3 of its paper."""

from __future__ import annotations

import torch

from opsin import nets
from opsin.nets._build import on_meta


def test_maps_have_the_sizes_of_figure_3() -> None:
    sizes = {"conv1": (96, 110), "pool1": (96, 55), "conv2": (256, 26), "pool2": (256, 13)}
    sizes |= {"conv3": (384, 13), "conv4": (384, 13), "conv5": (256, 13), "pool5": (256, 6)}
    with torch.device("meta"):
        net = nets.build("zfnet", outputs=1000)
    for layer, (planes, side) in sizes.items():
        lower, _ = nets.cut(net, layer)
        assert on_meta(lower, 3, (224, 224)).shape == (1, planes, side, side), layer


def test_it_has_one_tower() -> None:
    with torch.device("meta"):
        net = nets.build("zfnet", outputs=1000)
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 5 and {m.groups for m in convolutions} == {1}
