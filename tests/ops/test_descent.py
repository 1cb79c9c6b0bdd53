"""Descent by hand takes the very steps of torch's, and learns to read in seconds."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from opsin.errors import InputError
from opsin.ops.activations import RELU, SIGMOID, Activation
from opsin.ops.descent import Descent, batches, learn, penalty
from opsin.ops.linear import Layer, draw
from opsin.ops.losses import one_hot, quadratic
from opsin.ops.multilayer import classify


def data(n: int = 23) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(8)
    return draws.normal(size=(n, 6)), one_hot(draws.integers(0, 4, n), 4)


@pytest.mark.parametrize("decay", [{}, {"l2": 0.03}, {"l1": 0.01}, {"l1": 0.02, "l2": 0.01}])
def test_steps_equal_torchs_sgd(decay: dict[str, float]) -> None:
    """Three epochs of four batches: momentum, a falling rate, penalties on weights alone."""
    x, y = data()
    start = draw((6, 9, 7, 4), seed=2)
    how = Descent(rate=0.05, fall=0.7, momentum=0.8, batch=7, epochs=3, seed=5, **decay)
    *_, (found, cost) = learn(start, x, y, descent=how)
    leaves = [torch.from_numpy(part.copy()).requires_grad_() for layer in start for part in layer]
    optimizer = torch.optim.SGD(leaves, lr=how.rate, momentum=how.momentum)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, how.fall)
    pictures, targets = torch.from_numpy(x), torch.from_numpy(y)
    for epoch in range(3):
        total = 0.0
        for chosen in batches(len(x), how, epoch):
            a = pictures[chosen]
            for level in range(3):
                a = F.linear(a.relu() if level else a, *leaves[2 * level : 2 * level + 2])
            loss = F.cross_entropy(a, targets[chosen])
            loss = loss + sum(how.l1 * w.abs().sum() for w in leaves[::2])
            loss = loss + sum(how.l2 / 2 * w.square().sum() for w in leaves[::2])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        schedule.step()
    assert cost == pytest.approx(total / len(x), abs=1e-10)
    for mine, leaf in zip([part for layer in found for part in layer], leaves, strict=True):
        assert np.abs(mine - leaf.detach().numpy()).max() < 1e-10


def test_penalty_equals_autograd_and_is_flat_at_zero() -> None:
    weights = np.array([[1.5, -2.0, 0.0], [0.0, 3.0, -1e-3]])
    leaf = torch.from_numpy(weights).requires_grad_()
    wanted = 0.3 * leaf.abs().sum() + 0.1 * leaf.square().sum()
    wanted.backward()
    assert leaf.grad is not None
    cost, (slope,) = penalty([Layer(weights, np.ones(2))], 0.3, 0.2)
    assert cost == pytest.approx(wanted.item(), abs=1e-12)
    assert np.abs(slope - leaf.grad.numpy()).max() < 1e-12


def test_an_epoch_sees_each_picture_once_and_depends_on_the_seed_alone() -> None:
    how = Descent(batch=10)
    seen = [chosen.tolist() for chosen in batches(23, how, 4)]
    assert [len(chosen) for chosen in seen] == [10, 10, 3]
    assert sorted(np.concatenate(seen)) == list(range(23))
    assert seen == [chosen.tolist() for chosen in batches(23, how, 4)]
    assert seen != [chosen.tolist() for chosen in batches(23, how, 5)]
    assert seen != [chosen.tolist() for chosen in batches(23, Descent(batch=10, seed=1), 4)]


def test_what_was_given_stays_as_it_is() -> None:
    x, y = data()
    start = draw((6, 4))
    before = start[0].weights.copy()
    list(learn(start, x, y, descent=Descent(epochs=2)))
    assert np.array_equal(start[0].weights, before)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rate": 0.0}, "rate=0.0"),
        ({"momentum": 1.0}, "momentum=1.0; expected 0 to 0.9999"),
        ({"batch": 0}, "batch=0"),
        ({"fall": 1.1}, "fall=1.1"),
        ({"l1": float("nan")}, "l1=nan"),
    ],
)
def test_numbers_out_of_range_are_said(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Descent(**wrong)  # type: ignore[arg-type]


def test_data_that_does_not_match_is_said() -> None:
    x, y = data()
    with pytest.raises(InputError, match="22 pictures and 23 targets"):
        next(learn(draw((6, 4)), x[1:], y))
    with pytest.raises(InputError, match="above 0"):
        next(learn(draw((6, 4)), x[:0], y[:0]))


# ── learning to read: 1,437 scans of digits to learn from, 360 held out ─────────────────────────


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, shuffled: pixels (1797, 64) in 0..1, and labels."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(pixels))
    return pixels[order] / 16, labels[order]


def read(sizes: tuple[int, ...], activation: Activation = RELU, **more) -> float:  # type: ignore[no-untyped-def]
    """Learn from 1,437 digits; return the share of 360 others that is read rightly."""
    x, labels = digits()
    start = draw(sizes, activation)
    kept = {"activation": activation, **more}
    *_, (layers, _) = learn(start, x[:-360], one_hot(labels[:-360], 10), **kept)
    return float((classify(layers, x[-360:], activation) == labels[-360:]).mean())


@pytest.mark.learns
def test_two_hidden_layers_read_digits() -> None:
    """0.964 to 0.994 of 360 held-out digits, under a second (4 splits and seeds)."""
    assert read((64, 60, 40, 10)) >= 0.955


@pytest.mark.learns
def test_sigmoid_and_quadratic_loss_read_digits_too() -> None:
    """0.964 to 0.972 of 360 held-out digits, three seconds (4 splits and seeds)."""
    how = Descent(rate=0.3, fall=0.98, batch=16, epochs=60)
    assert read((64, 60, 40, 10), SIGMOID, loss=quadratic, descent=how) >= 0.95


@pytest.mark.learns
def test_a_linear_classifier_reads_them_less_well() -> None:
    """0.950 to 0.975 of 360 held-out digits (4 splits and seeds)."""
    assert 0.93 <= read((64, 10)) < read((64, 60, 40, 10))


@pytest.mark.learns
def test_l1_makes_weights_zero_and_l2_makes_them_small() -> None:
    x, labels = digits()
    y = one_hot(labels, 10)
    ends = {}
    for name, decay in {"none": {}, "l1": {"l1": 3e-3}, "l2": {"l2": 3e-2}}.items():
        *_, (layers, _) = learn(draw((64, 10)), x, y, descent=Descent(fall=0.85, **decay))
        ends[name] = np.abs(layers[0].weights)
    assert ends["l2"].mean() < ends["none"].mean() / 2
    small = {name: (weights < 1e-2).mean() for name, weights in ends.items()}
    assert small["l1"] > 0.3 > 0.1 > small["none"]


@pytest.mark.learns
def test_the_example_holds_what_it_claims(capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "examples" / "beautiful_backpropagation.py"
    learnt = runpy.run_path(str(example))
    assert sum(layer.weights.size + layer.bias.size for layer in learnt["found"]) == 6750
    assert "by the chain rule" in capsys.readouterr().out
