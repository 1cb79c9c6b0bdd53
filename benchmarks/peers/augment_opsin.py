"""Our chains, called as the feed of a training run calls them."""

import itertools

import torch
from augment_cases import LINES, MEAN, STD, THREADS, main

from opsin.augment import parse
from opsin.engine import heap


def make(case):
    """Return the work of a case: draw, and apply."""
    chain, steps = parse(LINES[case]), itertools.count()
    out = (28, 28) if case.startswith("28") else (224, 224)

    def work(pixels):
        draw = chain.draw_for(pixels, out, (0, next(steps)))
        channels = pixels.shape[1]
        return draw.images(pixels, (MEAN,) * channels, (STD,) * channels)

    return work


def ready(plain):
    """Return pictures as our memory maps hold them: channels last, seen as (N, C, H, W)."""
    return torch.from_numpy(plain).contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    heap.keep()
    main(make, ready)
