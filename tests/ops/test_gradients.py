"""Right gradients pass, wrong ones are named, kinks are counted, and nothing is left changed."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import opsin
from opsin.errors import InputError
from opsin.ops import gradient_check
from opsin.ops.depthwise import DepthwiseConv2d, quicken
from opsin.ops.gradients import Row


def normal(*shape: int, seed: int = 0, **more: Any) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), **more)


def squares(outputs: Tensor) -> Tensor:
    return outputs.square().mean()


class Wrong(nn.Module):
    """Is a linear layer whose gradient is spoilt on its way to one of its three parts."""

    def __init__(
        self, where: str, spoil: Callable[[Tensor], Tensor], shape: tuple[int, int]
    ) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(normal(*shape)),
            nn.Parameter(normal(shape[0], seed=1)),
        )
        self.where, self.spoil = where, spoil

    def forward(self, x: Tensor) -> Tensor:
        class Spoilt(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, value: Tensor) -> Tensor:
                return value.clone()

            @staticmethod
            def backward(ctx: Any, slope: Tensor) -> Tensor:
                return self.spoil(slope.clone())

        parts = {"weight": self.weight, "bias": self.bias, "input 0": x}
        parts[self.where] = Spoilt.apply(parts[self.where])
        return F.linear(parts["input 0"], parts["weight"], parts["bias"])


class Around(nn.Module):
    """Calls a function in the place of a module."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Tensor:
        return self.function(*inputs)


# ── right gradients ─────────────────────────────────────────────────────────────────────────────

RIGHT: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(5, 3), (4, 5)),
    "conv": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), (2, 2, 7, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), (2, 2, 4, 4)),
    "batch norm": (lambda: nn.BatchNorm2d(3), (4, 3, 5, 5)),
    "batch norm in use": (lambda: nn.BatchNorm2d(3).eval(), (4, 3, 5, 5)),
    "layer norm": (lambda: nn.LayerNorm(6), (4, 6)),
    "dropout": (lambda: nn.Sequential(nn.Linear(5, 50), nn.Dropout(0.5), nn.Linear(50, 2)), (4, 5)),
    "relu and pooling": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        (2, 1, 9, 9),
    ),
    "written to in place": (lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 2)), (3, 5)),
    "local response": (lambda: nn.LocalResponseNorm(5), (2, 6, 3, 3)),
    "attention": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    "depthwise": (
        lambda: DepthwiseConv2d(nn.Conv2d(3, 3, 5, stride=2, padding=2, groups=3)),
        (2, 3, 9, 8),
    ),
    "quickened": (
        lambda: quicken(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.GELU())),
        (2, 4, 7, 7),
    ),
    "channels last": (
        lambda: nn.Conv2d(4, 3, 3).to(memory_format=torch.channels_last),
        (2, 4, 6, 6),
    ),
    "bfloat16": (lambda: nn.Linear(5, 3).bfloat16(), (4, 5)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name: str) -> None:
    make, shape = RIGHT[name]
    torch.manual_seed(0)
    module = make()
    check = gradient_check(module, squares, normal(*shape))
    assert check.ok, check
    names = [*dict(module.named_parameters()), "input 0"]
    assert [row.name for row in check.rows] == names
    assert all(row.checked == min(8, math.prod(row.shape)) for row in check.rows)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("side", [3, 5])
def test_every_way_of_our_depthwise_layer(stride: int, same: bool, side: int) -> None:
    torch.manual_seed(side)
    conv = nn.Conv2d(3, 3, side, stride=stride, padding=side // 2, groups=3)
    check = gradient_check(DepthwiseConv2d(conv, same=same), squares, normal(2, 3, 9, 8))
    assert check.ok and check.error < 1e-6, check


def test_both_slopes_are_those_of_a_formula_worked_by_hand() -> None:
    """C = Σ w³x has the slopes 3w²x in w and w³ in x."""
    module = Around(lambda w, x: w**3 * x)
    w, x = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0])
    check = gradient_check(module, torch.sum, w, x)
    wanted = {"input 0": 3 * w**2 * x, "input 1": w**3}
    for row in check.rows:
        assert row.analytic == wanted[row.name][row.index]
        assert row.numerical == pytest.approx(row.analytic, rel=1e-8)


def test_slopes_of_every_size_are_judged_by_what_rounding_lets_one_measure() -> None:
    """A bias before batch norm has no slope at all; small weights have steep ones before them."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
    with torch.no_grad():
        net[3].weight.mul_(1e-6)
    for size in (1e-3, 1.0, 300.0, 1e5):
        check = gradient_check(net, lambda y: (y - 1).square().sum(), size * normal(9, 4))
        assert check.ok, check


def test_loss_may_be_a_module_with_weights_of_classes() -> None:
    class Weighted(nn.CrossEntropyLoss):
        def forward(self, y: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(y, torch.tensor([0, 2, 1, 1]))

    loss = Weighted(torch.tensor([1.0, 5.0, 0.1]))
    check = gradient_check(nn.Linear(5, 3), loss, normal(4, 5))
    assert check.ok, check
    assert loss.weight is not None and loss.weight.dtype == torch.float32


def test_inputs_that_are_not_floats_are_handed_on() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(10, 4, sparse=True)

        def forward(self, words: Tensor, mask: Tensor, scale: Tensor, more: None) -> Tensor:
            assert more is None
            return self.table(words) * mask[:, None] * scale

    words, mask = torch.tensor([1, 1, 7]), torch.tensor([True, False, True])
    check = gradient_check(Words(), squares, words, mask, torch.ones(4), None, entries=40)
    assert check.ok, check
    assert [row.name for row in check.rows] == ["table.weight", "input 2"]


def test_only_what_learns_is_looked_at_and_tied_weights_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.there, self.back = nn.Linear(4, 4), nn.Linear(4, 4)
            self.back.weight = self.there.weight
            self.back.bias.requires_grad_(False)
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x: Tensor) -> Tensor:
            return self.scale * self.back(self.there(x).tanh())

    check = gradient_check(Tied(), squares, normal(3, 4))
    assert check.ok, check
    assert [row.name for row in check.rows] == ["scale", "there.weight", "there.bias", "input 0"]
    assert check.rows[0].entry == "scale" and check.rows[0].shape == ()


# ── wrong gradients ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["weight", "bias", "input 0"])
@pytest.mark.parametrize(
    "spoil",
    [lambda g: 1.001 * g, lambda g: -g, lambda g: 0 * g, lambda g: g + 0.01, torch.zeros_like],
    ids=["a little", "sign", "none", "shifted", "lost"],
)
def test_a_wrong_gradient_is_named(where: str, spoil: Callable[[Tensor], Tensor]) -> None:
    net = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), Wrong(where, spoil, (4, 5)), nn.Tanh())
    torch.manual_seed(0)
    nn.init.normal_(net[0].weight)
    check = gradient_check(net, squares, normal(3, 6))
    assert not check.ok
    wrong = {row.name for row in check.rows if row.error > check.tolerance}
    if where == "input 0":  # what comes before it learns wrongly, too
        assert wrong == {"0.weight", "0.bias", "input 0"}
    else:
        assert wrong == {f"2.{where}"} and check.worst.name == f"2.{where}"
        assert f"wrong gradient at 2.{where}[" in str(check)


def test_one_wrong_entry_of_ten_thousand_is_found() -> None:
    def spoil(slope: Tensor) -> Tensor:
        slope[37, 81] *= 1.5
        return slope

    check = gradient_check(Wrong("weight", spoil, (100, 100)), squares, normal(5, 100))
    assert not check.ok
    assert check.worst.entry == "weight[37, 81]"
    assert check.error == pytest.approx(1 / 3, rel=1e-6)
    assert check.worst.analytic == pytest.approx(1.5 * check.worst.numerical, rel=1e-6)


def test_a_way_that_was_cut_is_found() -> None:
    check = gradient_check(Around(lambda x: x * x.detach()), torch.sum, normal(7))
    assert check.error == pytest.approx(0.5)


def test_a_gradient_that_is_not_a_number_is_wrong() -> None:
    check = gradient_check(Around(lambda x: (x - x).sqrt() + x), torch.sum, normal(3))
    assert not check.ok and check.error == math.inf


def test_a_bend_does_not_excuse_a_wrong_gradient() -> None:
    """The slopes to both sides differ a lot in 10⁴x², but less the finer the step."""

    class Bent(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return 1e4 * x**2

        @staticmethod
        def backward(ctx: Any, slope: Tensor) -> Tensor:
            return 2e4 * 1.0001 * ctx.saved_tensors[0] * slope

    x = torch.tensor([0.01, -0.02, 0.003])
    assert gradient_check(Around(lambda x: 1e4 * x**2), torch.sum, x).ok
    check = gradient_check(Around(Bent.apply), torch.sum, x)
    assert not check.ok and check.rows[0].kinks == 0


# ── kinks ───────────────────────────────────────────────────────────────────────────────────────


def test_entries_at_a_kink_are_counted_and_others_taken() -> None:
    x = normal(40)
    x[::2] = 0
    check = gradient_check(nn.ReLU(), torch.sum, x)
    assert check.ok, check
    assert check.rows[0].checked == 8 and check.rows[0].kinks > 0


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (nn.ReLU(), torch.zeros(5)),
        (nn.MaxPool2d(2), torch.ones(1, 1, 2, 2)),
        (Around(lambda x: (x - 1).relu()), torch.ones(3)),
    ],
)
def test_what_stands_at_kinks_alone_is_not_judged(module: nn.Module, x: Tensor) -> None:
    check = gradient_check(module, torch.sum, x)
    assert not check.ok and check.rows[0].checked == 0
    assert "not judged, for the loss has kinks there: input 0" in str(check)


@pytest.mark.parametrize("near", [1e-5, 1e-7, 1e-8])
def test_a_kink_beside_the_point_is_left_behind_by_a_finer_step(near: float) -> None:
    x = torch.tensor([near, -near, 1.0], dtype=torch.float64)
    check = gradient_check(nn.ReLU(), torch.sum, x)
    assert check.ok and check.rows[0].checked == 3, check


# ── what it leaves behind, and what it draws ────────────────────────────────────────────────────


def test_nothing_is_left_changed() -> None:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.3), nn.Flatten())
    net[0].weight.grad = torch.ones_like(net[0].weight)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    drawn, x = torch.get_rng_state(), normal(2, 1, 6, 6)
    kept = x.clone()
    assert gradient_check(net, squares, x).ok
    for name, value in net.state_dict().items():
        assert value.dtype == before[name].dtype and torch.equal(value, before[name]), name
    assert net.training and torch.equal(net[0].weight.grad, torch.ones_like(net[0].weight))
    assert net[0].bias.grad is None
    assert torch.equal(torch.get_rng_state(), drawn) and torch.equal(x, kept)
    assert x.grad is None and not x.requires_grad


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off(around: Callable[[], Any]) -> None:
    module = nn.Linear(3, 2)
    with around():
        assert gradient_check(module, squares, normal(4, 3)).ok
    with torch.autocast("cpu", torch.bfloat16):
        assert gradient_check(nn.Linear(3, 2), squares, normal(4, 3)).ok


def test_the_same_seed_looks_at_the_same_entries() -> None:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(30, 20), nn.Dropout(0.5)), normal(4, 30)
    one, two = (gradient_check(net, squares, x, seed=1) for _ in range(2))
    assert one == two and str(one) == str(two)
    assert gradient_check(net, squares, x, seed=2).rows != one.rows
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.tolerance = 1.0  # type: ignore[misc]


def test_it_reads_as_a_table() -> None:
    torch.manual_seed(0)
    check = gradient_check(nn.Linear(3, 2), squares, torch.ones(4, 3))
    first, head, *rows = str(check).splitlines()
    assert first.startswith(f"gradients are right; worst at {check.worst.entry}: relative error")
    assert head.split() == ["shape", "checked", "kinks", "error", "analytic", "numerical"]
    assert [row.split("[")[0] for row in rows] == ["weight", "bias", "input 0"]
    assert "2×3" in rows[0] and isinstance(check.worst, Row) and check.error < 1e-7


def test_it_is_found_below_opsin_without_torch() -> None:
    program = "import sys, opsin; opsin.ops; print('torch' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False" and opsin.ops.gradient_check is gradient_check
    assert "gradient_check" in dir(opsin.ops) and "ops" in dir(opsin)
    with pytest.raises(AttributeError, match=r"opsin\.ops.*nothing"):
        opsin.ops.nothing  # noqa: B018


# ── what cannot be checked is said ──────────────────────────────────────────────────────────────


class Remembering(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * self.calls


class Constant(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.constant = torch.ones(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.constant


def ran() -> nn.Module:
    """Return a module that keeps what it said last, which copy.deepcopy does not copy."""
    module = nn.Linear(3, 2)
    module.said = module(torch.ones(3)) * 2
    return module


def assigned(x: Tensor) -> Tensor:
    copied = torch.zeros(x.shape)
    copied[:] = x
    return copied


LINEAR = nn.Linear(3, 2)
X = torch.ones(4, 3)


@pytest.mark.parametrize(
    ("module", "loss", "inputs", "said"),
    [
        (torch.relu, squares, (X,), "as a module; expected an nn.Module"),
        (LINEAR, None, (X,), "NoneType as a loss; expected a function"),
        (LINEAR, lambda y: y, (X,), r"a loss of \(4, 2\); expected one number. End it with .mean"),
        (LINEAR, lambda y: 1.0, (X,), "a loss of float; expected one number"),
        (LINEAR, lambda y: y.sum() / 0, (X,), "a loss of -?(inf|nan); expected a finite number"),
        (LINEAR, lambda y: y.detach().sum(), (X,), "no gradient leads back from.*detach"),
        (LINEAR, lambda y: y.float().sum(), (X,), "float64 to torch.float32.*promote_types"),
        (Around(lambda x: torch.zeros(4, 3).copy_(x)), torch.sum, (X,), "float64 to torch.float32"),
        (Around(assigned), torch.sum, (X,), "float64 to torch.float32"),
        (LINEAR, squares, (torch.ones(4, 5),), "fails in float64: .*shapes"),
        (Constant(), squares, (X,), "fails in float64: .*must be buffers"),
        (ran(), squares, (X,), "cannot be copied to float64.*before it has run"),
        (Remembering(), squares, (X,), "with nothing changed"),
        (Around(lambda x: x * np.random.default_rng().random()), squares, (X,), "the same loss"),
        (nn.Identity(), squares, (torch.ones(2, dtype=torch.int64),), "no float inputs"),
        (nn.LazyLinear(3), squares, (X,), "parameter weight, without values"),
        (nn.Linear(3, 2, device="meta"), squares, (X,), "parameter weight, without values"),
        (nn.Linear(3, 2, dtype=torch.complex64), squares, (X,), "or complex; expected real"),
    ],
)
def test_what_cannot_be_checked_is_said(
    module: nn.Module, loss: Callable[[Any], Tensor], inputs: tuple[Tensor, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        gradient_check(module, loss, *inputs)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"entries": 0}, "entries=0; expected 1"),
        ({"step": 0.0}, "step=0.0; expected 1e-09 to 0.01"),
        ({"tolerance": float("nan")}, "tolerance=nan"),
    ],
)
def test_numbers_out_of_range_are_said(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        gradient_check(LINEAR, squares, X, **wrong)
