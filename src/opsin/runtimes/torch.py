"""Plain torch: runs everywhere, on a GPU fastest; the reference for every other runtime.

Pictures go through in chunks of one fixed size, the last one filled up: kernels are chosen by
shape, and only equal shapes give equal bits whatever the batch. On a processor chunks of large
pictures are small: a lone one of 320 pixels took a Faster R-CNN 543 ms in a chunk of 8 and 62 ms by
itself, and 16 of them 72 and 67 ms each (one core of a Zen 4, once).

Shapes: N pictures, C channels, h and w of the net's input, B pictures in a chunk.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from opsin.data.preprocess import Preprocessing
from opsin.runtimes._runtime import Normalised, expect

if TYPE_CHECKING:
    from opsin.runtimes._runtime import Outputs, Pictures

CHUNK = {"cpu": 8, "cuda": 64}  # pictures at most
FILLED = {"cpu": 400_000, "cuda": 1 << 40}  # numbers at most: one photo of 320 x 320 pixels


def available(device: str) -> bool:
    """Say whether torch can compute there."""
    return device == "cpu" or torch.cuda.is_available()


def precisions(device: str) -> list[str]:
    """Return bf16 first where the processor has it."""
    if device == "cuda":
        return ["bf16", "float32"] if torch.cuda.is_bf16_supported() else ["float32"]
    return ["bf16", "float32"] if _cpu_has_bf16() else ["float32"]


def _cpu_has_bf16() -> bool:
    """Ask torch whether this processor multiplies bf16 in hardware (AVX-512 BF16 or AMX)."""
    asked = (
        getattr(torch.cpu, f"_is_{kind}_supported", None) for kind in ("avx512_bf16", "amx_tile")
    )
    return any(bool(ask()) for ask in asked if ask is not None)


class Torch:
    """Runs a copy of a net, in chunks of fixed size."""

    def __init__(self, net: nn.Module, pre: Preprocessing, device: str, precision: str) -> None:
        self.device, self.precision = device, precision
        self.name = f"torch on {device} in {precision}"
        self.shape = (pre.channels, *pre.size)
        self.together = min(CHUNK[device], max(1, FILLED[device] // math.prod(self.shape)))
        ready = Normalised(copy.deepcopy(net), pre).eval().to(device)
        self.net = ready.to(memory_format=torch.channels_last)

    def run(self, images: Pictures) -> Outputs:
        """Return what the net gives for pictures (N, C, h, w): an array (N, ...)."""
        images = expect(images, self.shape)
        size = self.together
        found = [self._chunk(images[i : i + size], size) for i in range(0, len(images), size)]
        return np.concatenate(found) if found else self._chunk(images, size)

    def _chunk(self, images: Pictures, size: int) -> Outputs:
        """Return the outputs of up to B pictures, run as exactly B."""
        full = np.zeros((size, *self.shape), np.uint8)
        full[: len(images)] = images
        batch = torch.from_numpy(full).to(self.device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), self._arithmetic():
            outputs = self.net(batch)[: len(images)].float().contiguous()
        found: Outputs = outputs.cpu().numpy()
        return found

    def _arithmetic(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Outputs]:
        """Yield the outputs of each batch (n, C, h, w), in order."""
        for images in batches:
            yield self.run(images)


def load(net: nn.Module, pre: Preprocessing, *, device: str, precision: str) -> Torch:
    """Make a copy of the net ready to run."""
    return Torch(net, pre, device, precision)
