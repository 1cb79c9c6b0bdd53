"""Fine-tune every layer, the lower ones more slowly: they hold what all pictures share.

Discriminative learning rates: Howard & Ruder, ULMFiT, 2018, section 3.2.
"""

from __future__ import annotations

from collections.abc import Generator

from torch import nn

from opsin import nets
from opsin.engine.policies import _pictures, probe
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event
from opsin.ops.depthwise import quicken

SNAPSHOTS = True
FALL = 0.6  # of the rate from one group of layers to the one below
USUAL = {
    "batch": 32,
    "rates": {"adamw": 5e-4, "sgd": 0.01},
    "optimizer": "adamw",
    "decay": 0.02,
    "average": 0.98,
    "clip": 5.0,
}


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return the parts: a probe where there is one, and training for the rest of the time."""
    parts = probe.plan(setting) if setting.task.linear else []
    rest = setting.clock.left() - sum(seconds for _, seconds in parts)
    return [*parts, ("full", rest)]


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the net fine-tuned as a whole, starting from a fitted head where one can be fitted."""
    if start is None and setting.task.linear:
        start = yield from probe.learn(setting, None)
    net: nn.Module = start.net if start else setting.build()
    depths = nets.depth_groups(net)
    groups = [(group, FALL ** (len(depths) - 1 - depth)) for depth, group in enumerate(depths)]
    usual = USUAL | dict(setting.task.usual(setting.train.truths))
    training = _pictures.Training("full", quicken(net), groups, usual)
    score = yield from _pictures.run(setting, training)
    kept = _pictures.kept(setting, training)
    outputs = start.outputs if start else None
    return Learnt(net, "full", score, outputs, snapshots=kept)
