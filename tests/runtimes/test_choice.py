"""The choice of a runtime: fast where it agrees, plain torch where nothing else does."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from opsin import nets, runtimes
from opsin.data.preprocess import Preprocessing
from opsin.errors import RecipeError
from opsin.runtimes import _choice, openvino

PRE = Preprocessing((32, 32), crop=1.0)


def net() -> nn.Module:
    torch.manual_seed(0)
    return nets.build("lenet5", outputs=4, channels=3, size=PRE.size).eval()


def pictures(n: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 3, *PRE.size), dtype=np.uint8)


def test_the_fastest_here_agrees_with_float32() -> None:
    found = runtimes.fastest(net(), PRE, device="cpu", examples=pictures())
    plain = runtimes.load("torch", net(), PRE, device="cpu", precision="float32")
    assert runtimes.difference(found.run(pictures()), plain.run(pictures())) < 0.15
    if openvino.available("cpu"):
        assert found.name.startswith("OpenVINO")


def test_the_precision_asked_for_is_used() -> None:
    found = runtimes.fastest(net(), PRE, device="cpu", precision="float32", examples=pictures())
    assert found.precision == "float32"


class Fine(nn.Module):
    """Takes the small difference of two large activations: beyond bf16, not beyond float32."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.large = nn.Conv2d(3, 2, 32)
        self.small = nn.Conv2d(2, 3, 1, bias=False)
        with torch.no_grad():
            self.large.bias.fill_(1000)
            self.small.weight.copy_(torch.tensor([[1, -1], [-1, 1], [2, -2]]).view(3, 2, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.small(self.large(x).relu()).flatten(1)
        return outputs


def test_what_disagrees_gives_way() -> None:
    found = runtimes.fastest(Fine(), PRE, device="cpu", examples=pictures())
    assert found.precision == "float32"


def test_what_cannot_be_converted_runs_in_torch() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.linalg.svdvals(x.mean(1))

    found = runtimes.fastest(Odd(), PRE, device="cpu", precision="float32", examples=pictures())
    assert found.name.startswith("torch")


def test_without_openvino_torch_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "available", lambda device: False)
    assert runtimes.fastest(net(), PRE, device="cpu").name.startswith("torch")


def test_difference_by_hand() -> None:
    wanted = np.array([[1.0, -1.0], [-1.0, 1.0]], np.float32)  # standard deviation 1
    found = wanted + np.array([[0.3, 0.4], [0.0, 0.0]], np.float32)
    assert runtimes.difference(found, wanted) == pytest.approx(np.sqrt((0.09 + 0.16) / 2), rel=1e-5)
    assert runtimes.difference(np.full_like(wanted, np.nan), wanted) == float("inf")
    assert runtimes.difference(wanted, wanted) == 0


def test_a_clear_winner_must_win_again() -> None:
    wanted = np.zeros((1, 1000), np.float32)
    wanted[0, :2] = 10, 6
    swapped = wanted.copy()
    swapped[0, :2] = 6, 6.5
    assert runtimes.difference(swapped, wanted) < 0.5
    assert not _choice.agrees(swapped, wanted)


class Metronome:
    """Takes a millisecond a picture."""

    name, device, precision = "metronome", "cpu", "float32"

    def run(self, images: np.ndarray) -> np.ndarray:
        time.sleep(0.001 * len(images))
        return np.zeros((len(images), 1), np.float32)

    def stream(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        yield from map(self.run, batches)


def test_throughput_is_measured_in_little_time() -> None:
    began = time.perf_counter()
    speed = runtimes.throughput(Metronome(), pictures(20), seconds=0.2)
    assert 300 < speed <= 1000
    assert time.perf_counter() - began < 1


def test_an_unknown_runtime_is_told_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="openvino, torch"):
        runtimes.find("abacus")


def test_converting_says_nothing_and_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO's own ``convert_model`` sends usage data; our way does not go through it."""
    ov = pytest.importorskip("openvino")
    monkeypatch.setattr(ov, "convert_model", lambda *a, **k: pytest.fail("would report"))
    runtimes.load("openvino", net(), PRE, device="cpu", precision="float32")


def test_scores_of_candidates_are_judged_beside_scores() -> None:
    draws = np.random.default_rng(0)
    boxes, scores = draws.uniform(0, 300, (4, 50, 4)), draws.uniform(0, 0.02, (4, 50, 1))
    wanted = np.concatenate([boxes, scores], axis=2).astype(np.float32)
    moved, unsure = wanted.copy(), wanted.copy()
    moved[..., :4] += 1.0  # a pixel of a spread of 87
    unsure[..., 4] *= 0.1  # a hundredth of a pixel, and another detector
    assert runtimes.difference(moved, wanted) == pytest.approx(1 / 87, rel=0.05)
    assert runtimes.difference(unsure, wanted) > 1
    assert _choice.agrees(moved, wanted)
    assert not _choice.agrees(unsure, wanted)
    steady = np.zeros_like(wanted)
    steady[..., 4] = 0.5  # no spread at all: a rounding is no difference
    rounded = steady.copy()
    rounded[..., 4] += np.float32(1e-7)
    assert 0 < runtimes.difference(rounded, steady) < 0.15


@pytest.mark.parametrize("kind", ["yolo", "ssd"])
def test_detectors_agree_in_every_runtime(kind: str) -> None:
    torch.manual_seed(0)
    found = nets.build(f"{kind} on resnet18", outputs=2, channels=3, size=(64, 64)).eval()
    pre = Preprocessing((64, 64), crop=1.0)
    seen = np.random.default_rng(0).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8)
    plain = runtimes.load("torch", found, pre, device="cpu", precision="float32").run(seen)
    other = runtimes.load("openvino", found, pre, device="cpu", precision="float32").run(seen)
    np.testing.assert_allclose(other[..., :4], plain[..., :4], atol=0.05)
    np.testing.assert_allclose(other[..., 4:], plain[..., 4:], atol=1e-4)
