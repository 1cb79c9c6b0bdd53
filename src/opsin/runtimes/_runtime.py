"""The contract of a runtime: how a net is run forward, fast, on pictures as they lie in memory.

A runtime is one file here, found by its name, with one function ``load``. What it returns takes
uint8 pictures at the net's input size and gives float32 arrays; the normalisation is part of it.
What it says of a picture never depends on the pictures beside it, nor on how many there are.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from opsin import plugins
from opsin.data.preprocess import Preprocessing
from opsin.errors import ModelError, RecipeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = NDArray[np.uint8]
    Outputs = NDArray[np.float32]


class Runtime(Protocol):
    """Is a net made ready to run forward."""

    name: str  # what runs it, on what, in which arithmetic
    device: str  # cpu or cuda
    precision: str  # float32 or bf16
    together: int  # pictures it takes at a time: more of them at once are no faster

    def run(self, images: Pictures) -> Outputs:
        """Return what the net gives for pictures (N, C, h, w): an array (N, ...)."""

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Outputs]:
        """Yield the outputs of each batch (n, C, h, w), in order, working ahead on the next."""


class Loader(Protocol):
    """Is a module of this folder."""

    def available(self, device: str) -> bool:
        """Say whether this machine can run nets so, on ``device`` (cpu or cuda)."""

    def precisions(self, device: str) -> list[str]:
        """Return the arithmetics this machine is fast in, the fastest first."""

    def load(self, net: nn.Module, pre: Preprocessing, *, device: str, precision: str) -> Runtime:
        """Make a net ready to run; later changes of the net do not reach the runtime."""


def names() -> list[str]:
    """Return the runtimes there are: the files of this folder.

    >>> "torch" in names()
    True
    """
    return plugins.names("opsin.runtimes")


def find(name: str) -> Loader:
    """Return the runtime called ``name``; raise ``RecipeError`` where there is no such file."""
    return cast("Loader", plugins.load("opsin.runtimes", name, "runtime", RecipeError))


class Normalised(nn.Module):
    """Takes uint8 pictures (N, C, h, w) and gives the net what it learnt from: floats."""

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module, pre: Preprocessing) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(pre.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(pre.std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.net((images.float() / 255 - self.mean) / self.std)
        return outputs


def expect(images: Pictures, shape: tuple[int, ...]) -> Pictures:
    """Return the pictures side by side in memory; raise ``ModelError`` unless (N, *shape) uint8."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape:
        raise ModelError(
            f"pictures {images.dtype} {images.shape}",
            expected=f"uint8 (N, {', '.join(str(side) for side in shape)})",
        )
    return np.ascontiguousarray(images)
