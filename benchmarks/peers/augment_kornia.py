"""kornia's augmentations on batches of tensors: each picture has its own draw."""

import torch
from augment_cases import MEAN, STD, THREADS, main
from kornia import augmentation as k

ELASTIC = {"kernel_size": (33, 33), "sigma": (4.0, 4.0), "p": 1.0}


def elastic(side):
    """Return the elastic transform; its alpha is in halves of the side."""
    return k.RandomElasticTransform(alpha=(68.0 / side, 68.0 / side), **ELASTIC)


STEPS = {
    "28 rotate": [k.RandomAffine(15.0, p=1.0)],
    "28 elastic": [elastic(28)],
    "28 chain": [k.RandomAffine(15.0, (0.1, 0.1), p=1.0), elastic(28)],
    "224 rotate": [k.RandomAffine(15.0, p=1.0)],
    "224 flip": [k.RandomHorizontalFlip()],
    "224 color": [k.ColorJiggle(0.3, 0.3, 0.3, p=1.0)],
    "224 perspective": [k.RandomPerspective(0.3, p=1.0)],
    "224 chain": [
        k.RandomAffine(15.0, (0.1, 0.1), (0.8, 1.2), 10.0, p=1.0),
        k.RandomCrop((224, 224)),
        k.RandomHorizontalFlip(),
        k.ColorJiggle(0.3, 0.3, 0.3, p=1.0),
    ],
}


def make(case):
    """Return the work of a case."""
    channels = 1 if case.startswith("28") else 3
    mean, std = torch.full((channels,), MEAN), torch.full((channels,), STD)
    chain = k.AugmentationSequential(*STEPS[case], k.Normalize(mean, std), data_keys=["input"])
    return lambda batch: chain(batch.float() / 255)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    with torch.inference_mode():
        main(make, torch.from_numpy)
