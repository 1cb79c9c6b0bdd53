"""What ``scratch`` and ``full`` share: training on augmented pictures for as long as there is time.

The number of epochs is planned from measured steps before the first one, so that the learning rate
comes down in time and a resumed run follows the same course.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from torch import nn

from opsin.engine.feed import Order, PictureFeed
from opsin.engine.plan import plan_epochs
from opsin.engine.policies._policy import Centres, Setting, course_of, descend, forward
from opsin.events import Event


def train(
    setting: Setting,
    name: str,
    net: nn.Module,
    groups: Sequence[tuple[Sequence[nn.Parameter], float]],
    *,
    batch: int,
    **defaults: Any,
) -> Generator[Event, None, float]:
    """Train ``net`` on augmented pictures and return its best validation score."""
    recipe, task = setting.recipe, setting.task
    order = Order(len(setting.train), recipe.batch or batch, recipe.seed)
    targets = task.encode(setting.train.truths)
    feed = PictureFeed(
        setting.train.pixels,
        targets,
        order,
        setting.chain,
        setting.pre,
        mixup=recipe.mixup,
        mix=task.mix,
    )
    held_out = Centres(setting.validation.pixels, setting.pre)

    def judge() -> None:
        forward(setting.fabric, net.eval(), held_out)

    epochs = setting.once(
        f"{name} epochs", lambda: plan_epochs(setting, net, feed, judge, **defaults)
    )
    course = course_of(setting, epochs, **defaults)
    return (yield from descend(setting, name, net, groups, feed, course, held_out))
