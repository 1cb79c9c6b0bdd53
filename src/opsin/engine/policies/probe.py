"""Freeze all convolutions, compute their features once, fit a regularised linear head on them.

The strongest simple transfer method there is when the new pictures resemble those the net has seen
(Kornblith, Shlens & Le, Do Better ImageNet Models Transfer Better?, 2019, section 4.1).
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from torch import nn

from opsin import nets, runtimes
from opsin.data.decode import centre
from opsin.engine import features
from opsin.engine.policies._policy import Learnt, Setting
from opsin.errors import RecipeError
from opsin.events import Event, Finished, Started


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the pretrained net with the head that fits its features best."""
    if setting.weights is None:
        raise RecipeError(
            "policy=probe without pretrained weights",
            expected="a net that has learnt something",
            remedy="Use --policy scratch, or a net with weights (see `opsin nets`).",
        )
    net = setting.build().eval()
    views = [centre(part.pixels, setting.pre) for part in (setting.train, setting.validation)]
    runtime = runtimes.fastest(
        nets.headless(net), setting.pre, device=setting.recipe.device, examples=views[0][:8]
    )
    seen = yield from features.compute(runtime, views[0], setting.clock)
    held = yield from features.compute(runtime, views[1], setting.clock, part="validation features")

    yield Started("head")
    began, task = setting.clock.spent(), setting.task
    head = task.solve(seen, setting.train.truths, setting.recipe.seed)
    nets.set_head(net, as_linear(head.weight, head.bias))
    outputs = held @ head.weight.T + head.bias
    score = task.score(outputs, setting.validation.truths)
    told = f"{head.note}; validation {task.better} {score:.3f}"
    yield Finished("head", setting.clock.spent() - began, told)
    return Learnt(net, "probe", score, head.outputs, told)


def as_linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    """Return a linear layer with this weight (K, F) and bias (K,)."""
    outputs, inputs = weight.shape
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight))
        linear.bias.copy_(torch.from_numpy(bias))
    return linear
