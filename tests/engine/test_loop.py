"""The loop: resumed equals uninterrupted, accumulation equals one batch, averages and patience."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from opsin.engine import checkpoint
from opsin.engine.clock import Clock
from opsin.engine.feed import Order
from opsin.engine.loop import Course, Descent, Phase
from opsin.events import Epoch
from opsin.ops.seeding import generator


class Points:
    """Feeds points of two clouds."""

    def __init__(self, batch: int = 16) -> None:
        draw = generator(7)
        self.x = torch.randn(64, 5, generator=draw)
        self.y = (self.x[:, 0] > 0).long()
        self.order = Order(64, batch, seed=3)
        self.steps = self.order.steps

    def batch(self, epoch: int, step: int, part: int, parts: int) -> tuple[Tensor, Tensor]:
        chosen = self.order.slice(epoch, step, part, parts)
        return self.x[chosen], self.y[chosen]


def descent(feed: Points, **course: Any) -> Descent:
    torch.manual_seed(0)
    layers = (nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    if course.pop("plain", False):
        layers = (nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
    net = nn.Sequential(*layers)

    def loss(net: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"loss": nn.functional.cross_entropy(net(x), y)}

    def judge(net: nn.Module) -> tuple[float, dict[str, float]]:
        with torch.no_grad():
            right = float((net(feed.x).argmax(1) == feed.y).float().mean())
        return right, {"right": right}

    fabric = Fabric(accelerator="cpu", devices=1)
    settings = {"epochs": 4, "rate": 0.1} | course
    phase = Phase("all", [(list(net.parameters()), 1.0)], loss)
    return Descent(fabric, net, [phase], feed, Course(**settings), judge)


def weights(each: Descent) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in each.bare.state_dict().items()}


def assert_same(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        assert torch.equal(left[name], right[name]), name


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("stop", [1, 4, 7, 13])
def test_resumed_ends_in_the_same_bits(tmp_path: Any, optimizer: str, stop: int) -> None:
    settings = {"optimizer": optimizer, "average": 0.9, "clip": 1.0}
    whole = descent(Points(), **settings)
    told = [event for event in whole.events(Clock()) if isinstance(event, Epoch)]

    cut = descent(Points(), **settings)
    steps: Iterator[Any] = cut.events(Clock())
    seen = 0
    while seen < stop:
        seen += not isinstance(next(steps), Epoch)
    checkpoint.save(tmp_path / "c.safetensors", *cut.snapshot())

    resumed = descent(Points(), **settings)
    resumed.restore(*checkpoint.load(tmp_path / "c.safetensors"))
    rest = [event for event in resumed.events(Clock()) if isinstance(event, Epoch)]
    assert_same(weights(resumed), weights(whole))
    assert_same(resumed.state.weights, whole.state.weights)
    assert [e.terms for e in rest] == [e.terms for e in told][-len(rest) :]
    assert resumed.state.best == whole.state.best


@pytest.mark.parametrize("schedule", ["cyclic", "flat"])
def test_snapshots_are_kept_and_resumed_to_the_same_bits(tmp_path: Any, schedule: str) -> None:
    settings = {"epochs": 5, "schedule": schedule, "snapshots": 3, "warmup": 0.1, "average": 0.5}
    whole = descent(Points(), **settings)
    kept = []
    for event in whole.events(Clock()):
        if len(whole.state.snapshots) > len(kept):  # at the end of a cycle, whatever the epoch
            assert not isinstance(event, Epoch)
            now = whole.judged.state_dict()
            kept.append({name: tensor.clone() for name, tensor in now.items()})
    assert len(kept) == 3
    for one, other in zip(whole.state.snapshots, kept, strict=True):
        assert_same(one, other)
    for stop in (5, 9, 17):
        cut = descent(Points(), **settings)
        steps: Iterator[Any] = cut.events(Clock())
        for _ in range(stop):
            next(steps)
        checkpoint.save(tmp_path / "c.safetensors", *cut.snapshot())
        resumed = descent(Points(), **settings)
        resumed.restore(*checkpoint.load(tmp_path / "c.safetensors"))
        list(resumed.events(Clock()))
        assert_same(weights(resumed), weights(whole))
        for one, other in zip(resumed.state.snapshots, whole.state.snapshots, strict=True):
            assert_same(one, other)


def test_accumulated_parts_weigh_as_one_batch() -> None:
    whole = descent(Points(), plain=True)
    parts = descent(Points(), plain=True, accumulate=4)
    assert whole.total == parts.total
    list(whole.events(Clock()))
    list(parts.events(Clock()))
    for one, other in zip(weights(whole).values(), weights(parts).values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_best_epoch_is_kept_and_patience_ends_early() -> None:
    each = descent(Points(), epochs=50, patience=3, rate=0.5)
    told = [event for event in each.events(Clock()) if isinstance(event, Epoch)]
    best = max(range(len(told)), key=lambda i: told[i].terms["right"])
    assert each.state.best == told[best].terms["right"]
    assert each.state.best_epoch == best
    assert len(told) == best + 1 + 3


def test_the_clock_ends_after_a_step_and_still_judges() -> None:
    clock = Clock()
    each = descent(Points(), epochs=1000)
    told = []
    for event in each.events(clock):
        told.append(event)
        if len(told) == 6:
            clock.stop()
    assert each.state.weights
    assert isinstance(told[-1], Epoch)
    assert len(told) == 7  # 4 steps, an epoch, 1 step, the epoch that was cut short


def test_loss_falls() -> None:
    each = descent(Points(), epochs=30)
    told = [event for event in each.events(Clock()) if isinstance(event, Epoch)]
    assert told[-1].terms["loss"] < 0.5 * told[0].terms["loss"]
    assert told[-1].terms["right"] > 0.9
