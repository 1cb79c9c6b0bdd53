"""Train every layer from a random start."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from opsin.engine.policies import _pictures
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event
from opsin.ops.depthwise import quicken

SNAPSHOTS = True
SMALL = 64  # pixels; nets for such pictures are small, and like large batches and high rates


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return the one part, timed on a few steps."""
    return [("scratch", _pictures.seconds(setting, _training(setting)))]


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return a net that has seen nothing but these pictures."""
    training = _training(setting)
    score = yield from _pictures.run(setting, training)
    kept = _pictures.kept(setting, training)
    return Learnt(training.net, "scratch", score, snapshots=kept)


def _training(setting: Setting) -> _pictures.Training:
    net = quicken(setting.build())
    small = min(setting.pre.size) <= SMALL
    usual: dict[str, Any] = {
        "batch": 128 if small else 64,
        "rates": {"sgd": 0.05, "adamw": 2e-3},
        "optimizer": "sgd",
        "decay": 5e-4,
    }
    usual |= setting.task.usual(setting.train.truths)
    return _pictures.Training("scratch", net, [(list(net.parameters()), 1.0)], usual)
