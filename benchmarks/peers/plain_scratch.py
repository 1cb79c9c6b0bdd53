"""LeNet-5 on Fashion-MNIST with a DataLoader and the loop of every tutorial.

python plain_scratch.py FASHION_MNIST_IDX_FOLDER EPOCHS
"""

import gzip
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

MEAN, STD = 0.286, 0.353


class Fashion(Dataset):
    """Reads idx files and augments picture by picture, as tutorials do."""

    def __init__(self, folder, part, transform):
        images, labels = (
            gzip.decompress((Path(folder) / f"{part}-{kind}-ubyte.gz").read_bytes())
            for kind in ("images-idx3", "labels-idx1")
        )
        self.images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy()
        self.labels = np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(torch.from_numpy(self.images[index])), self.labels[index]


def lenet5():
    """Return LeNet-5 with ReLU and max pooling, 61,706 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def main():
    """Train and print one line of JSON."""
    folder, epochs = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(2)
    torch.manual_seed(0)
    final = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([MEAN], [STD])]
    light = [v2.RandomHorizontalFlip(), v2.RandomCrop(28, padding=2)]
    train = Fashion(folder, "train", v2.Compose([*light, *final]))
    test = Fashion(folder, "t10k", v2.Compose(final))
    loader = DataLoader(train, batch_size=256, shuffle=True, num_workers=2, persistent_workers=True)
    net, loss = lenet5(), nn.CrossEntropyLoss()
    descent = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    seconds = []
    for _ in range(epochs):
        began = time.monotonic()
        for images, labels in loader:
            descent.zero_grad()
            loss(net(images), labels).backward()
            descent.step()
        seconds.append(time.monotonic() - began)
    right = 0
    with torch.inference_mode():
        for images, labels in DataLoader(test, batch_size=1000):
            right += int((net(images).argmax(1) == labels).sum())
    rate = len(train) * (epochs - 1) / sum(seconds[1:])
    print(json.dumps({"images_per_second": rate, "test_accuracy": right / len(test)}))


if __name__ == "__main__":
    main()
