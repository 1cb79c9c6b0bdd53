"""A LeNet on idx files with a DataLoader and the loop of every tutorial.

python plain_scratch.py IDX_FOLDER EPOCHS NET
"""

import json
import sys
import time

import torch
from digits import lenet, read
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

MEAN, STD = 0.286, 0.353


class Pictures(Dataset):
    """Augments picture by picture, as tutorials do."""

    def __init__(self, folder, part, transform):
        images, self.labels = read(folder, part)
        self.images, self.transform = torch.from_numpy(images), transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]


def main():
    """Train and print one line of JSON."""
    folder, epochs, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(2)
    torch.manual_seed(0)
    final = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([MEAN], [STD])]
    train = Pictures(folder, "train", v2.Compose([v2.RandomCrop(28, padding=1), *final]))
    test = Pictures(folder, "t10k", v2.Compose(final))
    loader = DataLoader(train, batch_size=256, shuffle=True, num_workers=2, persistent_workers=True)
    net, loss = lenet(name), nn.CrossEntropyLoss()
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
