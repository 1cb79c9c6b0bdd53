"""How long things take on this machine, measured before they are promised."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from opsin.engine.loop import Descent, Feed, Phase
from opsin.engine.policies._policy import Setting, course_of, forward

SPARE = 0.85  # of the time left is planned: machines are shared and slow down
LONGEST = 200  # epochs, where there is more time than use for it
MOST = 200  # steps that are tried
UNBOUNDED = 20  # epochs, where neither time nor epochs are given


def plan_epochs(setting: Setting, seconds: float) -> int:
    """Return how many epochs the recipe asks for, or how many of ``seconds`` fit into the time."""
    if setting.recipe.epochs is not None:
        return setting.recipe.epochs
    if setting.clock.budget is None:
        return UNBOUNDED
    return max(1, min(LONGEST, int(SPARE * setting.clock.left() / seconds)))


def epoch_seconds(
    setting: Setting, net: nn.Module, feed: Feed, held_out: Any, **usual: Any
) -> float:
    """Return the seconds an epoch takes, judging included, from a few steps on a copy of the net.

    Nothing is tried where the number of epochs does not depend on it.
    """
    if setting.clock.budget is None:
        return 0.0
    if hasattr(net, "forget"):  # it remembers what it has judged: the first look alone takes long
        forward(setting.fabric, net.eval(), held_out)
    judging = timed(lambda: forward(setting.fabric, net.eval(), held_out))
    return feed.steps * step_seconds(setting, net, feed, **usual) + judging


def step_seconds(
    setting: Setting, net: nn.Module, feed: Feed, *, enough: float = 1.0, **defaults: Any
) -> float:
    """Return the seconds a training step takes: the mean over ``enough`` seconds of steps."""
    twin = copy.deepcopy(net)
    learning = [p for p in twin.parameters() if p.requires_grad]

    def loss(net: nn.Module, inputs: Any, targets: Any) -> Any:
        return setting.task.terms(net, inputs, targets, setting.recipe)

    trial = Descent(
        setting.fabric,
        twin,
        [Phase("trial", [(learning, 1.0)], loss)],
        feed,
        course_of(setting, 1, **defaults),
        judge=lambda _: (0.0, {}),
    )
    timed(trial.step)  # the first one pays for memory and for choosing kernels
    taken: list[float] = []
    while not agreed(setting.fabric, sum(taken) >= enough or len(taken) == MOST):
        trial.state.step %= feed.steps  # an epoch may be a single step
        taken.append(timed(trial.step))
    return sum(taken) / len(taken)


def agreed(fabric: Fabric, wish: bool) -> bool:
    """Say what the first process wishes: steps are taken by all of them or by none."""
    return wish if fabric.world_size == 1 else bool(fabric.broadcast(wish))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began
