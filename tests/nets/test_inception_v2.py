"""Inception v2 against the table of its paper and the count of its authors' own program."""

from __future__ import annotations

import torch
from torch import nn

from opsin import nets
from opsin.nets._build import on_meta

# Figure 5 of the paper: channels and side after each row for 224×224 pixels.
TABLE = {
    "conv1": (64, 112),
    "pool1": (64, 56),
    "conv2": (192, 56),
    "pool2": (192, 28),
    "mixed3a": (256, 28),
    "mixed3b": (320, 28),
    "mixed3c": (576, 14),
    "mixed4a": (576, 14),
    "mixed4b": (576, 14),
    "mixed4c": (576, 14),
    "mixed4d": (576, 14),
    "mixed4e": (1024, 7),
    "mixed5a": (1024, 7),
    "mixed5b": (1024, 7),
}


def made() -> nn.Module:
    with torch.device("meta"):
        return nets.build("inception_v2", outputs=1000)


def test_maps_have_the_sizes_of_the_table() -> None:
    net = made()
    for layer, (channels, side) in TABLE.items():
        lower, _ = nets.cut(net, layer)
        assert on_meta(lower, 3, (224, 224)).shape == (1, channels, side, side), layer


def test_it_has_as_many_numbers_as_the_program_of_its_authors() -> None:
    """10,173,112 up to the last row, in TF-slim's test of inception_v2_base.

    TF-slim counts means and variances of the norms, leaves out their scales, and has a bias for the
    norm of the first convolution.
    """
    net = made()
    body = sum(p.numel() for p in net.parameters()) - sum(p.numel() for p in net.fc.parameters())
    norms = [m.num_features for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms[0] == 64
    assert body + sum(norms[1:]) - norms[0] == 10_173_112


def test_odd_sizes_fit_together() -> None:
    """Convolution and pooling side by side must agree on every size."""
    net = made()
    assert all(
        on_meta(net, 3, (side, side + 3)).shape == (1, 1000) for side in (1, 2, 3, 30, 33, 63, 65)
    )
