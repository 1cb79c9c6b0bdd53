"""torchvision's transforms v2 on tensors.

python augment_torchvision.py [together]

Its transforms draw once a call: to draw for each picture they are called for each. With
``together`` a batch is one call, so that all its pictures get the same draw: less than what is
asked, and shown beside for that reason.
"""

import sys

import torch
from augment_cases import MEAN, STD, THREADS, main
from torchvision.transforms import v2

ELASTIC = v2.ElasticTransform(alpha=68.0, sigma=4.0)  # its alpha is in half pixels
STEPS = {
    "28 rotate": [v2.RandomAffine(15, interpolation=v2.InterpolationMode.BILINEAR)],
    "28 elastic": [ELASTIC],
    "28 chain": [
        v2.RandomAffine(15, (0.1, 0.1), interpolation=v2.InterpolationMode.BILINEAR),
        ELASTIC,
    ],
    "224 rotate": [v2.RandomAffine(15, interpolation=v2.InterpolationMode.BILINEAR)],
    "224 flip": [v2.RandomHorizontalFlip()],
    "224 color": [v2.ColorJitter(0.3, 0.3, 0.3)],
    "224 perspective": [v2.RandomPerspective(0.3, p=1.0)],
    "224 chain": [
        v2.RandomAffine(
            15, (0.1, 0.1), (0.8, 1.2), 10, interpolation=v2.InterpolationMode.BILINEAR
        ),
        v2.RandomCrop(224),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.3, 0.3, 0.3),
    ],
}


def make(case):
    """Return the work of a case."""
    channels = 1 if case.startswith("28") else 3
    final = [
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([MEAN] * channels, [STD] * channels),
    ]
    if "together" in sys.argv:
        return v2.Compose([*STEPS[case], *final])
    each, finish = v2.Compose(STEPS[case]), v2.Compose(final)
    return lambda batch: finish(torch.stack([each(one) for one in batch]))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    main(make, torch.from_numpy)
