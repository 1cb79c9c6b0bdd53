"""The contract of a policy: one way of learning. A policy is one file here, found by its name.

It offers ``learn(setting, start)``, a generator of events that returns what was learnt. ``start``
is what an earlier policy of the same run has learnt, or None.

Shapes: N pictures, C channels, H and W of the working size, K outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from typing import Any, Protocol, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from opsin import nets, plugins, runtimes
from opsin.augment import Chain
from opsin.data.decode import centre
from opsin.data.preprocess import Preprocessing
from opsin.engine.clock import Clock
from opsin.engine.loop import Course, Descent, Feed, Phase
from opsin.engine.store import Store, once
from opsin.errors import RecipeError
from opsin.events import Event, Finished, Note, Started
from opsin.nets import detectors
from opsin.nets.weights import Weights
from opsin.recipe import Recipe
from opsin.results import Placement, Result
from opsin.tasks import Task


@dataclass(frozen=True)
class Part:
    """Is one side of a split: pixels (N, C, H, W) at the working size, and their truths in it.

    ``placements`` (N,) say where each picture lay before, for truths that say where something is.
    """

    pixels: NDArray[np.uint8]
    truths: Sequence[Result]
    placements: Sequence[Placement] = ()

    def restored(self, results: Sequence[Result]) -> list[Result]:
        """Return results (N,) as they are in the pictures as they came."""
        if not self.placements:
            return list(results)
        return [r.restored(p) for r, p in zip(results, self.placements, strict=True)]

    def __len__(self) -> int:
        return len(self.truths)


@dataclass(frozen=True)
class Ready:
    """Is a pretrained net, and the runtime that runs it up to its last features."""

    net: nn.Module
    runtime: runtimes.Runtime


@dataclass(frozen=True)
class Setting:
    """Is everything a policy works with; fixed before it starts."""

    recipe: Recipe
    task: Task
    net: str
    weights: Weights | None
    pre: Preprocessing
    chain: Chain
    train: Part
    validation: Part
    fabric: Fabric
    clock: Clock
    store: Store
    ready: Ready | None = None  # a net that was tried already

    @cached_property
    def frozen(self) -> Ready:
        """Return the pretrained net in the fastest runtime."""
        if self.weights is None:
            raise RecipeError(
                f"policy={self.recipe.policy} without pretrained weights",
                expected="a net that has learnt something",
                remedy="Use --policy scratch, or a net with weights (see `opsin nets`).",
            )
        if self.ready is not None:
            # Its head is of another size: any head will do, since the probe fits one.
            nets.set_head(self.ready.net, nets.head(self.build()))
            return self.ready
        net = self.build().eval()
        runtime = runtimes.fastest(
            nets.headless(net), self.pre, device=self.recipe.device, examples=self.examples
        )
        return Ready(net, runtime)

    @cached_property
    def examples(self) -> NDArray[np.uint8]:
        """Return a few training pictures (n, C, h, w) as the net sees them."""
        step = max(1, len(self.train) // 16)
        return np.ascontiguousarray(centre(self.train.pixels[::step][:16], self.pre))

    @cached_property
    def rate(self) -> float:
        """Return how many pictures a second the net sees: frozen in a runtime, or as it trains."""
        if self.task.linear:
            return runtimes.throughput(self.frozen.runtime, self.examples)
        net, seen = self.build().eval(), Centres(self.examples, replace(self.pre, crop=1.0))
        began = time.perf_counter()
        forward(self.fabric, net.to(self.fabric.device), seen)
        return len(seen) / (time.perf_counter() - began)

    def once(self, name: str, decide: Callable[[], Any]) -> Any:
        """Return a decision that is taken once in a run, by the first process for all of them."""
        return once(self.fabric, self.store, name, decide)

    def build(self) -> nn.Module:
        """Return the net with a fresh head and, where there are any, its pretrained weights."""
        torch.manual_seed(self.recipe.seed)
        net = nets.build(
            self.net,
            outputs=self.task.outputs,
            channels=self.pre.channels,
            size=self.pre.size,
            dropout=self.recipe.dropout,
            fill=None if self.weights is None else self.weights.load,
        )
        if self.weights is not None and isinstance(net, detectors.Detector):
            net.settle()
        # Channels last is what processors convolve fastest: LeNet at 26,000 instead of 18,700/s.
        return net.to(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Learnt:
    """Is a net that can be used, with its score on validation data and how it came about."""

    net: nn.Module
    policy: str
    score: float
    outputs: NDArray[np.float32] | None = None  # of train, each by a head that had not seen it
    note: str = ""
    snapshots: Sequence[Mapping[str, Tensor]] = ()  # weights of the net that were kept on the way


class Policy(Protocol):
    """Is a module of this folder."""

    def plan(self, setting: Setting) -> list[tuple[str, float]]:
        """Return the parts of the work with the seconds each should take on this machine."""

    def learn(self, setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
        """Learn within the clock of the setting, telling what happens."""


def names() -> list[str]:
    """Return the policies there are: the files of this folder.

    >>> "probe" in names()
    True
    """
    return plugins.names("opsin.engine.policies")


def find(name: str) -> Policy:
    """Return the policy called ``name``; raise ``RecipeError`` where there is no such file."""
    return cast("Policy", plugins.load("opsin.engine.policies", name, "policy", RecipeError))


def forward(
    fabric: Fabric, net: nn.Module, inputs: Sequence[Tensor] | Any, batch: int = 128
) -> NDArray[np.float32]:
    """Return outputs (N, K) of a net in evaluation mode; each process runs its own share.

    ``inputs`` is anything that gives float tensors (B, ...) for a slice.
    """
    rank, world = fabric.global_rank, fabric.world_size
    share = -(-len(inputs) // world)
    mine = range(min(rank * share, len(inputs) - 1), min(len(inputs), (rank + 1) * share))
    outputs = []
    with torch.inference_mode(), fabric.autocast():
        for start in range(mine.start, mine.stop, batch):
            chosen = inputs[start : min(start + batch, mine.stop)]
            outputs.append(net(fabric.to_device(chosen)).float().cpu())
    found = torch.cat(outputs) if outputs else torch.zeros(0)
    if world > 1:  # everyone fills in its rows, and the sum holds all of them
        rows = torch.zeros(len(inputs), *found.shape[1:])
        if rank * share < len(inputs):  # who has no share ran a row for its shape alone
            rows[mine.start : mine.stop] = found
        found = cast("Tensor", fabric.all_reduce(rows, reduce_op="sum"))
    return cast("NDArray[np.float32]", found.numpy())


class Centres:
    """Gives the central crops of pixels (N, C, H, W) as normalised float tensors, by slices."""

    def __init__(self, pixels: NDArray[np.uint8], pre: Preprocessing) -> None:
        self.views = centre(pixels, pre)
        self.mean = torch.tensor(pre.mean).view(1, -1, 1, 1) * 255
        self.std = torch.tensor(pre.std).view(1, -1, 1, 1) * 255

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, chosen: slice) -> Tensor:
        raw = torch.from_numpy(np.ascontiguousarray(self.views[chosen]))
        floats = (raw.float() - self.mean) / self.std
        return floats.contiguous(memory_format=torch.channels_last)


def descend(
    setting: Setting,
    name: str,
    net: nn.Module,
    groups: Sequence[tuple[Sequence[nn.Parameter], float]],
    feed: Feed,
    course: Course,
    held_out: Sequence[Tensor] | Any,
) -> Generator[Event, None, float]:
    """Train ``net`` on one phase and leave it with its best weights; return their score.

    ``held_out`` gives the inputs of the validation pictures. Goes on from the checkpoint ``name``
    of the run where there is one.
    """
    task, fabric, store = setting.task, setting.fabric, setting.store
    truths = setting.validation.truths
    targets = task.encode(truths)

    def loss(net: nn.Module, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return task.terms(net, inputs, targets, setting.recipe)

    def judge(net: nn.Module) -> tuple[float, dict[str, float]]:
        outputs = forward(fabric, net, held_out)
        score = task.score(outputs, truths)
        terms = task.loss(torch.from_numpy(outputs), targets, setting.recipe)
        told = {f"validation {name}": float(value) for name, value in terms.items()}
        return task.sign * score, told | {f"validation {task.better}": round(score, 4) + 0.0}

    descent = Descent(fabric, net, [Phase(name, groups, loss)], feed, course, judge, name=name)
    if kept := store.kept(name):
        descent.restore(*kept)
    done = descent.state.epoch * feed.steps + descent.state.step
    yield Started(name, max(0, descent.total - done), "steps")
    before = setting.clock.spent()

    def save(tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        if fabric.is_global_zero:
            store.keep(name, tensors, plain)
            store.note(spent=setting.clock.spent())

    yield from descent.events(setting.clock, save)
    if descent.stale and descent.state.epoch < course.epochs:
        yield Note(f"{name} ended after {course.patience} epochs without gain.")
    if not descent.state.weights:  # the clock ran out within the first epoch
        score, _ = judge(net.eval())
        best = score
    else:
        net.load_state_dict(descent.state.weights)
        best = descent.state.best
    net.eval()
    seconds = setting.clock.spent() - before
    yield Finished(name, seconds, f"validation {task.better} {task.sign * best:.3f}")
    return task.sign * best


def batch_of(setting: Setting, usual: int) -> int:
    """Return the pictures in a step: as asked, but so that every part and process gets as many."""
    parts: int = setting.recipe.accumulate * setting.fabric.world_size
    most = min(setting.recipe.batch or usual, len(setting.train))
    if most < parts:
        raise RecipeError(
            f"a step of {most} pictures in {parts} parts",
            expected="at least one picture in each part",
            remedy="Give a larger --batch or a smaller --accumulate.",
        )
    return most - most % parts


def course_of(setting: Setting, epochs: int, **defaults: Any) -> Course:
    """Return the course the recipe asks for; ``defaults`` stand where it says nothing.

    Their ``rates`` suit steps of ``rated`` pictures, or of ``batch``. Smaller steps are noisier and
    want less: in proportion (Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.1), by
    the root of it with AdamW, whose steps are divided by that noise (Malladi et al., On the SDEs
    and Scaling Rules for Adaptive Gradient Algorithms, 2022, section 5).
    """
    recipe = setting.recipe
    optimizer = recipe.optimizer if recipe.optimizer != "auto" else None
    chosen = {
        "rate": recipe.rate,
        "decay": recipe.decay,
        "optimizer": optimizer,
        "patience": recipe.patience,
        "average": recipe.average or None,
        "clip": recipe.clip,
    }
    rates, usual = defaults.pop("rates"), defaults.pop("batch")
    descent = optimizer or defaults["optimizer"]
    smaller = min(1.0, batch_of(setting, usual) / defaults.pop("rated", usual))
    course = Course(
        epochs=epochs,
        rate=rates[descent] * (smaller if descent == "sgd" else sqrt(smaller)),
        seed=recipe.seed,
        momentum=recipe.momentum,
        schedule=recipe.schedule,
        warmup=recipe.warmup,
        accumulate=recipe.accumulate,
        snapshots=recipe.snapshots,
    )
    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(course, **(defaults | given))
