"""Learn without a gradient: describe every picture once by rule, then fit a linear machine.

For nets that say how they count (``nets/classical``): a code book from some pictures, if there is
one, features of all, and a support vector machine (or ridge regression, for numbers) at the end.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray

from opsin import nets
from opsin.data.decode import centre
from opsin.engine.plan import SPARE, timed
from opsin.engine.policies._policy import Learnt, Part, Setting
from opsin.engine.policies.probe import as_linear
from opsin.events import Advanced, Event, Finished, Note, Started
from opsin.nets.classical import Counted, Description

COUNTS = True  # the nets this policy is for count, and no other policy is for them
LINEAR = True  # it ends in a linear machine

BOOK = 500  # pictures a code book is learnt from
BLOCK = 64  # pictures described, and told, at a time
NUMBERS = 500_000_000  # features held at once: 2 GB
HEAD = 2e-8  # seconds a picture, feature and class that fitting a machine takes, with its folds
BEGIN = 2.0  # seconds of it that do not depend on the number of pictures


def plan(setting: Setting) -> list[tuple[str, float]]:
    """Return what is counted and how long it should take, from a measured rate."""
    net = _net(setting)
    each, n = _seconds(setting, net.features), _many(setting, net)
    book = [("code book", BEGIN + BOOK * each)] if net.features.counts else []
    return [
        *book,
        ("features", n * each),
        ("validation features", len(setting.validation) * each),
        ("head", BEGIN + _fitting(setting, net) * n),
    ]


def learn(setting: Setting, start: Learnt | None) -> Generator[Event, None, Learnt]:
    """Return the net with its code book and the linear layer that fits its features best."""
    net, task, clock = _net(setting), setting.task, setting.clock
    n, total = _many(setting, net), len(setting.train)
    if n < total:
        yield Note(f"There is room for {n:,} of {total:,} training pictures, drawn at random.")
    order = np.random.default_rng((setting.recipe.seed, 5)).permutation(total)[:n]
    yield from _book(setting, net.features, order)
    seen = yield from _described(setting, net.features, setting.train, order, "features")
    order = order[: len(seen)]
    whole = np.arange(len(setting.validation))
    held = yield from _described(
        setting, net.features, setting.validation, whole, "validation features", all_of_it=True
    )
    yield Started("head")
    began = clock.spent()
    head = task.support(seen, [setting.train.truths[place] for place in order], setting.recipe)
    nets.set_head(net, as_linear(head.weight, head.bias))
    score = task.score(held @ head.weight.T + head.bias, setting.validation.truths)
    told = f"{head.note}; validation {task.better} {score:.3f}"
    yield Finished("head", clock.spent() - began, told)
    outputs = None
    if len(order) == total:
        outputs = np.empty_like(head.outputs)
        outputs[order] = head.outputs
    return Learnt(net, "count", score, outputs, told)


def _net(setting: Setting) -> Counted:
    net = setting.build().eval()
    assert isinstance(net, Counted)
    return net


def _book(
    setting: Setting, features: Description, order: NDArray[np.int64]
) -> Generator[Event, None, None]:
    """Learn the code book from some training pictures, if the description has one."""
    if not features.counts:
        return
    yield Started("code book")
    began = setting.clock.spent()
    some = np.sort(order[:BOOK])
    features.observe(
        features.seen(centre(setting.train.pixels[some], setting.pre)), setting.recipe.seed
    )
    yield Finished("code book", setting.clock.spent() - began, f"of {len(some)} pictures")


def _described(
    setting: Setting,
    features: Description,
    part: Part,
    order: NDArray[np.int64],
    name: str,
    *,
    all_of_it: bool = False,
) -> Generator[Event, None, NDArray[np.float32]]:
    """Return the features of pictures in this order; of fewer, where a person asks for the end."""
    yield Started(name, len(order))
    began = setting.clock.spent()
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(order), BLOCK):
        if setting.clock.asked and found and not all_of_it:
            break
        pixels = part.pixels[order[start : start + BLOCK]]
        found.append(features.describe(centre(pixels, setting.pre)).numpy())
        yield Advanced(name, len(pixels))
    seen: NDArray[np.float32] = np.concatenate(found)
    yield Finished(name, setting.clock.spent() - began, f"{len(seen)} images")
    return seen


def _many(setting: Setting, net: Counted) -> int:
    """Return how many training pictures there is time and memory for; decided once."""

    def decide() -> int:
        most = min(len(setting.train), NUMBERS // net.num_features)
        if setting.clock.budget is None:
            return most
        each = _seconds(setting, net.features)
        before = (len(setting.validation) + BOOK * net.features.counts) * each
        left = SPARE * setting.clock.left() - before - BEGIN * (1 + net.features.counts)
        room = int(left / (each + _fitting(setting, net)))
        return max(min(most, room), min(most, 2 * BLOCK))

    return int(setting.once("counted", decide))


def _fitting(setting: Setting, net: Counted) -> float:
    """Return the seconds a picture adds to fitting the head."""
    return HEAD * net.num_features * setting.task.outputs


def _seconds(setting: Setting, features: Description) -> float:
    """Return how long a picture takes to be described, measured on a few."""
    examples = torch.from_numpy(setting.examples)
    features.describe(examples[:1].numpy())  # the first one pays for loading OpenCV
    return timed(lambda: features.describe(examples.numpy())) / len(examples)
