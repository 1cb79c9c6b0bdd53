"""A LeNet on idx files with fastai, pictures in memory, batch transforms.

    python fastai_scratch.py IDX_FOLDER EPOCHS NET

Uses fastai's Learner with plain DataLoaders over tensors and its own batch flip and affine
transforms, which is its fastest documented way for small pictures.
"""

import json
import sys
import time

import numpy as np
import torch
from digits import lenet, read
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
from plain_scratch import MEAN, STD


class Clock(Callback):
    """Notes the seconds of each training epoch."""

    def before_train(self):
        self.began = time.monotonic()

    def after_train(self):
        self.learn.taken.append(time.monotonic() - self.began)


def main():
    """Train and print one line of JSON."""
    folder, epochs, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(2)
    images, labels = read(folder, "train")
    more, truths = read(folder, "t10k")
    images, labels = (
        torch.from_numpy(np.concatenate([images, more])),
        np.concatenate([labels, truths]),
    )
    items = list(range(len(labels)))
    picture = lambda i: TensorImage(images[i])  # noqa: E731
    label = lambda i: TensorCategory(labels[i])  # noqa: E731
    splits = (items[: -len(truths)], items[-len(truths) :])
    data = Datasets(items, [[picture], [label]], splits=splits)
    light = aug_transforms(do_flip=False, max_rotate=0, max_zoom=1.07, max_lighting=0, max_warp=0)
    batch = [IntToFloatTensor(), *light, Normalize.from_stats([MEAN], [STD], cuda=False)]
    loaders = data.dataloaders(bs=256, after_batch=batch, num_workers=2)
    learner = Learner(loaders, lenet(name), loss_func=CrossEntropyLossFlat(), metrics=accuracy)
    learner.add_cb(Clock())
    learner.taken = []
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, 1e-3)
        _, right = learner.validate()
    rate = 60_000 * (epochs - 1) / sum(learner.taken[1:])
    print(json.dumps({"images_per_second": rate, "test_accuracy": float(right)}))


if __name__ == "__main__":
    main()
