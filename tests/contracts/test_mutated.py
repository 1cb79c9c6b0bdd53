"""Damaged pictures through a model: whatever their bytes, an answer or an error for each."""

from __future__ import annotations

import io
import resource
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import opsin
from opsin.data.samples import shapes

pytestmark = pytest.mark.contracts

N = 5000
MOST = 1 << 30  # bytes by which memory may grow; one picture of 200 megapixels takes 0.6 GB
WRITTEN = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "WebP": {"quality": 80},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "GIF": {},
}


def seeds() -> list[bytes]:
    """Return small whole files: six formats, colour, grey and transparent, one with EXIF."""
    files = []
    for index, sample in enumerate(shapes.read(3, seed=5, side=40).samples):
        assert isinstance(sample.image, np.ndarray)
        image = Image.fromarray(np.ascontiguousarray(sample.image.transpose(1, 2, 0)))
        exif = Image.Exif()
        exif[0x0112] = 6
        for name, options in WRITTEN.items():
            some = image if index != 1 else image.convert("L")
            if index == 2 and name in ("PNG", "WebP", "TIFF"):
                some = image.convert("RGBA")
            more = {"exif": exif} if name in ("JPEG", "PNG", "WebP", "TIFF") else {}
            buffer = io.BytesIO()
            some.save(buffer, name, **options, **more)
            files.append(buffer.getvalue())
    return files


def mutated(whole: bytes, draws: np.random.Generator) -> bytes:
    """Damage a file in one of five ways, as disks, cables and attackers do."""
    raw, kind = bytearray(whole), draws.integers(5)
    if kind == 0:  # some bytes anywhere
        for at in draws.integers(len(raw), size=draws.integers(1, 20)):
            raw[at] = draws.integers(256)
    elif kind == 1:  # the end is missing
        del raw[draws.integers(len(raw)) :]
    elif kind == 2:  # numbers in the header, where sizes and offsets are
        at = int(draws.integers(min(64, len(raw) - 4)))
        number = int(draws.choice([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
        raw[at : at + 4] = struct.pack(draws.choice(["<I", ">I"]), number)
    elif kind == 3:  # a piece is lost
        at = int(draws.integers(len(raw)))
        del raw[at : at + int(draws.integers(1, 200))]
    else:  # a piece comes twice
        at = int(draws.integers(len(raw)))
        raw[at:at] = raw[at : at + int(draws.integers(1, 200))]
    return bytes(raw)


def test_5000_mutated_pictures_get_an_answer_or_an_error_each(trained: Path) -> None:
    model, files = opsin.Model.load(trained), seeds()
    draws = np.random.default_rng(5000)
    whole = [model.predict([file])[0].result for file in files]
    assert None not in whole
    asked = 0

    def sources() -> Iterator[tuple[str, bytes]]:
        nonlocal asked
        for index in range(N):  # every tenth is whole, so that a shift of answers would be seen
            file = files[index % len(files)]
            asked += 1
            yield str(index), file if index % 10 == 0 else mutated(file, draws)

    model.predict([mutated(file, draws) for file in files])  # what is loaded once is loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends: Counter[str] = Counter()
    for index, said in enumerate(model.stream(sources())):
        assert said.path == str(index)
        assert (said.result is None) != (said.error is None)
        assert asked <= index + 4 * 64  # read ahead by blocks, not all at once
        if index % 10 == 0:
            assert said.result == whole[index % len(files)]
        if said.error is not None:
            assert said.error.startswith("received ") and "\n" not in said.error
        ends["error" if said.error else "answer"] += 1
    assert sum(ends.values()) == N
    assert min(ends["error"], ends["answer"]) > N // 10
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST
    print(ends, f"{grown / 1e6:.0f} MB")
