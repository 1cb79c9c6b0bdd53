"""Fine-tune every layer, the lower ones more slowly: they hold what all pictures share.

Discriminative learning rates: Howard & Ruder, ULMFiT, 2018, section 3.2.
"""

from __future__ import annotations

from collections.abc import Generator

from opsin import nets
from opsin.engine.policies import _pictures, probe
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event

FALL = 0.6  # of the rate from one group of layers to the one below


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the net fine-tuned as a whole, starting from a fitted head."""
    if start is None:
        start = yield from probe.learn(setting, None)
    net = start.net
    depths = nets.depth_groups(net)
    groups = [(group, FALL ** (len(depths) - 1 - depth)) for depth, group in enumerate(depths)]
    score = yield from _pictures.train(
        setting, "full", net, groups, batch=32, rate=0.01, decay=1e-4, average=0.99
    )
    return Learnt(net, "full", score, start.outputs)
