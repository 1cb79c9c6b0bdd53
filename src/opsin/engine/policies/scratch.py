"""Train every layer from a random start."""

from __future__ import annotations

from collections.abc import Generator

from opsin.engine.policies import _pictures
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return a net that has seen nothing but these pictures."""
    net = setting.build()
    groups = [(list(net.parameters()), 1.0)]
    batch, rate = (256, 0.1) if min(setting.pre.size) <= 64 else (64, 0.05)
    score = yield from _pictures.train(
        setting, "scratch", net, groups, batch=batch, rate=rate, decay=5e-4
    )
    return Learnt(net, "scratch", score)
