"""albumentations (2.0.8, the last under MIT) on arrays, picture by picture, in two threads.

OpenCV lets go of the interpreter, so two threads with a pipeline each are its best use of two cores
for large pictures; for small ones one thread is as fast, and the better of both counts.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import albumentations as al
import cv2
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from augment_cases import MEAN, STD, THREADS, main

REFLECT = cv2.BORDER_REFLECT
STEPS = {
    "28 rotate": lambda: [al.Affine(rotate=(-15, 15), border_mode=REFLECT, p=1)],
    "28 elastic": lambda: [al.ElasticTransform(alpha=34, sigma=4, p=1)],
    "28 chain": lambda: [
        al.Affine(rotate=(-15, 15), translate_percent=(-0.1, 0.1), border_mode=REFLECT, p=1),
        al.ElasticTransform(alpha=34, sigma=4, p=1),
    ],
    "224 rotate": lambda: [al.Affine(rotate=(-15, 15), border_mode=REFLECT, p=1)],
    "224 flip": lambda: [al.HorizontalFlip()],
    "224 color": lambda: [al.ColorJitter((0.7, 1.3), (0.7, 1.3), (0.7, 1.3), (0, 0), p=1)],
    "224 perspective": lambda: [al.Perspective((0.0, 0.15), keep_size=True, p=1)],
    "224 chain": lambda: [
        al.Affine(
            rotate=(-15, 15),
            translate_percent=(-0.1, 0.1),
            scale=(0.8, 1.2),
            shear={"x": (-10, 10), "y": (0, 0)},
            border_mode=REFLECT,
            p=1,
        ),
        al.RandomCrop(224, 224),
        al.HorizontalFlip(),
        al.ColorJitter((0.7, 1.3), (0.7, 1.3), (0.7, 1.3), (0, 0), p=1),
    ],
}


def make(case):
    """Return the work of a case: a pipeline a thread."""
    channels = 1 if case.startswith("28") else 3
    final = [al.Normalize((MEAN,) * channels, (STD,) * channels), ToTensorV2()]
    threads = THREADS if "threads" in sys.argv else 1
    pipelines = [al.Compose([*STEPS[case](), *final]) for _ in range(threads)]
    pool = ThreadPoolExecutor(threads)

    def part(pipeline, images):
        return [pipeline(image=image)["image"] for image in images]

    def work(batch):
        parts = np.array_split(batch, threads)
        done = list(pool.map(part, pipelines, parts))
        return torch.stack([image for some in done for image in some])

    return work


def ready(plain):
    """Return pictures as (N, H, W, C)."""
    return np.ascontiguousarray(plain.transpose(0, 2, 3, 1))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    cv2.setNumThreads(1 if "threads" in sys.argv else THREADS)
    main(make, ready)
