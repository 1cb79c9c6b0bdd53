"""How a run looks at pictures: the size, the channels and the light of what the net sees.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opsin.data.decode import decode, look
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.nets.weights import Weights
from opsin.recipe import Recipe

LOOKED_AT = 256  # pictures whose headers or pixels decide the frame
SMALL = 64  # pixels: pictures up to this side are learnt from as they are
LEAST = 28  # pixels: smaller pictures are enlarged, since nets for them halve several times

Light = tuple[tuple[float, ...], tuple[float, ...]]  # mean and spread of each of some channels


def frame_of_weights(weights: Weights, recipe: Recipe, more: Light = ((), ())) -> Preprocessing:
    """Return the frame a pretrained net wants, but showing the whole width of the picture.

    The centre cut of ImageNet testing (0.875) throws away what fills the frame in photographs of
    one thing: on clothes the cross-validated probe is at 0.884 without it and 0.862 with it.
    ``more`` is the light of channels that the weights know nothing of.
    """
    usual = weights.preprocessing
    mean, std = (*usual.mean, *more[0]), (*usual.std, *more[1])
    pre = replace(usual, crop=1.0, mean=mean, std=std)
    return pre if recipe.size is None else replace(pre, size=(recipe.size, recipe.size))


def fourth(samples: Sequence[Sample]) -> Light:
    """Return mean and spread of the fourth band where a run sees one, and of nothing elsewhere."""
    if bands(samples) < 4:
        return (), ()
    # Weights say how light the colours were that they learnt from; of this band only pictures can.
    (mean, std), _ = _light(samples, 4)
    return mean[3:], std[3:]


def bands(samples: Sequence[Sample]) -> int:
    """Return 4 where every picture that can be read has a fourth band, else 3.

    The first picture without one ends the search.
    """
    found = 3
    for sample in samples:
        try:
            found = look(sample.image).bands
        except DataError:
            continue
        if found == 3:
            break
    return found


def shapes(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Return (height, width) of up to ``LOOKED_AT`` pictures that can be read, evenly chosen."""
    found = []
    for sample in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            facts = look(sample.image)
        except DataError:
            continue
        found.append((facts.height, facts.width))
    if not found:
        raise DataError(
            f"{len(samples)} pictures, none of which could be read",
            expected="at least some whole pictures",
            remedy="See `opsin check` for what is wrong with each.",
        )
    return found


def frame_of_data(
    samples: Sequence[Sample], sizes: Sequence[tuple[int, int]], recipe: Recipe, channels: int
) -> Preprocessing:
    """Return a frame that fits the pictures: their own size if small (enlarged to 28), else 128.

    Mean and spread are those of the first ``channels`` (3 or 4) bands of the pictures; pictures
    without colour make a net of one channel.
    """
    height, width = (int(side) for side in np.median(sizes, axis=0))
    if recipe.size is not None:
        size = (recipe.size, recipe.size)
    else:
        enlarged = max(1.0, LEAST / min(height, width))
        own = (round(height * enlarged), round(width * enlarged))
        size = own if max(own) <= SMALL else (128, 128)
    (mean, std), grey = _light(samples, channels)
    seen = slice(0, 1) if grey else slice(None)
    return Preprocessing(
        size=size,
        crop=1.0,
        fit="cover",
        interpolation="bilinear",
        mean=mean[seen],
        std=std[seen],
    )


def _light(samples: Sequence[Sample], channels: int) -> tuple[Light, bool]:
    """Return mean and spread of the first C bands of some pictures, and whether all are grey."""
    means, squares, grey = [], [], channels == 3
    for sample in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            pixels = decode(sample.image)[:channels].astype(np.float32) / 255
        except DataError:
            continue
        means.append(pixels.mean((1, 2)))
        squares.append((pixels**2).mean((1, 2)))
        grey = grey and bool((pixels[0] == pixels[1]).all() and (pixels[0] == pixels[2]).all())
    mean = np.mean(means, axis=0)
    std = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, 1e-4))
    light = tuple(tuple(round(float(value), 4) for value in each) for each in (mean, std))
    return (light[0], light[1]), grey
