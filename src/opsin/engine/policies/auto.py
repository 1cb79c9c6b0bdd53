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

from opsin import nets, runtimes
from opsin.data.decode import centre
from opsin.engine import features
from opsin.engine.plan import agreed
from opsin.engine.policies import probe, upper
from opsin.engine.policies._policy import Learnt, Setting
from opsin.events import Event, Finished, Note, Started

LINEAR = True  # it starts from a probe
STILL = True  # it goes on with ``upper``

LOOKED_AT = 600  # training pictures that similarity is measured on
SIMILAR = 0.75  # ratio of mistakes: clothes 0.57, Fashion-MNIST 0.87, MNIST 1.0 (n = 2,000)
LEAST = 12.0  # seconds below which training on would change nothing


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return the parts: a probe, a look at several depths, and training for the rest."""
    parts = upper.plan(setting)
    looking = 1.5 + LOOKED_AT / setting.rate
    name, rest = parts[-1]
    return [*parts[:3], ("similarity", looking), *parts[3:-1], (name, max(0.0, rest - looking))]


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the best model on validation data; never one worse than the probe."""
    first = yield from probe.learn(setting, None)
    late = setting.recipe.epochs is None and setting.clock.left() < LEAST
    if agreed(setting.fabric, setting.clock.asked or late):
        yield Note("No time is left to train further: the probe it is.")
        return first
    boundary = setting.store.facts().get("boundary") or (yield from _boundary(setting, first))
    boundary = setting.once("boundary", lambda: boundary)
    trained = replace(first, net=copy.deepcopy(first.net))
    second = yield from upper.learn(setting, trained, boundary=boundary)
    sign, better = setting.task.sign, setting.task.better
    found = f"validation {better} {second.score:.3f} against {first.score:.3f} of the probe"
    if sign * second.score >= sign * first.score:
        yield Note(f"Training what comes after {boundary} was worth it: {found}.")
        return second
    yield Note(f"Training what comes after {boundary} did not help, the probe stays: {found}.")
    return first


def _boundary(setting: Setting, first: Learnt) -> Generator[Event, None, str]:
    """Return the stage above which to train: high where the pictures are like ImageNet's."""
    levels = [level.name for level in nets.levels(first.net, setting.pre.size)]
    last, middle, low = nets.stages(first.net)[-1], levels[-2], levels[-3]
    part = "similarity"
    yield Started(part)
    began, task = setting.clock.spent(), setting.task
    step = max(1, len(setting.train) // LOOKED_AT)
    images = np.ascontiguousarray(centre(setting.train.pixels, setting.pre)[::step])
    truths = setting.train.truths[::step]
    runtime = runtimes.fastest(
        nets.taps(first.net, [middle, last]),
        setting.pre,
        device=setting.recipe.device,
        examples=setting.examples,
    )
    seen = yield from features.compute(runtime, images, setting.clock, part="depths")
    width = seen.shape[1] - nets.num_features(first.net)
    wrong = []
    for columns in (seen[:, :width], seen[:, width:]):
        score = task.score(task.solve(columns, truths, setting.recipe).outputs, truths)
        wrong.append(1 - score if task.sign > 0 else score)
    ratio = wrong[1] / max(wrong[0], 1e-9)
    similar = ratio < SIMILAR
    yield Finished(part, setting.clock.spent() - began)
    yield Note(
        f"The last features make {ratio:.2f} × the mistakes of those after {middle}: the pictures "
        f"are {'like' if similar else 'unlike'} ImageNet's, so {'few' if similar else 'more'} "
        "layers are trained."
    )
    return middle if similar else low
