"""What the peers share: the idx files, the nets and the shift, as tutorials write them."""

import gzip
from pathlib import Path

import numpy as np

# Filters of the two 5×5 convolutions (the first padded by 2), then the dense layers.
NETS = {"lenet5": (6, 16, (120, 84)), "lenet-8-32": (8, 32, (128,))}


def read(folder, part):
    """Return pictures (N, 1, 28, 28) and labels of ``train`` or ``t10k``."""
    images, labels = (
        gzip.decompress((Path(folder) / f"{part}-{kind}-ubyte.gz").read_bytes())
        for kind in ("images-idx3", "labels-idx1")
    )
    pictures = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy()
    return pictures, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def lenet(name):
    """Return a LeNet with ReLU and max pooling in PyTorch."""
    from torch import nn

    first, second, dense = NETS[name]
    layers = [
        nn.Conv2d(1, first, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(first, second, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    ]  # fmt: skip
    width = 25 * second
    for units in dense:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 10))
