"""A net of dense layers by hand: what it says, and how every weight should change.

The chain rule, layer by layer from the last to the first, is four equations (Nielsen, Neural
Networks and Deep Learning, ch. 2; Rumelhart, Hinton & Williams, Nature 323, 1986). With zˡ = Wˡaˡ⁻¹
+ bˡ, aˡ = σ(zˡ) and the error δˡ = ∂C/∂zˡ of layer l:

    BP1    δᴸ = ∂C/∂aᴸ ⊙ σ'(zᴸ)            what the last layer should change: the loss says it
    BP2    δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ'(zˡ)      what the layer before should change
    BP3    ∂C/∂bˡ = δˡ
    BP4    ∂C/∂Wˡ = δˡ (aˡ⁻¹)ᵀ

They are written for one picture; here the rows are N pictures, so BP3 and BP4 sum over them. A net
with one layer is the linear classifier; nothing below is different for it.

Shapes: N pictures, Dₗ numbers after layer l, D₀ in a picture, K = D_L classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.errors import InputError
from opsin.ops.activations import RELU, Activation
from opsin.ops.linear import Layer, scores
from opsin.ops.losses import cross_entropy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from opsin.ops.losses import Loss

    Floats = NDArray[np.floating[Any]]


def forward(
    layers: Sequence[Layer], x: ArrayLike, activation: Activation = RELU
) -> tuple[list[Floats], list[Floats]]:
    """Return what each layer takes in, a⁰ … aᴸ⁻¹, and its weighted inputs z¹ … zᴸ, for x (N, D₀).

    The last, z of shape (N, K), are the scores; which activation comes after them the loss knows.

    >>> layers = [Layer(np.array([[1.0], [-1.0]]), np.zeros(2)), Layer(np.ones((1, 2)), np.ones(1))]
    >>> taken, weighted = forward(layers, [[3.0]])
    >>> [a.tolist() for a in taken], [z.tolist() for z in weighted]
    ([[[3.0]], [[3.0, 0.0]]], [[[3.0, -3.0]], [[4.0]]])
    """
    if not layers:
        raise InputError("no layers", expected="at least one")
    taken: list[Floats] = [np.asarray(x, np.float64)]  # a⁰: (N, D₀)
    weighted = []
    for layer in layers:
        z = scores(layer, taken[-1])  # zˡ = Wˡ aˡ⁻¹ + bˡ: (N, Dₗ)
        weighted.append(z)
        taken.append(activation.value(z))  # aˡ = σ(zˡ): (N, Dₗ)
    return taken[:-1], weighted


def backward(
    layers: Sequence[Layer],
    x: ArrayLike,
    y: Floats,
    *,
    loss: Loss = cross_entropy,
    activation: Activation = RELU,
) -> tuple[float, list[Layer]]:
    """Return the loss of pictures x (N, D₀) with targets y (N, K), and its slope in every weight.

    >>> cost, slopes = backward([Layer(np.zeros((2, 1)), np.zeros(2))], [[3.0]], np.array([[1, 0]]))
    >>> round(cost, 4), slopes[0].weights.tolist(), slopes[0].bias.tolist()
    (0.6931, [[-1.5], [1.5]], [-0.5, 0.5])
    """
    taken, weighted = forward(layers, x, activation)
    cost, delta = loss(weighted[-1], y)  # BP1, δᴸ: (N, K)
    slopes = []
    for level in reversed(range(len(layers))):
        bias = delta.sum(axis=0)  # BP3, ∂C/∂bˡ: (Dₗ,)
        weights = delta.T @ taken[level]  # BP4, ∂C/∂Wˡ: (Dₗ, N) (N, Dₗ₋₁) = (Dₗ, Dₗ₋₁)
        slopes.append(Layer(weights, bias))
        if level > 0:
            reached = delta @ layers[level].weights  # (N, Dₗ) (Dₗ, Dₗ₋₁) = (N, Dₗ₋₁)
            delta = reached * activation.slope(weighted[level - 1])  # BP2, δˡ⁻¹: (N, Dₗ₋₁)
    return cost, slopes[::-1]


def classify(layers: Sequence[Layer], x: ArrayLike, activation: Activation = RELU) -> Floats:
    """Return the number of the class with the highest score for each row of x, (N,)."""
    return np.asarray(forward(layers, x, activation)[1][-1].argmax(axis=1))
