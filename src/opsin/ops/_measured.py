"""A loss as a plain function of numbers in memory, and its slope measured by moving them.

Central differences: (C(θ + h) − C(θ − h)) / 2h, and the two one-sided ones, which differ at a kink.
Nocedal & Wright, Numerical Optimization (2006), section 8.1.

Shapes: P numbers of a tensor, laid out flat; a direction moves some of them, each up or down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from opsin.errors import InputError

LAST_DIGIT = torch.finfo(torch.float64).eps


class Direction(NamedTuple):
    """Says which numbers of a flat tensor move together, and how far each: a vector of length 1."""

    place: slice
    share: Tensor  # (P,)


class Slopes(NamedTuple):
    """Holds a slope measured over both sides, how much these differ, and what rounding may do."""

    both: float
    jump: float
    doubt: float


class Function:
    """Is the loss of a module on its inputs, the same number whenever it is asked.

    Before each call torch's generators are seeded and buffers (running means) put back, so that
    dropout drops the same and nothing remembers.
    """

    def __init__(
        self, module: nn.Module, loss: Callable[[Any], Tensor], inputs: Sequence[Any], seed: int
    ) -> None:
        self.module, self.loss, self.inputs, self.seed = module, loss, inputs, seed
        parts = [module, loss] if isinstance(loss, nn.Module) else [module]
        self.buffers = [(b, b.clone()) for part in parts for b in part.buffers()]
        tensors = [*module.parameters(), *(x for x in inputs if isinstance(x, Tensor))]
        self.devices = sorted({t.device for t in tensors}, key=str)
        self.here = self.noise = 0.0

    def __call__(self) -> Tensor:
        for buffer, kept in self.buffers:
            buffer.data.copy_(kept)
        torch.default_generator.manual_seed(self.seed)
        for device in self.devices:
            if device.type == "cuda":
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(self.seed)
        given = [
            x.clone() if isinstance(x, Tensor) else x for x in self.inputs
        ]  # may be written to
        return self.loss(self.module(*given))

    def value(self) -> float:
        """Return the loss as a number."""
        return self().detach().item()

    def listen(self, flats: Sequence[Tensor]) -> None:
        """Measure what rounding does: by how much the loss changes with the last digits of all.

        Raises ``InputError`` where the loss changes by itself.
        """
        self.here, again = self.value(), self.value()
        self.noise = LAST_DIGIT * abs(self.here)
        if not abs(again - self.here) <= 1e4 * self.noise:  # some sums on graphics cards vary a bit
            raise InputError(
                f"a loss that was {self.here!r} and then, with nothing changed, {again!r}",
                expected="the same loss again",
                remedy="Draw by torch's own generator, which is seeded here, and keep what a "
                "module remembers in buffers, which are put back.",
            )
        kept = [flat.clone() for flat in flats]
        for every in (2, 3, 5):  # some up and some down, so that it does not add up
            for flat, old in zip(flats, kept, strict=True):
                torch.mul(old, 1 - LAST_DIGIT, out=flat)
                flat[::every] = old[::every] * (1 + LAST_DIGIT)
            self.noise = max(self.noise, abs(self.value() - self.here))
        for flat, old in zip(flats, kept, strict=True):
            flat.copy_(old)

    def slopes(self, flat: Tensor, way: Direction, step: float) -> Slopes:
        """Return the slopes of the loss where numbers of ``flat`` move; they are put back."""
        moved = flat[way.place]
        kept = moved.clone()
        step = step * max(1.0, float(kept.abs().max()))
        losses = []
        for share in (step, -step):
            torch.add(kept, way.share, alpha=share, out=moved)
            losses.append(self.value())
        moved.copy_(kept)
        up, down = losses
        jump = abs((up - self.here) - (self.here - down)) / step
        return Slopes((up - down) / (2 * step), jump, 4 * self.noise / step)


@contextmanager
def undisturbed(devices: Sequence[torch.device]) -> Iterator[None]:
    """Compute with gradients and in full precision, and leave torch's generators as they were."""
    graphics = [device for device in devices if device.type == "cuda"]
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(graphics))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {device.type for device in devices}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield
