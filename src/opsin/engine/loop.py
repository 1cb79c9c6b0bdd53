"""The loop every net learns in: a generator that tells what happens and decides nothing else.

It knows phases, precision, accumulation, clipping, schedule, averaging and resume; it does not know
tasks, bars or files. Every random draw is a function of (seed, epoch, step, rank), so a run that
was killed and goes on from its last checkpoint ends in the same bits as one that was not.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from opsin.engine import checkpoint
from opsin.engine.clock import Clock
from opsin.engine.schedule import ends, factor
from opsin.errors import RecipeError
from opsin.events import Advanced, Epoch, Event
from opsin.ops.seeding import number, reseed


class Feed(Protocol):
    """Gives batches; what it gives is a function of (epoch, step, part) and its own seed."""

    steps: int  # in an epoch

    def batch(self, epoch: int, step: int, part: int, parts: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of one of the ``parts`` equal slices of a batch."""


@dataclass(frozen=True)
class Phase:
    """Is what one optimizer descends on: parameters in groups (each with a factor on the rate)."""

    name: str
    groups: Sequence[tuple[Sequence[nn.Parameter], float]]
    loss: Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Course:
    """Holds the numbers of a descent; everything is fixed before the first step."""

    epochs: int
    rate: float
    seed: int = 0
    optimizer: str = "sgd"
    momentum: float = 0.9
    decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.1
    accumulate: int = 1
    clip: float | None = None
    average: float = 0.0
    patience: int | None = None
    snapshots: int = 0  # weights kept on the way, at the ends of so many equal parts


@dataclass
class State:
    """Is what changes while a descent goes on; all of it goes into a checkpoint."""

    epoch: int = 0
    step: int = 0  # within the epoch
    best: float = float("-inf")
    best_epoch: int = -1
    sums: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)  # of the best epoch
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)


class Descent:
    """Trains ``net`` along ``course``; iterate over ``events()``, then read ``state.weights``.

    ``judge(net)`` returns the score to maximise and named terms to record; ``clock`` may end the
    descent after any step; ``save(tensors, header)`` is called at the end of each epoch and every
    ``every`` seconds between.
    """

    def __init__(
        self,
        fabric: Fabric,
        net: nn.Module,
        phases: Sequence[Phase],
        feed: Feed,
        course: Course,
        judge: Callable[[nn.Module], tuple[float, dict[str, float]]],
        *,
        name: str = "train",
    ) -> None:
        self.fabric, self.phases, self.feed, self.course = fabric, phases, feed, course
        self.judge, self.name, self.state = judge, name, State()
        self.bare = net
        self.averaged = copy.deepcopy(net).requires_grad_(False) if course.average else None
        optimizers = [_optimizer(phase, course) for phase in phases]
        self.net, *self.optimizers = fabric.setup(net, *optimizers)
        self.images = 0

    @property
    def total(self) -> int:
        """Return the number of optimizer steps of the whole course."""
        return self.course.epochs * self.feed.steps

    def events(
        self,
        clock: Clock,
        save: Callable[[dict[str, Tensor], dict[str, Any]], None] | None = None,
        every: float = 10.0,
    ) -> Iterator[Event]:
        """Descend to the end of the course or of the clock, telling each step and epoch."""
        state, course, saved = self.state, self.course, time.monotonic()
        while state.epoch < course.epochs and not self.stale:
            began = time.monotonic()
            while state.step < self.feed.steps and not self._over(clock):
                self.step()
                yield Advanced(self.name)
                if save and time.monotonic() - saved > every:
                    save(*self.snapshot())
                    saved = time.monotonic()
            if state.step == 0:
                break
            yield self._close_epoch(time.monotonic() - began)
            if save:
                save(*self.snapshot())
                saved = time.monotonic()
            if self._over(clock):
                break

    def _over(self, clock: Clock) -> bool:
        """Say whether to stop; all processes must agree, or those that go on wait forever."""
        if self.fabric.world_size == 1:
            return clock.over()
        votes = torch.tensor(float(clock.over()), device=self.fabric.device)
        return bool(self.fabric.all_reduce(votes, reduce_op="sum") > 0)

    @property
    def stale(self) -> bool:
        """Say whether the last ``patience`` epochs brought no better score."""
        patience = self.course.patience
        return patience is not None and self.state.epoch - 1 - self.state.best_epoch >= patience

    def step(self) -> None:
        """Take one step of each phase on the next batch."""
        state, course, fabric = self.state, self.course, self.fabric
        at = state.epoch * self.feed.steps + state.step
        scale = factor(
            at,
            self.total,
            schedule=course.schedule,
            warmup=course.warmup,
            cycles=course.snapshots,
        )
        # Dropout and its kin draw from torch's own generator: give it the same start at each step.
        key = (course.seed, state.epoch, state.step, fabric.global_rank)
        reseed(fabric.device, number(*key))
        parts = fabric.world_size * course.accumulate
        first = fabric.global_rank * course.accumulate
        self.net.train()
        for phase, optimizer in zip(self.phases, self.optimizers, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = course.rate * scale * group["share"]
            optimizer.zero_grad()
            for piece in range(course.accumulate):
                inputs, targets = self.feed.batch(state.epoch, state.step, first + piece, parts)
                self.images = len(targets) * parts  # in a step: all pieces are of one size
                inputs, targets = fabric.to_device((inputs, targets))
                with fabric.no_backward_sync(self.net, enabled=piece + 1 < course.accumulate):
                    terms = phase.loss(self.net, inputs, targets)
                    fabric.backward(torch.stack(list(terms.values())).sum() / course.accumulate)
                for name, term in terms.items():
                    self._add(name, float(term.detach()) / course.accumulate)
                if not all(map(math.isfinite, state.sums.values())):
                    raise RecipeError(
                        f"a loss that is not a number at a rate of {course.rate:g}",
                        expected="a rate at which the net still learns",
                        remedy=f"Try --rate {course.rate / 10:g}, or --clip 1.",
                    )
            if course.clip is not None:
                fabric.clip_gradients(self.net, optimizer, max_norm=course.clip)
            optimizer.step()
        self._follow(at)
        if course.snapshots and at + 1 in ends(self.total, course.snapshots, warmup=course.warmup):
            state.snapshots.append(_copied(self.judged))
        state.step += 1

    @property
    def judged(self) -> nn.Module:
        """Return the net that is judged and kept: the averaged one, where there is one."""
        return self.averaged or self.bare

    def _add(self, name: str, value: float) -> None:
        self.state.sums[name] = self.state.sums.get(name, 0.0) + value

    def _follow(self, at: int) -> None:
        """Move the averaged weights towards the net's (Polyak & Juditsky, 1992)."""
        if self.averaged is None:
            return
        keep = min(self.course.average, (1 + at) / (10 + at))  # forget the random start sooner
        with torch.no_grad():
            theirs = self.bare.state_dict()
            for name, mine in self.averaged.state_dict().items():
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs[name], 1 - keep)
                else:
                    mine.copy_(theirs[name])

    def _close_epoch(self, seconds: float) -> Epoch:
        """Judge the net, keep its weights if they are the best so far, and tell the numbers."""
        state, judged = self.state, self.judged
        terms = {name: value / state.step for name, value in state.sums.items()}
        judged.eval()
        score, more = self.judge(judged)
        best = score > state.best
        if best:
            state.best, state.best_epoch = score, state.epoch
            state.weights = _copied(judged)
        steps = state.epoch * self.feed.steps + state.step
        told = Epoch(
            self.name,
            state.epoch + 1,
            self.course.epochs,
            steps,
            seconds,
            terms | more,
            best,
            steps * self.images,
        )
        state.epoch, state.step, state.sums = state.epoch + 1, 0, {}
        return told

    def snapshot(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything needed to go on from here: tensors, and plain data."""
        state = self.state
        tensors = checkpoint.pack("net", self.bare.state_dict())
        tensors |= checkpoint.pack("best", state.weights)
        if self.averaged is not None:
            tensors |= checkpoint.pack("average", self.averaged.state_dict())
        for index, weights in enumerate(state.snapshots):
            tensors |= checkpoint.pack(f"snapshot{index}", weights)
        for index, optimizer in enumerate(self.optimizers):
            tensors |= checkpoint.pack(f"optimizer{index}", checkpoint.pack_optimizer(optimizer))
        plain = {
            "epoch": state.epoch,
            "step": state.step,
            "best": state.best if state.weights else None,
            "best_epoch": state.best_epoch,
            "sums": state.sums,
            "snapshots": len(state.snapshots),
        }
        return tensors, plain

    def restore(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Go back to where ``snapshot`` was taken."""
        self.bare.load_state_dict(checkpoint.unpack("net", tensors))
        if self.averaged is not None:
            self.averaged.load_state_dict(checkpoint.unpack("average", tensors))
        for index, optimizer in enumerate(self.optimizers):
            checkpoint.unpack_optimizer(optimizer, checkpoint.unpack(f"optimizer{index}", tensors))
        best = float("-inf") if plain["best"] is None else plain["best"]
        self.state = State(
            plain["epoch"],
            plain["step"],
            best,
            plain["best_epoch"],
            plain["sums"],
            checkpoint.unpack("best", tensors),
            snapshots(tensors, plain),
        )


def snapshots(tensors: dict[str, Tensor], plain: dict[str, Any]) -> list[dict[str, Tensor]]:
    """Return the weights that were kept on the way, from what ``Descent.snapshot`` returned."""
    return [checkpoint.unpack(f"snapshot{n}", tensors) for n in range(plain["snapshots"])]


def _copied(net: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a net as they are now, whatever becomes of it."""
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def _optimizer(phase: Phase, course: Course) -> torch.optim.Optimizer:
    """Build the optimizer of a phase; biases and norms (one axis or none) do not decay."""
    groups: list[dict[str, Any]] = []
    for parameters, share in phase.groups:
        for decays in (True, False):
            chosen = [p for p in parameters if p.requires_grad and (p.ndim > 1) is decays]
            decay = course.decay if decays else 0.0
            if chosen:
                groups.append({"params": chosen, "share": share, "weight_decay": decay})
    if course.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=course.rate)
    nesterov = course.momentum > 0
    # Not fused: those steps read memory in a row, and momenta come back in another layout.
    return torch.optim.SGD(groups, lr=course.rate, momentum=course.momentum, nesterov=nesterov)
