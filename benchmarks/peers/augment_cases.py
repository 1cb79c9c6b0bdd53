"""What every contestant of augment.py does, how it is timed, and the pictures it is done to.

A case takes uint8 pictures in memory, (N, C, H, W), to a normalised float32 tensor (N, C, h, w),
each picture with draws of its own. Strengths are those of the lines below.
"""

import json
import os
import time

import numpy as np

LINES = {
    "28 rotate": "rotate 15",
    "28 elastic": "elastic 34 4",
    "28 chain": "rotate 15, translate 0.1, elastic 34 4",
    "224 rotate": "rotate 15",
    "224 flip": "flip",
    "224 color": "color 0.3",
    "224 perspective": "perspective 0.3",
    "224 chain": "rotate 15, translate 0.1, scale 0.8 1.2, shear 10, crop, flip, color 0.3",
}
BATCHES = (1, 128)
MEAN, STD = 0.4, 0.25  # of every channel
SECONDS, FEWEST = 0.25, 3  # a case is timed for so long, and for so many batches


def pictures(case, batch):
    """Return smooth pictures (N, C, H, W), uint8; those of the crop are larger than the window."""
    small = case.startswith("28")
    side = 28 if small else 256 if "chain" in case else 224
    random = np.random.default_rng(0)
    coarse = random.random((batch, 1 if small else 3, 8, 8))
    grid = np.linspace(0, 7, side).astype(int)
    return (coarse[:, :, grid][:, :, :, grid] * 255).astype(np.uint8)


def main(make, ready):
    """Time every case that ``make(case)`` returns a function for; print one line of JSON.

    ``ready(pictures)`` brings them into the layout that a contestant likes, which is not timed.
    """
    rates = {}
    for case in LINES:
        work = make(case)
        side = 28 if case.startswith("28") else 224
        for batch in BATCHES if work else ():
            plain = pictures(case, batch)
            shape = (*plain.shape[:2], side, side)
            rates[f"{case} batch {batch}"] = rate(work, ready(plain), shape)
    print(json.dumps(rates))


def rate(work, batch, shape):
    """Return the images a second of ``work``, from the median of its batches."""
    found = work(batch)
    assert tuple(found.shape) == shape, found.shape
    assert str(found.dtype) == "torch.float32"
    work(batch)
    took, began = [], time.perf_counter()
    while len(took) < FEWEST or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        work(batch)
        took.append(time.perf_counter() - start)
    return len(batch) / sorted(took)[len(took) // 2]


THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
