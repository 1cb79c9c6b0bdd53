"""Boxes that are proposed, each cut out, brought to the classifier's size and judged, in blocks.

Shapes: an image (B, H, W) of the bands the net sees, three for grey; n boxes (n, 4) in its pixels,
scores (n, K) of all classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from opsin import plugins
from opsin.errors import RecipeError
from opsin.locate.frames import Floats, objects, squares, widening
from opsin.locate.ways import Way
from opsin.proposals import sliding
from opsin.proposals._proposal import patches

if TYPE_CHECKING:
    from opsin.model import Model

    Pixels = NDArray[np.uint8]

NUMBERS = 30_000_000  # of pixels times colours in a block: 30 MB, whatever the size of a patch
LUMA = np.array([19595, 38470, 7471], np.uint32)  # ITU-R 601 in 1 / 2^16, as Pillow rounds it


def judged(
    model: Model, image: Pixels, way: Way, context: float
) -> Iterator[tuple[Floats, Floats]]:
    """Yield boxes (n, 4) of what may be objects, with the scores (n, K) of what each shows."""
    pre = model.preprocessing
    most = max(16, NUMBERS // (len(image) * pre.working[0] * pre.working[1]))
    for boxes, windows in _proposed(image, way, context):
        for first in range(0, len(boxes), most):
            part = slice(first, first + most)
            pixels = patches(image, windows[part], pre.working)
            outputs = model.outputs(luma(pixels) if pre.channels == 1 else pixels)
            yield boxes[part], scores(model, outputs)


def scores(model: Model, outputs: NDArray[np.float32]) -> Floats:
    """Return the probabilities (n, K) of all classes that outputs (n, K) stand for."""
    found: Floats = model.task.opinions(torch.from_numpy(outputs)).numpy()
    return found


def luma(pixels: Pixels) -> Pixels:
    """Return grey (N, 1, h, w) of pictures (N, 3, h, w), as where grey pictures are decoded.

    >>> luma(np.full((1, 3, 1, 1), 200, np.uint8)).tolist()
    [[[[200]]]]
    """
    total = np.einsum("nchw,c->nhw", pixels.astype(np.uint32), LUMA)
    grey: Pixels = ((total + 0x8000) >> 16).astype(np.uint8)[:, None]
    return grey


def _proposed(image: Pixels, way: Way, context: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield boxes of objects (n, 4) with the windows (n, 4) that show them and their context."""
    size = image.shape[1], image.shape[2]
    if isinstance(way.settings, sliding.Settings):
        wider = tuple(scale * widening(context) for scale in way.settings.scales)
        for windows in sliding.windows(size, replace(way.settings, scales=wider)):
            yield objects(windows, context), windows
        return
    room = plugins.load("opsin.proposals", way.name, "way to propose", RecipeError)
    boxes = room.propose(image[:3], way.settings).boxes
    yield boxes, squares(boxes, size, context)
