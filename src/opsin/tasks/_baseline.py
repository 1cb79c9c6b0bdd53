"""What can be had without a net: the honest rivals a report sets beside a model.

They work for any task, since all they know of an answer is ``task.guess`` and ``task.mistake``;
classical pipelines are in ``nets/classical``.

Shapes: N training and M test pictures, C channels, h and w pixels, D numbers a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.figures import Metric
from opsin.metrics import bootstrap
from opsin.results import Result
from opsin.tasks._task import Task

Pixels = NDArray[np.uint8]

BITS = {1: 6, 3: 3}  # of each channel that are kept: 64 greys, or 8 x 8 x 8 colours
GRID = 64  # pixels looked at along each side
BLOCK = 512  # pictures compared at once
NEIGHBOURS = (1, 3, 5, 9, 15)
TRIALS = 500  # training pictures the number of neighbours is chosen on


def guess(task: Task, train: Sequence[Result], test: Sequence[Result]) -> list[Result]:
    """Return the same best answer for each of the test pictures: majority class, or median."""
    return [task.guess(train)] * len(test)


def lead(
    task: Task, mine: Sequence[Result], theirs: Sequence[Result], truths: Sequence[Result]
) -> Metric:
    """Return how much better ``mine`` are than ``theirs`` for the same pictures, in ``better``.

    The interval is that of paired answers: pictures are drawn again with both answers to each, so
    that what both find hard does not count as chance (Efron & Tibshirani, An Introduction to the
    Bootstrap, 1993, section 8.6).
    """
    gaps = task.sign * (task.each(mine, truths) - task.each(theirs, truths))  # (n,)
    return bootstrap.metric(lambda rows: rows.mean(-1), gaps)


def neighbours(
    task: Task, train: Pixels, truths: Sequence[Result], test: Pixels, *, seed: int = 0
) -> list[Result]:
    """Answer for pictures (M, C, h, w) what those of train (N, C, h, w) alike in colour are.

    Likeness is that of colour histograms (Swain & Ballard, Color Indexing, 1991) by Hellinger's
    distance; how many neighbours are asked is chosen by their mistakes on training pictures.
    """
    if len(train) != len(truths) or len(train) < 2:
        raise DataError(
            f"{len(train)} pictures and {len(truths)} truths",
            expected="at least two pictures, each with its truth",
        )
    known, asked = histograms(train), histograms(test)
    some = np.random.default_rng((seed, 3)).permutation(len(train))[:TRIALS]
    most = min(max(NEIGHBOURS), len(train) - 1)
    # The nearest of a training picture is itself, or its twin: whichever it is, it is passed over.
    near = nearest(known[some], known, most + 1)
    others = [
        [place for place in row if place != own][:most] for row, own in zip(near, some, strict=True)
    ]

    def mistakes(k: int) -> float:
        said = (task.guess([truths[place] for place in row[:k]]) for row in others)
        return sum(task.mistake(s, truths[own]) for s, own in zip(said, some, strict=True))

    best = min((k for k in NEIGHBOURS if k <= most), key=mistakes)
    return [task.guess([truths[place] for place in row]) for row in nearest(asked, known, best)]


def histograms(pixels: Pixels) -> NDArray[np.float32]:
    """Return the square roots of the shares of colours in pictures (N, C, h, w), (N, D).

    >>> histograms(np.zeros((1, 3, 4, 4), np.uint8))[0, :2].tolist()
    [1.0, 0.0]
    """
    n, channels, height, width = pixels.shape
    bits = BITS.get(channels, max(1, 9 // channels))
    bins = 1 << (bits * channels)
    found = np.empty((n, bins), np.float32)
    steps = -(-height // GRID), -(-width // GRID)
    for start in range(0, n, BLOCK):
        seen = pixels[start : start + BLOCK, :, :: steps[0], :: steps[1]] >> (8 - bits)
        codes = np.zeros((len(seen), *seen.shape[2:]), np.int32)  # (B, h, w)
        for channel in range(channels):
            codes = (codes << bits) | seen[:, channel]
        codes += bins * np.arange(len(seen), dtype=np.int32)[:, None, None]
        counts = np.bincount(codes.ravel(), minlength=bins * len(seen)).reshape(-1, bins)
        found[start : start + BLOCK] = np.sqrt(counts / codes[0].size)
    return found


def nearest(asked: NDArray[np.float32], known: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return for each of asked (M, D) the ``k`` rows of known (N, D) most alike, (M, k).

    Both have rows of length 1, so the largest inner product is the smallest distance; of equals
    the first comes first.
    """
    found = np.empty((len(asked), k), np.int64)
    for start in range(0, len(asked), BLOCK):
        alike = asked[start : start + BLOCK] @ known.T  # (B, N)
        few = np.sort(np.argpartition(-alike, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(-np.take_along_axis(alike, few, axis=1), axis=1, kind="stable")
        found[start : start + BLOCK] = np.take_along_axis(few, order, axis=1)
    return found
