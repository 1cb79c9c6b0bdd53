"""Pictures and faults that the tests of this room share."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from opsin.events import Event

T = TypeVar("T")


def drained(events: Generator[Event, None, T]) -> tuple[T, list[Event]]:
    """Run a generator of events to its end; return what it returns and what it told."""
    told = []
    while True:
        try:
            told.append(next(events))
        except StopIteration as stop:
            return stop.value, told


def scene(seed: int, height: int = 96, width: int = 128) -> Image.Image:
    """Draw a smooth picture that looks like no other: noise of low frequency."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def put(path: Path, content: bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
