"""What every classical pipeline must keep, over all there are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import opsin
from opsin import nets, runtimes
from opsin.data.preprocess import Preprocessing
from opsin.data.samples import discs, shapes
from opsin.engine import checkpoint
from opsin.errors import RecipeError
from opsin.nets import classical
from opsin.nets.classical import Counted
from opsin.recipe import Recipe

pytestmark = pytest.mark.contracts
every = pytest.mark.parametrize("name", classical.names())
sizes = pytest.mark.parametrize(
    ("channels", "size"), [(3, (96, 96)), (1, (28, 28)), (3, (50, 130)), (1, (8, 8))]
)


@cache
def seen(channels: int, size: tuple[int, int], n: int = 12) -> np.ndarray:
    """Return drawn pictures (n, C, h, w)."""
    draws = np.random.default_rng(0)
    coarse = torch.from_numpy(draws.uniform(0, 255, (n, channels, 6, 6)).astype(np.float32))
    fine = nn.functional.interpolate(coarse, size, mode="bicubic", align_corners=False)
    return fine.clamp(0, 255).to(torch.uint8).numpy()


def made(name: str, channels: int, size: tuple[int, int]) -> Counted:
    net = nets.build(name, outputs=5, channels=channels, size=size).eval()
    assert isinstance(net, Counted)
    return net


def taught(name: str, channels: int, size: tuple[int, int]) -> Counted:
    net = made(name, channels, size)
    net.features.observe(net.features.seen(seen(channels, size)), seed=0)
    return net


def floats(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).float() / 255


@every
@sizes
def test_forward_and_head(name: str, channels: int, size: tuple[int, int]) -> None:
    net, x = taught(name, channels, size), floats(seen(channels, size))
    with torch.no_grad():
        features = nets.pooled(net, x)
        assert features.shape == (12, nets.num_features(net))
        assert torch.isfinite(features).all()
        assert torch.equal(nets.head(net)(features), net(x))
        assert torch.equal(net.features.describe(seen(channels, size)), features)
        nets.set_head(net, nn.Linear(nets.num_features(net), 3))
        assert net(x).shape == (12, 3)


@every
def test_pictures_differ_and_places_count_for_nothing(name: str) -> None:
    net, shown = taught(name, 3, (96, 96)), seen(3, (96, 96))
    found = net.features.describe(shown)
    assert (found.std(0) > 0).any()
    torch.testing.assert_close(net.features.describe(shown[::-1].copy()).flip(0), found)


@every
def test_learning_twice_gives_the_same(name: str) -> None:
    one, other = (taught(name, 3, (96, 96)).features for _ in range(2))
    assert {k: v.tolist() for k, v in one.state_dict().items()} == {
        k: v.tolist() for k, v in other.state_dict().items()
    }


@every
def test_saved_and_loaded_it_says_the_same(name: str, tmp_path: Path) -> None:
    net, x = taught(name, 1, (28, 28)), floats(seen(1, (28, 28)))
    checkpoint.save(tmp_path / "net.safetensors", net.state_dict(), {})
    other = made(name, 1, (28, 28))
    other.load_state_dict(checkpoint.load(tmp_path / "net.safetensors")[0])
    with torch.no_grad():
        assert torch.equal(other(x), net(x))


@every
@pytest.mark.parametrize("shade", [0, 255])
def test_blank_pictures_are_finite(name: str, shade: int) -> None:
    blank = np.full((3, 3, 40, 40), shade, np.uint8)
    net = made(name, 3, (40, 40))
    assert torch.isfinite(net(floats(blank))).all()  # before it has learnt anything
    net.features.observe(net.features.seen(blank), seed=0)
    assert torch.isfinite(net(floats(blank))).all()
    assert torch.isfinite(net(floats(seen(3, (40, 40))))).all()


@every
def test_nothing_but_the_head_wants_a_gradient(name: str) -> None:
    net = made(name, 3, (32, 32))
    assert {key for key, _ in net.named_parameters()} == {"svm.weight", "svm.bias"}
    net(floats(seen(3, (32, 32)))).square().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@every
def test_torch_runs_it_and_nothing_else_tries(name: str) -> None:
    net, pre = taught(name, 3, (32, 32)), Preprocessing((32, 32), mean=(0,) * 3, std=(1,) * 3)
    shown = seen(3, (32, 32))
    runtime = runtimes.fastest(net, pre, device="cpu", examples=shown)
    assert runtime.name == "torch on cpu in float32"
    with torch.no_grad():
        np.testing.assert_allclose(runtime.run(shown), net(floats(shown)), atol=1e-5)
    with pytest.raises(Exception, match="trace"):
        torch.jit.trace(net, floats(shown), check_trace=False)


@every
def test_it_is_described_without_being_built(name: str) -> None:
    width = made(name, 3, (32, 32)).num_features
    assert nets.parameters(name) == 1000 * (width + 1)


@every
def test_a_run_counts_and_leaves_a_model(name: str, tmp_path: Path) -> None:
    data = shapes.read(60)
    model = opsin.train(data, Recipe(net=name, epochs=1), out=tmp_path / "run")
    assert model.about["policy"] == "count"
    assert model.preprocessing.mean == (0.0,) * 3
    shown = [sample.image for sample in data.samples[:4]]
    again = opsin.Model.load(tmp_path / "run")
    said, told = model.predict(shown), again.predict(shown)
    assert said == told
    for answer in said:
        assert isinstance(answer.result, opsin.Label)
        assert sum(answer.result.scores.values()) == pytest.approx(1)


def test_numbers_are_counted_too(tmp_path: Path) -> None:
    model = opsin.train(discs.read(80, 0, side=32), Recipe(net="lbp", epochs=1), out=tmp_path / "r")
    assert model.about["policy"] == "count"
    assert model.about["metrics"]["mae"]["value"] < 12  # what the median alone is off by


@every
@pytest.mark.parametrize("policy", ["scratch", "full", "probe", "upper"])
def test_a_policy_that_trains_is_refused(name: str, policy: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the policy count"):
        opsin.train(shapes.read(20), Recipe(net=name, policy=policy), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("net", ["auto", "lenet5", "mobilenet_v2"])
def test_counting_wants_a_net_that_counts(net: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="colour_histogram"):
        opsin.train(shapes.read(20), Recipe(net=net, policy="count"), out=tmp_path / "run")


def test_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no pretrained weights"):
        opsin.train(shapes.read(20), Recipe(net="hog", weights="x.pth"), out=tmp_path / "run")
