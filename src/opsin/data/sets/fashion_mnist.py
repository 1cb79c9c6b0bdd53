"""Fashion-MNIST: pictures of clothes, 60,000 to train on and 10,000 to test, 28×28 grey.

H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747 (MIT). Checksums: their README.
"""

from __future__ import annotations

from pathlib import Path

from opsin.data.dataset import Dataset
from opsin.data.sets._idx import read_idx

BASE = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def read(root: Path | None = None) -> Dataset:
    """Return Fashion-MNIST from idx files or class folders in ``root``, or downloaded."""
    return read_idx("fashion_mnist", root, BASE, CHECKSUMS, CLASSES)
