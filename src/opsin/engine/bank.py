"""Activations that would fill the memory, on disk, read a batch at a time.

Plain reads instead of a memory map: what the system caches of the file then does not count as the
memory of this process.

Shapes: V views of N samples, each an activation of shape S stored as bf16.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.errors import DataError


class Bank:
    """Holds V x N activations of one shape in a file; ``write`` fills it, ``read`` takes some back.

    The file is scratch: a run that was killed computes it again.
    """

    def __init__(self, path: Path, views: int, samples: int, shape: tuple[int, ...]) -> None:
        self.views, self.samples, self.shape = views, samples, shape
        self.bytes = 2 * math.prod(shape)
        self._file = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            _take(self._file, max(1, views * samples * self.bytes))
        except OSError as error:
            if self._file >= 0:
                os.close(self._file)
                path.unlink(missing_ok=True)
            gigabytes = views * samples * self.bytes / 1e9
            raise DataError(
                f"{error.strerror} for {gigabytes:.1f} GB of activations in {path.parent}",
                expected="room for them",
                remedy="Free some disk space, choose another --out, or use --policy probe.",
            ) from error

    def write(self, view: int, first: int, activations: NDArray[np.float32]) -> None:
        """Store activations (B, ...) of the samples from ``first`` on."""
        packed = torch.from_numpy(activations).to(torch.bfloat16).contiguous()
        raw = packed.view(torch.int16).numpy().tobytes()
        at = (view * self.samples + first) * self.bytes
        while raw:
            done = os.pwrite(self._file, raw, at)
            raw, at = raw[done:], at + done

    def read(self, views: Sequence[int], samples: Sequence[int]) -> Tensor:
        """Return the activations (B, ...) in bf16 of some samples, each in its given view."""
        found = np.empty((len(samples), self.bytes), np.uint8)
        for row, view, sample in zip(found, views, samples, strict=True):
            os.preadv(self._file, [row.data], (view * self.samples + sample) * self.bytes)
        numbers = torch.from_numpy(found.view(np.int16))
        return numbers.view(torch.bfloat16).view(len(samples), *self.shape)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _take(file: int, length: int) -> None:
    """Take room for ``length`` bytes now, so that a full disk is known before any work is done."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, length)
        return
    for start in range(0, length, 1 << 24):  # macOS: writing is the only way to be sure
        os.pwrite(file, bytes(min(1 << 24, length - start)), start)
