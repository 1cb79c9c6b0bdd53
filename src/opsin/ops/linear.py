"""The linear classifier, and the layer that all nets are stacked from: scores = W x + b.

Row k of W is a template of class k: the score is how much of it there is in the picture, plus how
common the class is without looking.

Shapes: N pictures of D numbers, K classes; W is (K, D), b is (K,).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from opsin.errors import InputError
from opsin.ops.activations import RELU, Activation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]


class Layer(NamedTuple):
    """Is a matrix of weights (K, D) and a bias (K,), or the slope of the loss in each of them."""

    weights: Floats
    bias: Floats


def scores(layer: Layer, x: ArrayLike) -> Floats:
    """Return W x + b for each row of x (N, D): (N, K).

    >>> layer = Layer(np.array([[1.0, -1.0], [0.5, 0.5]]), np.array([0.0, 10.0]))
    >>> scores(layer, [[3, 1], [1, 3]]).tolist()
    [[2.0, 12.0], [-2.0, 12.0]]
    """
    rows = np.asarray(x, np.float64)
    weights, bias = np.asarray(layer.weights), np.asarray(layer.bias)
    if rows.ndim != 2 or rows.shape[1:] != weights.shape[1:] or bias.shape != weights.shape[:1]:
        raise InputError(
            f"x {rows.shape}, weights {weights.shape} and bias {bias.shape}",
            expected="shapes (N, D), (K, D) and (K,)",
            remedy="A picture is one row: x.reshape(len(x), -1).",
        )
    return np.asarray(rows @ weights.T + bias)  # (N, D) (D, K) + (K,): (N, K)


def draw(sizes: Sequence[int], activation: Activation = RELU, seed: int = 0) -> list[Layer]:
    """Draw layers of these sizes: (D, K) a linear classifier, (D, H, I, K) two hidden layers.

    Weights are normal with variance gain / inputs, biases 0; layer l depends on (seed, l) alone.

    >>> [layer.weights.shape for layer in draw((64, 40, 30, 10))]
    [(40, 64), (30, 40), (10, 30)]
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(
            f"sizes {tuple(sizes)}", expected="two or more, from inputs to classes, each at least 1"
        )
    layers = []
    for level, (inputs, outputs) in enumerate(pairwise(sizes)):
        normal = np.random.default_rng((seed, level)).normal(size=(outputs, inputs))
        layers.append(Layer(normal * np.sqrt(activation.gain / inputs), np.zeros(outputs)))
    return layers
