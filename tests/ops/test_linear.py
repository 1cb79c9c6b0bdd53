"""The lecture's linear classifier, every product of it checked in whole fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from opsin.errors import InputError
from opsin.ops.activations import RELU, SIGMOID, sigmoid
from opsin.ops.linear import Layer, draw, scores

# A linear classifier on 4 pixels, as the lecture writes it.
W = (("0.1", "-0.25", "0.1", "2.5"), ("0", "0.5", "0.2", "-0.6"), ("2", "0.8", "1.8", "-0.1"))
X = ("1", "73", "227", "82")
B = ("-2", "1.7", "-0.5")
PRODUCTS = (
    ("0.1", "-18.25", "22.7", "205"),
    ("0", "36.5", "45.4", "-49.2"),
    ("2", "58.4", "408.6", "-8.2"),
)
PRINTED = ("-337.3", "-38.6", "460.30")
TRUE = ("207.55", "34.4", "460.3")


def test_every_product_of_the_lecture() -> None:
    for row, products in zip(W, PRODUCTS, strict=True):
        for w, x, product in zip(row, X, products, strict=True):
            assert Fraction(w) * Fraction(x) == Fraction(product)


def test_the_lectures_first_two_scores_are_wrong_and_its_third_is_right() -> None:
    totals = [
        sum(map(Fraction, products)) + Fraction(b) for products, b in zip(PRODUCTS, B, strict=True)
    ]
    assert totals == list(map(Fraction, TRUE))
    agree = [total == Fraction(said) for total, said in zip(totals, PRINTED, strict=True)]
    assert agree == [False, False, True]
    # The second comes out as printed with -0.5 in the place of 0.5.
    assert totals[1] - 2 * Fraction("0.5") * Fraction(X[1]) == Fraction(PRINTED[1])


def test_scores_are_the_true_ones() -> None:
    layer = Layer(np.array(W, float), np.array(B, float))
    found = scores(layer, [np.array(X, float)])[0]
    assert np.abs(found - np.array(TRUE, float)).max() < 1e-12
    assert found.argmax() == 2


def test_scores_equal_torch() -> None:
    draws = np.random.default_rng(0)
    layer, x = Layer(draws.normal(size=(5, 7)), draws.normal(size=5)), draws.normal(size=(3, 7))
    wanted = torch.nn.functional.linear(*(torch.from_numpy(a) for a in (x, *layer)))
    assert np.abs(scores(layer, x) - wanted.numpy()).max() < 1e-12


def test_activations_equal_torch_where_they_are_steep_and_where_they_are_flat() -> None:
    z = torch.tensor([-800.0, -30, -1, -1e-9, 0, 1e-9, 2, 30, 800], dtype=torch.float64)
    z.requires_grad_()
    for ours, theirs in ((RELU, torch.relu), (SIGMOID, torch.sigmoid)):
        (slope,) = torch.autograd.grad(theirs(z).sum(), z)
        seen = z.detach().numpy()
        assert np.abs(ours.value(seen) - theirs(z).detach().numpy()).max() < 1e-15
        assert np.abs(ours.slope(seen) - slope.numpy()).max() < 1e-15
    assert sigmoid(np.array([0.0])) == 0.5


@pytest.mark.parametrize("activation", [RELU, SIGMOID])
def test_drawn_layers_keep_signals_alive(activation) -> None:  # type: ignore[no-untyped-def]
    """He: ReLU halves the mean square, so weights of variance 2 / inputs keep it; n = 4e5."""
    layers = draw((400, 1000, 2), activation, seed=3)
    assert [layer.weights.shape for layer in layers] == [(1000, 400), (2, 1000)]
    assert layers[0].weights.var() == pytest.approx(activation.gain / 400, rel=0.02)
    assert not layers[0].bias.any()
    again, other = draw((400, 1000, 5), activation, seed=3), draw((400, 1000), activation, seed=4)
    assert np.array_equal(again[0].weights, layers[0].weights)
    assert not np.array_equal(other[0].weights, layers[0].weights)


def test_wrong_shapes_are_said() -> None:
    layer = Layer(np.ones((2, 3)), np.zeros(2))
    with pytest.raises(InputError, match=r"x \(3,\).*expected shapes \(N, D\).*one row"):
        scores(layer, [1, 2, 3])
    with pytest.raises(InputError, match=r"x \(1, 2\)"):
        scores(layer, [[1, 2]])
    with pytest.raises(InputError, match="two or more"):
        draw((3,))
    with pytest.raises(InputError, match="at least 1"):
        draw((3, 0, 2))
