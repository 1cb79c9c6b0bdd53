"""How many pictures a second a net takes on this machine, by name.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from math import prod

import numpy as np
import torch

from opsin import nets
from opsin.data.preprocess import Preprocessing
from opsin.events import Advanced, Event, Finished, Note, Started
from opsin.nets import _speeds
from opsin.nets._named import blueprint
from opsin.nets._speeds import Speed
from opsin.nets.weights import locate
from opsin.runtimes._choice import fastest, throughput

TOGETHER = 4_000_000  # numbers of the pictures run together: 26 of 224×224×3
FEWEST, MOST = 8, 512  # pictures of them
TIMES, SECONDS = 3, 0.5  # the best of so many measurements, each of so long


def measure(name: str) -> Speed:
    """Return how many pictures of its own size a net takes a second, forward.

    It is the fastest runtime that agrees with plain torch, and the best of three measurements:
    what neighbours take is no property of the net. Weights that lie on this machine are used, else
    fresh ones; for speed it is all the same, for agreement it may not be.
    """
    drawn = blueprint(name)
    torch.manual_seed(0)
    net = nets.build(name, outputs=1000, channels=drawn.channels, size=drawn.size).eval()
    if drawn.channels == 3 and (weights := locate(nets.canonical(name))):
        weights.load(net)
    grey = (0.5,) * drawn.channels
    pre = Preprocessing(drawn.size, mean=grey, std=grey)
    runtime = fastest(net, pre)
    shape = (drawn.channels, *drawn.size)
    many = min(MOST, max(FEWEST, TOGETHER // prod(shape)))
    pictures = np.random.default_rng(0).integers(0, 256, (many, *shape), dtype=np.uint8)
    rates = [throughput(runtime, pictures, seconds=SECONDS) for _ in range(TIMES)]
    return Speed(round(max(rates), 1), runtime.name)


def measure_all(names: Sequence[str]) -> Generator[Event, None, dict[str, Speed]]:
    """Measure nets one after the other and remember each at once; tell what was measured.

    A net that cannot be run here, for want of memory say, is passed over with a note.
    """
    began, found = time.perf_counter(), {}
    yield Started("speed", len(names), "nets")
    for name in names:
        try:
            found[name] = measure(name)
        except (RuntimeError, MemoryError) as error:
            yield Note(f"{name} cannot be run here: {error}")
        else:
            _speeds.remember(name, found[name])
            yield Note(f"{name}: {found[name].rate:,.0f} images/s ({found[name].runtime})")
        yield Advanced("speed")
    yield Finished("speed", time.perf_counter() - began, f"{len(found)} nets measured")
    return found
