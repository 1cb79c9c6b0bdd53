"""MNIST: handwritten digits, 60,000 to train on and 10,000 to test, 28×28 grey.

Y. LeCun, C. Cortes, C. Burges (1998). Checksums: torchvision ``datasets/mnist.py``.
"""

from __future__ import annotations

from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.sets._idx import read_idx

BASE = "https://ossci-datasets.s3.amazonaws.com/mnist/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
CLASSES = tuple("0123456789")


def read(root: Path | None = None) -> Dataset:
    """Return MNIST from idx files or class folders in ``root``, or downloaded."""
    return read_idx("mnist", root, BASE, CHECKSUMS, CLASSES)
