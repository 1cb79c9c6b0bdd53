"""Activations by hand, each with its slope: what makes a stack of layers more than one layer.

Shapes: any; an activation works on each number by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from opsin.ops.between import relu

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["RELU", "SIGMOID", "Activation", "sigmoid"]


class Activation(NamedTuple):
    """Is a function σ, its slope σ', and how strong weights before it should be drawn.

    ``gain`` is the variance of weights times their number of inputs, so that signals neither die
    out nor explode: 1 for sigmoid (Nielsen, Neural Networks and Deep Learning, ch. 3), 2 for ReLU,
    which lets half of them through (He et al., Delving Deep into Rectifiers, 2015, eq. 10).
    """

    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    gain: float


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + e⁻ᶻ), 0..1, without overflow: it is a hyperbolic tangent in disguise.

    >>> import numpy as np
    >>> sigmoid(np.array([-1000.0, 0.0, 1.0])).round(4).tolist()
    [0.0, 0.5, 0.7311]
    """
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


def _sigmoid_slope(z: Floats) -> Floats:
    """Return σ'(z) = σ(z)(1 − σ(z)): at most a quarter, and next to nothing far from 0."""
    a = sigmoid(z)
    return a * (1 - a)


def _relu_slope(z: Floats) -> Floats:
    """Return 1 where z is above 0, else 0; at 0 itself, where there is no slope, 0."""
    return (z > 0).astype(np.float64)


SIGMOID = Activation(sigmoid, _sigmoid_slope, gain=1.0)
RELU = Activation(relu, _relu_slope, gain=2.0)
