"""DropConnect against its formula written with einsum, against torch's own layer, and as a draw."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from opsin.ops.dropconnect import DropConnect, dropconnect, kept, masked

HERE = torch.device("cpu")


def test_products_and_gradients_are_those_of_the_formula() -> None:
    """r = (M * W) v with a mask M of its own for each example (Wan et al., eq. 3)."""
    torch.manual_seed(0)
    x = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
    mask = kept(5, weight.shape, 0.5, HERE)
    found = masked(x, weight, mask)
    wanted = torch.einsum("noi,oi,ni->no", mask.double(), weight, x)
    assert torch.allclose(found, wanted, atol=1e-12)
    slope = torch.randn(5, 3, dtype=torch.float64)
    ours = torch.autograd.grad(found, (x, weight), slope)
    theirs = torch.autograd.grad(wanted, (x, weight), slope)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(ours, theirs, strict=True))


def test_gradcheck() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    mask = kept(3, weight.shape, 0.5, HERE)
    assert torch.autograd.gradcheck(lambda a, b: masked(a, b, mask), (x, weight))


def test_in_evaluation_it_is_the_linear_layer() -> None:
    torch.manual_seed(0)
    layer = DropConnect(6, 4, rate=0.5).eval()
    plain = nn.Linear(6, 4)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(9, 6)
    assert torch.equal(layer(x), plain(x))
    assert torch.equal(DropConnect(6, 4, rate=0.0).train()(x).isnan(), torch.zeros(9, 4).bool())


def test_the_mean_and_the_spread_over_draws_are_those_of_the_paper() -> None:
    """Mean Wv and variance (1 - p) / p · (W * W)(v * v), with kept weights scaled by 1 / p.

    Section 3.2 has p W v and p (1 - p)(W * W)(v * v) without that scaling. Biases count as weights
    of an input that is 1.
    """
    torch.manual_seed(0)
    weight, bias, v = torch.randn(4, 10), torch.randn(4), torch.randn(10)
    n, p = 8000, 0.75
    found = dropconnect(v.expand(n, -1), weight, bias, 1 - p).double()
    mean = weight @ v + bias
    variance = (1 - p) / p * (weight**2 @ v**2 + bias**2)
    error = (variance / n).sqrt()
    assert ((found.mean(0) - mean).abs() < 5 * error).all()
    assert torch.allclose(found.var(0), variance.double(), rtol=0.1)


def test_every_example_draws_for_itself_and_the_seed_decides() -> None:
    torch.manual_seed(3)
    first = kept(50, torch.Size((8, 9)), 0.5, HERE)
    torch.manual_seed(3)
    assert torch.equal(first, kept(50, torch.Size((8, 9)), 0.5, HERE))
    assert len({tuple(mask.flatten().tolist()) for mask in first}) == 50


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.9])
def test_the_share_kept_is_that_of_the_rate(rate: float) -> None:
    torch.manual_seed(0)
    share = kept(200, torch.Size((50, 40)), rate, HERE).double().mean().item()
    exact = 1 - round(rate * 256) / 256
    assert abs(exact - (1 - rate)) <= 1 / 512
    assert abs(share - exact) < 5 * (exact * (1 - exact) / 400_000) ** 0.5


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_it_keeps_the_kind_of_number(kind: torch.dtype) -> None:
    layer = DropConnect(6, 4).to(kind).train()
    found = layer(torch.randn(3, 6, dtype=kind))
    assert found.dtype is kind
    found.sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.dtype is kind


def test_it_learns_under_autocast() -> None:
    layer = DropConnect(6, 4).train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = layer(torch.randn(3, 6)).square().sum()
    loss.backward()
    assert layer.weight.grad is not None and layer.weight.grad.isfinite().all()
