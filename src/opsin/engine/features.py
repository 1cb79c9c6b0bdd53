"""What frozen layers say about pictures, computed once by the fastest runtime.

Shapes: N pictures, C channels, h and w of the net's input, F features.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from opsin.engine.clock import Clock
from opsin.events import Advanced, Event, Finished, Started
from opsin.runtimes import Runtime

BLOCK = 64  # images handed to the runtime, and told, at a time


def blocks(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Cut pictures (N, C, h, w) into contiguous blocks, so that a memory map is read in passing."""
    for start in range(0, len(images), BLOCK):
        yield np.ascontiguousarray(images[start : start + BLOCK])


def compute(
    runtime: Runtime, images: NDArray[np.uint8], clock: Clock, *, part: str = "features"
) -> Generator[Event, None, NDArray[np.float32]]:
    """Return what the runtime's net gives for pictures (N, C, h, w), telling the progress."""
    yield Started(part, len(images))
    began, found = clock.spent(), []
    for outputs in runtime.stream(blocks(images)):
        found.append(outputs)
        yield Advanced(part, len(outputs))
    yield Finished(part, clock.spent() - began, f"{len(images)} images, {runtime.name}")
    return np.concatenate(found)
