"""Freeze all convolutions, compute their features once, fit a regularised linear head on them.

The strongest simple transfer method there is when the new pictures resemble those the net has seen
(Kornblith, Shlens & Le, Do Better ImageNet Models Transfer Better?, 2019, section 4.1).
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from torch import nn

from opsin import nets
from opsin.data.decode import centre
from opsin.engine import features
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event, Finished, Started

LINEAR = True  # it is for tasks that a linear map of the last features can answer

HEAD = 3e-7  # seconds a picture and feature that fitting a head takes, cross-validation included


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return what a probe does and how long it should take, from a measured rate."""
    learning, checking = len(setting.train), len(setting.validation)
    fitting = HEAD * learning * nets.num_features(setting.frozen.net)
    return [
        ("features", learning / setting.rate),
        ("validation features", checking / setting.rate),
        ("head", 0.2 + fitting),
    ]


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the pretrained net with the head that fits its features best."""
    net, runtime, clock = setting.frozen.net, setting.frozen.runtime, setting.clock
    views = [centre(part.pixels, setting.pre) for part in (setting.train, setting.validation)]
    seen = yield from features.compute(runtime, views[0], clock)
    held = yield from features.compute(runtime, views[1], clock, part="validation features")

    yield Started("head")
    began, task = clock.spent(), setting.task
    head = task.solve(seen, setting.train.truths, setting.recipe)
    nets.set_head(net, as_linear(head.weight, head.bias))
    outputs = held @ head.weight.T + head.bias
    score = task.score(outputs, setting.validation.truths)
    told = f"{head.note}; validation {task.better} {score:.3f}"
    yield Finished("head", clock.spent() - began, told)
    return Learnt(net, "probe", score, head.outputs, told)


def as_linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    """Return a linear layer with this weight (K, F) and bias (K,)."""
    outputs, inputs = weight.shape
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight))
        linear.bias.copy_(torch.from_numpy(bias))
    return linear
