"""Probe first, so that there is a usable model; then train what the data asks for; keep the better.

The guideline (Yosinski et al., How transferable are features in deep neural networks?, 2014): new
pictures similar to those the net has learnt from want only its last layers trained, others want all
but the lowest. Similar or not is measured: where a probe on the last features makes far fewer
mistakes than one on features half way up, the upper layers' knowledge serves the new pictures too.
"""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from opsin import nets, runtimes
from opsin.data.decode import centre
from opsin.engine import features
from opsin.engine.policies import probe, upper
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event, Finished, Note, Started

LOOKED_AT = 600  # training pictures that similarity is measured on
SIMILAR = 0.75  # mistakes with the last features over those half way: clothing 0.57, MNIST 1.0
LEAST = 12.0  # seconds below which training on would change nothing


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the best model on validation data; never one worse than the probe."""
    first = yield from probe.learn(setting, None)
    if setting.clock.asked or (setting.recipe.epochs is None and setting.clock.left() < LEAST):
        yield Note("No time is left to train further: the probe it is.")
        return first
    boundary = setting.store.facts().get("boundary") or (yield from _boundary(setting, first))
    setting.once("boundary", lambda: boundary)
    trained = replace(first, net=copy.deepcopy(first.net))
    second = yield from upper.learn(setting, trained, boundary=boundary)
    sign, better = setting.task.sign, setting.task.better
    found = f"validation {better} {second.score:.3f} against {first.score:.3f} of the probe"
    if sign * second.score >= sign * first.score:
        yield Note(f"Training from {boundary} up was worth it: {found}.")
        return second
    yield Note(f"Training from {boundary} up did not help, the probe stays: {found}.")
    return first


class Averaged(nn.Module):
    """Is the lower part of a net with its activations averaged over the picture: (B, C')."""

    def __init__(self, lower: nn.Module) -> None:
        super().__init__()
        self.lower = lower

    def forward(self, images: Tensor) -> Tensor:
        """Return averaged activations (B, C')."""
        activations: Tensor = self.lower(images)
        return activations.flatten(2).mean(2)


def _boundary(setting: Setting, first: Learnt) -> Generator[Event, None, str]:
    """Return the stage to train from: high up where the pictures are like ImageNet's, else low."""
    stages = nets.stages(first.net)
    middle = stages[len(stages) // 2]
    part = "similarity"
    yield Started(part)
    began, task = setting.clock.spent(), setting.task
    step = max(1, len(setting.train) // LOOKED_AT)
    images = np.ascontiguousarray(centre(setting.train.pixels, setting.pre)[::step])
    truths = setting.train.truths[::step]
    wrong = {}
    for name, net in (
        ("half way", Averaged(nets.cut(first.net, middle)[0])),
        ("last", probe.Pooled(first.net)),
    ):
        runtime = runtimes.fastest(
            net, setting.pre, device=setting.recipe.device, examples=images[:8]
        )
        found = yield from features.compute(runtime, images, setting.clock, part=f"{name} features")
        score = task.score(task.solve(found, truths, setting.recipe.seed).outputs, truths)
        wrong[name] = 1 - score if task.sign > 0 else score
    ratio = wrong["last"] / max(wrong["half way"], 1e-9)
    similar = ratio < SIMILAR
    yield Finished(part, setting.clock.spent() - began)
    yield Note(
        f"The last features make {ratio:.2f} × the mistakes of those half way: the pictures are "
        f"{'like' if similar else 'unlike'} ImageNet's, so {'few' if similar else 'most'} layers "
        "are trained."
    )
    return stages[(2 if similar else 1) * len(stages) // 3]
