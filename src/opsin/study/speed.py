"""How long a row's model takes for one picture: from its file, or its pixels, to the answer.

Pictures go one after the other, as a camera gives them. They are held-out ones as they came, kept
beside the decoded pixels of a study, so that decoding is part of the time wherever a row is worked
on.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from opsin.data.sample import Sample
from opsin.model import Model

if TYPE_CHECKING:
    from opsin.data.sample import Source

MOST = 32  # pictures
ROOM = 64 << 20  # bytes of them
SECONDS = 3.0  # after which no further picture is begun


def originals(samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Return some held-out pictures as they came: the bytes of a file (n,), or pixels.

    They are spread over the test pictures, or where there are none over the validation pictures.
    """
    held = [s.image for s in samples if s.split == "test"]
    held = held or [s.image for s in samples if s.split == "validation"]
    found: dict[str, Tensor] = {}
    room = ROOM
    for place in sorted(
        {*np.linspace(0, len(held) - 1, MOST).astype(int).tolist()} if held else ()
    ):
        plain = _plain(held[place])
        room -= plain.nbytes
        if found and room < 0:
            break
        found[_name(len(found))] = torch.from_numpy(plain)
    return found


def _plain(source: Source) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a picture as an array of its own: (n,) bytes of a file, or pixels."""
    if isinstance(source, np.ndarray):
        return np.array(source)
    raw = source.read_bytes() if isinstance(source, Path) else source
    return np.frombuffer(raw, np.uint8).copy()


def restored(tensors: dict[str, Tensor], many: int) -> tuple[Source, ...]:
    """Return the pictures that ``originals`` kept.

    >>> kept = originals([Sample(b"GIF", split="test"), Sample(b"JPEG", split="train")])
    >>> restored(kept, len(kept))
    (b'GIF',)
    """
    arrays = (tensors[_name(place)].numpy() for place in range(many))
    return tuple(array.tobytes() if array.ndim == 1 else array for array in arrays)


def _name(place: int) -> str:
    """Return what a picture is called among the tensors of a study."""
    return f"original-{place}"


def measure(model: Model, pictures: Sequence[Source], seconds: float = SECONDS) -> dict[str, Any]:
    """Return the median milliseconds a picture takes alone, over how many, and what ran the net.

    The first picture warms up and is taken again. After ``seconds`` no further one is begun.
    """
    model.predict(pictures[0])
    taken: list[float] = []
    began = time.perf_counter()
    for picture in pictures:
        start = time.perf_counter()
        if taken and start - began > seconds:
            break
        model.predict(picture)
        taken.append(time.perf_counter() - start)
    return {
        "milliseconds": round(1000 * statistics.median(taken), 4),
        "pictures": len(taken),
        "runtime": model.runtime.name,
    }
