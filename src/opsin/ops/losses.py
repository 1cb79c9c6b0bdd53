"""How wrong a net is and how its scores should move: a loss and its slope, by hand.

A loss takes the weighted inputs z of the last layer and brings the last activation along. It
returns the loss C, a mean over pictures, and δ = ∂C/∂z: the first of the four equations of
backpropagation (Nielsen, Neural Networks and Deep Learning, ch. 2),

    BP1    δ = ∂C/∂a ⊙ σ'(z)

Shapes: N pictures, K classes; z, targets y and δ are (N, K), y with a 1 in the column of the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.errors import InputError
from opsin.ops.activations import SIGMOID

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Loss = Callable[[Floats, Floats], tuple[float, Floats]]


def quadratic(z: Floats, y: Floats) -> tuple[float, Floats]:
    """Return Σ(a − y)² / 2N with a = σ(z), and its slope (Nielsen, eq. 6).

    Where a neuron is sure and wrong, σ' is almost 0: it learns slowest where it errs most.

    >>> loss, slope = quadratic(np.array([[0.0, 5.0]]), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), slope.round(4).tolist()
    (0.6183, [[-0.125, 0.0066]])
    """
    _hold_to_one_shape(z, y)
    error = SIGMOID.value(z) - y  # (N, K)
    loss = float((error**2).sum()) / (2 * len(z))
    return loss, error / len(z) * SIGMOID.slope(z)  # BP1: (N, K)


def cross_entropy(z: Floats, y: Floats) -> tuple[float, Floats]:
    """Return −Σ y ln a / N with a = softmax(z), and its slope; rows of y sum to 1.

    Its logarithm undoes the exponential, σ' drops out of BP1, and what is left is the error alone:
    the more wrong, the faster it learns (Nielsen, ch. 3, eq. 80 to 84).

    >>> loss, slope = cross_entropy(np.array([[0.0, 5.0]]), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), slope.round(4).tolist()
    (5.0067, [[-0.9933, 0.9933]])
    """
    _hold_to_one_shape(z, y)
    z = z - z.max(axis=1, keepdims=True)  # changes nothing but that e to a large power overflows
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))  # ln a: (N, K)
    loss = -float((y * logs).sum()) / len(z)
    return loss, (np.exp(logs) - y) / len(z)  # BP1: (N, K)


def one_hot(labels: ArrayLike, classes: int) -> Floats:
    """Return labels 0..K−1 of N pictures as targets (N, K): a 1 in the column of each label.

    >>> one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    found = np.asarray(labels)
    if found.ndim != 1 or found.dtype.kind not in "iu" or not np.isin(found, range(classes)).all():
        raise InputError(
            f"labels of shape {found.shape} and type {found.dtype}",
            expected=f"a row of whole numbers from 0 to {classes - 1}",
        )
    return np.asarray(np.eye(classes)[found])


def _hold_to_one_shape(z: Floats, y: Floats) -> None:
    """Raise ``InputError`` where targets do not fit scores: numpy would stretch them silently."""
    if z.ndim != 2 or z.shape != y.shape:
        raise InputError(
            f"scores {z.shape} and targets {y.shape}",
            expected="both of shape (N, K)",
            remedy="one_hot(labels, K) makes targets of labels.",
        )
