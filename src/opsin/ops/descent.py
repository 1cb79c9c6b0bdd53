"""Stochastic gradient descent by hand: small steps downhill, each judged from a few pictures.

With the slope g of loss and penalties in a weight w, velocity v, momentum μ and rate η:

    v ← μ v + g        w ← w − η v

Robbins & Monro (1951); Polyak's momentum (1964) as torch writes it; Nielsen, Neural Networks and
Deep Learning, ch. 1 and ch. 3.

Shapes: N pictures of D numbers, K classes, B pictures in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.errors import InputError
from opsin.ops.activations import RELU, Activation
from opsin.ops.linear import Layer
from opsin.ops.losses import cross_entropy
from opsin.ops.multilayer import backward

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from opsin.ops.losses import Loss

    Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Descent:
    """Holds how to descend; raises ``InputError`` for a number out of range.

    The rate of epoch e (from 0) is rate · fallᵉ. ``l1`` adds l1 · Σ|w| to the loss and makes many
    weights zero, ``l2`` adds l2 / 2 · Σw² and makes all of them small; biases are free.

    >>> Descent(rate=0.1, fall=0.5).rate_of(2)
    0.025
    """

    rate: float = 0.1
    fall: float = 0.95
    momentum: float = 0.9
    l1: float = 0.0
    l2: float = 0.0
    batch: int = 32
    epochs: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {"rate": (1e-12, 1e3), "fall": (1e-3, 1.0), "momentum": (0.0, 0.9999)}
        ranges |= {"l1": (0.0, 1e3), "l2": (0.0, 1e3), "batch": (1, 1e9), "epochs": (1, 1e6)}
        for name, (least, most) in ranges.items():
            if not least <= getattr(self, name) <= most:
                given = f"{name}={getattr(self, name)!r}"
                raise InputError(given, expected=f"{least:g} to {most:g}")

    def rate_of(self, epoch: int) -> float:
        """Return the rate of an epoch, counted from 0."""
        return self.rate * self.fall**epoch


def penalty(layers: Sequence[Layer], l1: float, l2: float) -> tuple[float, list[Floats]]:
    """Return l1 · Σ|w| + l2 / 2 · Σw² over all weights but biases, and its slope in each matrix.

    At w = 0 the slope of |w| is taken as 0. Nielsen, ch. 3, eq. 87 and 95, without his 1/n.

    >>> cost, slopes = penalty([Layer(np.array([[3.0, -1.0, 0.0]]), np.ones(1))], 0.5, 0.1)
    >>> cost, slopes[0].tolist()
    (2.5, [[0.8, -0.6, 0.0]])
    """
    matrices = [layer.weights for layer in layers]
    cost = sum(l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum() for w in matrices)
    return float(cost), [l1 * np.sign(w) + l2 * w for w in matrices]


def batches(n: int, descent: Descent, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Yield the indexes of each batch of an epoch: all n pictures once, shuffled by (seed, epoch).

    >>> [sorted(chosen.tolist()) for chosen in batches(3, Descent(batch=5), 0)]
    [[0, 1, 2]]
    """
    order = np.random.default_rng((descent.seed, epoch)).permutation(n)
    for start in range(0, n, descent.batch):
        yield order[start : start + descent.batch]


def learn(
    layers: Sequence[Layer],
    x: ArrayLike,
    y: Floats,
    *,
    loss: Loss = cross_entropy,
    activation: Activation = RELU,
    descent: Descent | None = None,
) -> Iterator[tuple[list[Layer], float]]:
    """Yield after each epoch the layers so far, and the mean loss with penalties of its batches.

    ``x`` is (N, D), ``y`` is (N, K); the layers given are left as they are.

    >>> from opsin.ops.linear import draw
    >>> x, y = np.array([[-1.0], [2.0], [3.0]]), np.array([[1, 0], [0, 1], [0, 1]])
    >>> *_, (layers, cost) = learn(draw((1, 2)), x, y)
    >>> layers[0].weights.round(1).tolist(), cost < 0.1
    ([[-2.2], [2.2]], True)
    """
    how = descent or Descent()
    x, n = np.asarray(x, np.float64), len(y)
    if n == 0 or len(x) != n:
        raise InputError(f"{len(x)} pictures and {n} targets", expected="as many of each, above 0")
    now = list(layers)
    speed = [Layer(np.zeros_like(w), np.zeros_like(b)) for w, b in now]
    for epoch in range(how.epochs):
        total = 0.0
        for chosen in batches(n, how, epoch):
            cost, slopes = backward(now, x[chosen], y[chosen], loss=loss, activation=activation)
            extra, pulls = penalty(now, how.l1, how.l2)
            total += (cost + extra) * len(chosen)
            slopes = [
                Layer(g.weights + pull, g.bias) for g, pull in zip(slopes, pulls, strict=True)
            ]
            now, speed = step(now, speed, slopes, rate=how.rate_of(epoch), momentum=how.momentum)
        yield now, total / n


def step(
    layers: Sequence[Layer],
    speed: Sequence[Layer],
    slopes: Sequence[Layer],
    *,
    rate: float,
    momentum: float,
) -> tuple[list[Layer], list[Layer]]:
    """Return layers and velocities after one step: v ← μ v + g, w ← w − η v."""
    faster = [
        Layer(momentum * v.weights + g.weights, momentum * v.bias + g.bias)
        for v, g in zip(speed, slopes, strict=True)
    ]
    moved = [
        Layer(w.weights - rate * v.weights, w.bias - rate * v.bias)
        for w, v in zip(layers, faster, strict=True)
    ]
    return moved, faster
