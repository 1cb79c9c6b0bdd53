"""What ``scratch`` and ``full`` share: training on augmented pictures for as long as there is time.

The number of epochs is planned from measured steps before the first one, so that the learning rate
comes down in time and a resumed run follows the same course.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from opsin.engine.feed import Order, PictureFeed
from opsin.engine.loop import snapshots
from opsin.engine.plan import epoch_seconds, plan_epochs
from opsin.engine.policies._policy import Centres, Setting, batch_of, course_of, descend
from opsin.events import Event


@dataclass(frozen=True)
class Training:
    """Is a net about to learn from pictures: everything that is fixed before the first step."""

    name: str
    net: nn.Module
    groups: Sequence[tuple[Sequence[nn.Parameter], float]]
    usual: Mapping[str, Any]  # of the course, where the recipe says nothing


def seconds(setting: Setting, training: Training) -> float:
    """Return how long the epochs will take that are asked for, or all the time that is left."""
    feed, held_out = _inputs(setting, training)
    each = epoch_seconds(setting, training.net, feed, held_out, **training.usual)
    epochs = setting.once(f"{training.name} epochs", lambda: plan_epochs(setting, each))
    return float(epochs * each)


def run(setting: Setting, training: Training) -> Generator[Event, None, float]:
    """Train on augmented pictures and return the best validation score."""
    feed, held_out = _inputs(setting, training)

    def decide() -> int:
        each = epoch_seconds(setting, training.net, feed, held_out, **training.usual)
        return plan_epochs(setting, each)

    epochs = setting.once(f"{training.name} epochs", decide)
    course = course_of(setting, epochs, **training.usual)
    return (
        yield from descend(
            setting, training.name, training.net, training.groups, feed, course, held_out
        )
    )


def kept(setting: Setting, training: Training) -> list[dict[str, Tensor]]:
    """Return the weights kept on the way, which lie in the last checkpoint of the training."""
    found = setting.store.kept(training.name) if setting.recipe.snapshots else None
    return snapshots(*found) if found else []


def _inputs(setting: Setting, training: Training) -> tuple[PictureFeed, Centres]:
    """Return what the net learns from and what it is judged on."""
    recipe, task, train = setting.recipe, setting.task, setting.train
    order = Order(len(train), batch_of(setting, training.usual["batch"]), recipe.seed)
    feed = PictureFeed(
        train.pixels,
        task.ready(training.net, train.pixels, task.encode(train.truths), recipe.seed),
        order,
        setting.chain,
        setting.pre,
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
        mosaic=0.0 if task.linear else recipe.mosaic,  # it takes boxes to say where they went
        mix=task.mix,
        move=task.move,
    )
    return feed, Centres(setting.validation.pixels, setting.pre)
