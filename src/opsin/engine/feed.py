"""Batches for the loop, drawn from pixels or from cached activations.

Shapes: N samples, C channels, H and W of the working size, B images in a batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin import augment
from opsin.augment import Chain, Draw
from opsin.augment.mosaic import mosaic as laid_together
from opsin.data.preprocess import Preprocessing
from opsin.engine.bank import Bank
from opsin.ops.seeding import generator, number

Mix = Callable[[Tensor, Tensor, Tensor], Tensor]  # (targets, partners' targets, share) -> targets
Move = Callable[[Draw, Tensor], Tensor]  # (what happened to pictures, targets) -> targets


class Order:
    """Shuffles N samples anew each epoch and cuts them into equal batches; a short rest is left
    out, so each sample is seen in most epochs and every batch weighs the same.

    >>> order = Order(10, 4, seed=0)
    >>> halves = torch.cat([order.slice(0, 0, part, 2) for part in (0, 1)])
    >>> order.steps, torch.equal(halves, order.slice(0, 0, 0, 1))
    (2, True)
    """

    def __init__(self, n: int, batch: int, seed: int) -> None:
        self.n, self.batch, self.seed = n, min(batch, n), seed
        self.steps = max(1, n // self.batch)
        self._shuffled: tuple[int, Tensor] = (-1, torch.empty(0, dtype=torch.int64))

    def slice(self, epoch: int, step: int, part: int, parts: int) -> Tensor:
        """Return the indexes of one of ``parts`` equal slices of a batch."""
        if self._shuffled[0] != epoch:
            shuffled = torch.randperm(self.n, generator=generator(self.seed, epoch))
            self._shuffled = (epoch, shuffled)
        width = max(1, self.batch // parts)
        start = step * self.batch + part * width
        return self._shuffled[1][start : start + width]


class PictureFeed:
    """Feeds augmented pictures from uint8 pixels (N, C, H, W) at the working size."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        targets: Tensor,
        order: Order,
        chain: Chain,
        pre: Preprocessing,
        *,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        mosaic: float = 0.0,
        mix: Mix | None = None,
        move: Move | None = None,
    ) -> None:
        self.pixels, self.targets, self.order = pixels, targets, order
        self.chain, self.pre, self.mix, self.move = chain, pre, mix, move
        self.strengths = {"mixup": mixup, "cutmix": cutmix}
        self.mosaic, self.steps = mosaic, order.steps

    def batch(self, epoch: int, step: int, part: int, parts: int) -> tuple[Tensor, Tensor]:
        """Return float inputs (B, C, h, w), normalised, and targets."""
        chosen = self.order.slice(epoch, step, part, parts)
        raw = torch.from_numpy(self.pixels[chosen.numpy()])
        draw = self.chain.draw_epoch(raw, self.pre.size, self.order.seed, epoch, chosen)
        images = draw.images(raw, self.pre.mean, self.pre.std)
        targets = self.targets[chosen]
        if self.move is not None:
            targets = self.move(draw, targets)
        key = (self.order.seed, epoch, step, part)
        if self.mosaic:
            images, targets = laid_together(images, targets, key, self.mosaic)
        if not any(self.strengths.values()) or self.mix is None:
            return images, targets
        mixed, partner, share = augment.mixed(images, key, **self.strengths)
        return mixed, self.mix(targets, targets[partner], share)


class ActivationFeed:
    """Feeds activations from a bank: of each sample one of its views, drawn anew each time."""

    def __init__(self, bank: Bank, targets: Tensor, order: Order) -> None:
        self.bank, self.targets, self.order = bank, targets, order
        self.steps = order.steps

    def batch(self, epoch: int, step: int, part: int, parts: int) -> tuple[Tensor, Tensor]:
        """Return activations (B, ...) and targets."""
        chosen = self.order.slice(epoch, step, part, parts)
        draws = np.random.default_rng(number(self.order.seed, epoch, step, part))
        views = draws.integers(self.bank.views, size=len(chosen))
        inputs = self.bank.read(views.tolist(), chosen.tolist())
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return inputs, self.targets[chosen]
