"""Backpropagation by hand against torch's autograd, to ten digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from opsin.errors import InputError
from opsin.ops.activations import RELU, SIGMOID
from opsin.ops.linear import Layer, draw
from opsin.ops.losses import cross_entropy, one_hot, quadratic
from opsin.ops.multilayer import backward, classify, forward

ACTIVATIONS = {"relu": (RELU, torch.relu), "sigmoid": (SIGMOID, torch.sigmoid)}
LOSSES = {
    "quadratic": (quadratic, lambda z, y: (torch.sigmoid(z) - y).square().sum() / (2 * len(z))),
    "cross_entropy": (cross_entropy, F.cross_entropy),
}
SIZES = {"linear": (6, 4), "one hidden": (6, 5, 4), "two hidden": (6, 9, 7, 4)}


def drawn(sizes: tuple[int, ...], n: int = 11) -> tuple[list[Layer], np.ndarray, np.ndarray]:
    """Draw layers with biases, pictures and targets."""
    draws = np.random.default_rng(sizes)
    layers = [Layer(w, draws.normal(size=b.shape)) for w, b in draw(sizes, seed=1)]
    x, labels = draws.normal(size=(n, sizes[0])), draws.integers(0, sizes[-1], n)
    return layers, x, one_hot(labels, sizes[-1])


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_slopes_equal_autograd(sizes: str, loss: str, activation: str) -> None:
    layers, x, y = drawn(SIZES[sizes])
    (ours, theirs), (by_hand, by_torch) = LOSSES[loss], ACTIVATIONS[activation]
    cost, slopes = backward(layers, x, y, loss=ours, activation=by_hand)
    leaves = [torch.from_numpy(part).requires_grad_() for layer in layers for part in layer]
    a = torch.from_numpy(x)
    for level, (weights, bias) in enumerate(zip(leaves[::2], leaves[1::2], strict=True)):
        a = F.linear(by_torch(a) if level else a, weights, bias)
    wanted = theirs(a, torch.from_numpy(y))
    wanted.backward()
    assert abs(cost - wanted.item()) < 1e-10
    found = [part for layer in slopes for part in layer]
    for mine, leaf in zip(found, leaves, strict=True):
        assert leaf.grad is not None
        assert mine.shape == leaf.shape
        assert np.abs(mine - leaf.grad.numpy()).max() < 1e-10


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_stay_finite_where_a_score_is_huge(loss: str) -> None:
    ours, theirs = LOSSES[loss]
    z = torch.tensor([[900.0, -900, 0], [-900, 900, 3]], dtype=torch.float64, requires_grad=True)
    y = torch.eye(3, dtype=torch.float64)[[0, 2]]
    wanted = theirs(z, y)
    (slope,) = torch.autograd.grad(wanted, z)
    cost, found = ours(z.detach().numpy(), y.numpy())
    assert cost == pytest.approx(wanted.item(), abs=1e-12)
    assert np.abs(found - slope.numpy()).max() < 1e-15


def test_quadratic_loss_learns_slowest_where_it_errs_most_and_cross_entropy_does_not() -> None:
    """Nielsen, ch. 3: with a quadratic loss the sure and wrong neuron hardly moves."""
    y = np.array([[1.0, 0.0]])
    mild, wrong = np.array([[-1.0, 1.0]]), np.array([[-10.0, 10.0]])
    assert abs(quadratic(wrong, y)[1]).max() < abs(quadratic(mild, y)[1]).max() / 1000
    assert abs(cross_entropy(wrong, y)[1]).max() > abs(cross_entropy(mild, y)[1]).max()


def test_forward_gives_every_layer_and_classify_the_best_score() -> None:
    layers, x, _ = drawn((6, 9, 7, 4))
    taken, weighted = forward(layers, x)
    assert [a.shape for a in taken] == [(11, 6), (11, 9), (11, 7)]
    assert [z.shape for z in weighted] == [(11, 9), (11, 7), (11, 4)]
    assert np.array_equal(classify(layers, x), weighted[-1].argmax(1))


def test_what_does_not_fit_is_said() -> None:
    layers, x, y = drawn((6, 4))
    with pytest.raises(InputError, match="expected at least one"):
        forward([], x)
    with pytest.raises(InputError, match=r"x \(11, 5\), weights \(4, 6\)"):
        forward(layers, x[:, :5])
    for loss in (quadratic, cross_entropy):
        with pytest.raises(InputError, match=r"targets \(4,\).*one_hot"):
            backward(layers, x, y[0], loss=loss)
        with pytest.raises(InputError, match=r"targets \(1, 4\)"):
            backward(layers, x, y[:1], loss=loss)
    for labels in ([0, 3], [-1, 0], [0.5], [[1]]):
        with pytest.raises(InputError, match="whole numbers from 0 to 2"):
            one_hot(labels, 3)
