"""LeNet-5 on Fashion-MNIST with fastai, pictures in memory, batch transforms.

    python fastai_scratch.py FASHION_MNIST_IDX_FOLDER EPOCHS

Uses fastai's Learner with plain DataLoaders over tensors and its own batch flip and affine
transforms, which is its fastest documented way for small pictures.
"""

import gzip
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from fastai.vision.all import (
    Callback,
    CrossEntropyLossFlat,
    Datasets,
    IntToFloatTensor,
    Learner,
    Normalize,
    TensorCategory,
    TensorImage,
    accuracy,
    aug_transforms,
)
from plain_scratch import MEAN, STD, lenet5


class Clock(Callback):
    """Notes the seconds of each training epoch."""

    def before_train(self):
        self.began = time.monotonic()

    def after_train(self):
        self.learn.taken.append(time.monotonic() - self.began)


def read(folder, part):
    """Return pictures (N, 1, 28, 28) and labels."""
    images, labels = (
        gzip.decompress((Path(folder) / f"{part}-{kind}-ubyte.gz").read_bytes())
        for kind in ("images-idx3", "labels-idx1")
    )
    pictures = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy()
    return torch.from_numpy(pictures), np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def main():
    """Train and print one line of JSON."""
    folder, epochs = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(2)
    images, labels = read(folder, "train")
    more, truths = read(folder, "t10k")
    images, labels = torch.cat([images, more]), np.concatenate([labels, truths])
    items = list(range(len(labels)))
    picture = lambda i: TensorImage(images[i])  # noqa: E731
    label = lambda i: TensorCategory(labels[i])  # noqa: E731
    splits = (items[: -len(truths)], items[-len(truths) :])
    data = Datasets(items, [[picture], [label]], splits=splits)
    light = aug_transforms(max_rotate=0, max_zoom=1.07, max_lighting=0, max_warp=0)
    batch = [IntToFloatTensor(), *light, Normalize.from_stats([MEAN], [STD], cuda=False)]
    loaders = data.dataloaders(bs=256, after_batch=batch, num_workers=2)
    learner = Learner(loaders, lenet5(), loss_func=CrossEntropyLossFlat(), metrics=accuracy)
    learner.add_cb(Clock())
    learner.taken = []
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, 1e-3)
        _, right = learner.validate()
    rate = 60_000 * (epochs - 1) / sum(learner.taken[1:])
    print(json.dumps({"images_per_second": rate, "test_accuracy": float(right)}))


if __name__ == "__main__":
    main()
