"""Parameters of every famous net, counted on the net itself, against what others state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torchvision import models

from opsin import nets

# Exact: by papers, by the lecture, and by tables of other libraries.
EXACT = {
    "lenet5": 61_706,  # the lecture, with full C3
    "alexnet_two_towers": 60_965_224,  # the lecture
    "alexnet": 61_100_840,  # the lecture, of torchvision
    "zfnet": 62_357_608,  # Computational Analysis and Deep Learning for Medical Care, table 1.4
    "vgg16": 138_357_544,  # the lecture
    "legacy_xception": 22_855_952,  # Chollet 2017, table 3
    "squeezenet1_0": 1_248_424,  # Iandola et al. 2016, table 1
    "inception_v3": 23_817_352 + 17_216,  # Keras learns the first, without the scales of its norms
    "plain34": 21_797_672 - (64 * 128 + 128 * 256 + 256 * 512) - 2 * (128 + 256 + 512),
}
# torchvision writes these beside its weights, under its own names.
TORCHVISION = {
    "googlenet": "googlenet",
    "vgg19": "vgg19",
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "resnet152": "resnet152",
    "resnext50_32x4d": "resnext50_32x4d",
    "densenet121": "densenet121",
    "mobilenetv2_100": "mobilenet_v2",
    "mobilenetv3_small_100": "mobilenet_v3_small",
    "mobilenetv3_large_100": "mobilenet_v3_large",
    "squeezenet1_0": "squeezenet1_0",
    "squeezenet1_1": "squeezenet1_1",
    **{f"efficientnet_b{i}": f"efficientnet_b{i}" for i in range(8)},
}
# Millions, as papers and authors print them.
PRINTED = {
    "googlenet": 6.6,
    "inception_v2": 11.2,
    "inception_v4": 42.7,
    "resnet50": 25.6,
    "seresnext50_32x4d": 27.6,
    "mobilenetv1_100": 4.2,
    "efficientnet_b0": 5.3,
    "efficientnet_b7": 66.3,
    "tf_efficientnet_lite0": 4.7,
    "tf_efficientnet_lite1": 5.4,
    "tf_efficientnet_lite2": 6.1,
    "tf_efficientnet_lite3": 8.2,
    "tf_efficientnet_lite4": 13.0,
}


@pytest.fixture(autouse=True, scope="module")
def no_memory() -> Iterator[None]:
    """Build nets without memory for their weights."""
    with torch.device("meta"):
        yield


@cache
def count(name: str) -> int:
    """Count the parameters of a net with its usual head."""
    digits = name == "lenet5"
    net = nets.build(name, outputs=10 if digits else 1000, channels=1 if digits else 3)
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("name", EXACT)
def test_counts_of_papers(name: str) -> None:
    assert count(name) == EXACT[name]


@pytest.mark.parametrize("name", TORCHVISION)
def test_counts_of_torchvision(name: str) -> None:
    weights = models.get_model_weights(TORCHVISION[name])
    assert count(name) == weights.IMAGENET1K_V1.meta["num_params"]


@pytest.mark.parametrize("name", PRINTED)
def test_counts_in_millions(name: str) -> None:
    assert round(count(name) / 1e6, 1) == PRINTED[name]
