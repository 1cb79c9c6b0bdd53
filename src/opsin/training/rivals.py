"""What the classical pipelines make of the same pictures: the honest rivals of every classifier.

Each learns from training pictures and is asked held-out ones, within a small share of the run's
time. The cheapest go first and see all pictures if they can; the dearer ones share what is left and
see fewer, which the report says. How many depends on the clock, so it is decided once in a run.

Shapes: N training pictures, M held-out ones, F features, K outputs.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

from opsin import nets
from opsin.data.decode import centre
from opsin.engine.policies import Part, Setting
from opsin.events import Advanced, Event, Finished, Started
from opsin.nets.classical import Counted, names
from opsin.report.story import Classical, Pipeline
from opsin.results import Result
from opsin.tasks._baseline import lead

PART = "classical pipelines"
SHARE, LEAST, LATER = 0.08, 5.0, 0.03  # of a short budget; seconds at most; of a long budget
AFTER = 1.5  # seconds of the budget kept for the report
ASKED = 1000  # held-out pictures at most: each is a training picture less
CHEAP = 0.5  # milliseconds a photo: those below go by name, colours, then shapes, then textures
FAIR = 0.3  # of what time is left is any pipeline's, so that the cheap ones see enough
TRIED = (16, 256)  # pictures a description is timed on; more, where few are too quick to time
QUICK = 0.1  # seconds
BOOK = 500  # pictures a code book is learnt from
BLOCK = 64  # pictures laid out at a time
MEMORY, COPIES = 2 << 30, 3  # bytes for what was seen, and for copies of features while fitting
FEWEST = 100  # pictures below which a pipeline that could see more says nothing
# Seconds on an idle machine: a picture, feature and class that fitting takes; what choosing its
# strength takes; what learning a code book takes. How much slower it really is, is measured.
HEAD, CHOICE, BOOKS = 1e-8, 0.15, 0.25


def seconds(budget: float | None) -> float:
    """Return what the pipelines may take of a budget in seconds.

    >>> [round(seconds(budget), 2) for budget in (None, 10.0, 180.0, 600.0)]
    [5.0, 0.8, 5.4, 18.0]
    """
    if budget is None:
        return LEAST
    return min(SHARE * budget, max(LEAST, LATER * budget))


def left(setting: Setting) -> float:
    """Return the seconds the pipelines may take now: none where a person asked for the end."""
    budget, clock = setting.clock.budget, setting.clock
    if clock.asked:
        return 0.0
    rest = math.inf if budget is None else budget - clock.spent() - AFTER
    return max(0.0, min(seconds(budget), rest))


def compare(
    setting: Setting, held: Part, results: Sequence[Result], subject: str
) -> Generator[Event, None, Classical]:
    """Fit the pipelines and set them beside ``results``, what the model said of ``held``."""
    yield Started(PART, len(names()), "pipelines")
    began, task = setting.clock.spent(), setting.task
    deadline = began + left(setting)
    asked = spread(len(held), ASKED)
    truths = [held.truths[place] for place in asked]
    said: dict[str, list[Result]] = {}
    done: list[Pipeline] = []
    missed: list[str] = []
    groups, pace = list(_groups(setting)), 1.0
    for place, group in enumerate(groups):
        heavy = [math.sqrt(each.effort) for each in groups[place:]]
        time = max(0.0, deadline - setting.clock.spent())
        taught = group.taught(setting, len(asked), time, max(FAIR, heavy[0] / sum(heavy)), pace)
        if not taught:
            missed += group.nets
            continue
        for name, outputs, took in group.fitted(setting, held, asked, taught):
            said[name] = task.decode(outputs)
            metric = task.measure(said[name], truths).metrics[task.better]
            rule = group.nets[name].features
            done.append(Pipeline(name, rule.called, rule.paper, metric, taught, took))
            yield Advanced(PART)
        pace = group.pace
    mine = [results[place] for place in asked]
    best = max(done, key=lambda each: task.sign * each.metric.value, default=None)
    own = task.measure(mine, truths).metrics[task.better].value
    found = Classical(
        subject=subject,
        own=own,
        best=best,
        lead=lead(task, mine, said[best.net], truths) if best else None,
        pipelines=tuple(done),
        left_out=tuple(missed),
        of=len(setting.train),
        asked_of=len(held),
    )
    told = f"best: {best.called} {best.metric}" if best else "no time for any"
    yield Finished(PART, setting.clock.spent() - began, told)
    return found


def spread(n: int, most: int) -> NDArray[np.int64]:
    """Return up to ``most`` of the places 0..n-1, evenly spread: pictures often lie by class.

    >>> spread(10, 4).tolist(), spread(3, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


@dataclass
class _Group:
    """Is some pipelines that look at pictures alike, so that they look once for all of them."""

    nets: dict[str, Counted]
    pace: float = 1.0  # how many times longer than on an idle machine fitting took

    @property
    def effort(self) -> float:
        """Return what a picture takes, roughly, in milliseconds."""
        return sum(net.features.effort for net in self.nets.values())

    def taught(self, setting: Setting, asked: int, time: float, share: float, pace: float) -> int:
        """Return how many training pictures there is time for; 0 where it is too few.

        All of them, where that takes no more than half of the ``time``; else what a ``share`` of it
        allows, so that the dearer ones have theirs.
        """

        def decide() -> int:
            each, size = self._tried(setting)
            total = min(len(setting.train), MEMORY // size)
            begins = asked * each + pace * self._fit(setting, 0)
            one = each + pace * (self._fit(setting, 1) - self._fit(setting, 0))
            if begins + total * one <= time * (0.9 if share == 1 else 0.5):
                return total
            room = min(total, int((0.9 * share * time - begins) / one))
            return 0 if room < min(total, FEWEST) else room

        return int(setting.store.once(f"taught {' '.join(self.nets)}", decide))

    def _fit(self, setting: Setting, taught: int) -> float:
        """Return the seconds that learning from so many pictures takes on an idle machine."""
        numbers = sum(net.num_features for net in self.nets.values())
        books = sum(net.features.counts for net in self.nets.values())
        rate = HEAD * numbers * setting.task.outputs
        return CHOICE * len(self.nets) + BOOKS * books + rate * taught

    def _tried(self, setting: Setting) -> tuple[float, int]:
        """Return the seconds a picture takes, all pipelines together, and its bytes, on a few."""
        every = [net.features for net in self.nets.values()]

        def work(pixels: NDArray[np.uint8]) -> int:
            seen = every[0].seen(pixels)
            laid = [features.encode(seen).nbytes for features in every]
            return (seen.nbytes + COPIES * max(laid)) // len(pixels)

        size = work(_some(setting.train, np.zeros(1, np.int64), setting))  # pays for loading OpenCV
        took, pixels = 0.0, setting.examples
        for many in TRIED:
            if took < QUICK:
                pixels = _some(setting.train, spread(len(setting.train), many), setting)
                began = setting.clock.spent()
                work(pixels)
                took = setting.clock.spent() - began
        return took / len(pixels), size

    def fitted(
        self, setting: Setting, held: Part, asked: NDArray[np.int64], taught: int
    ) -> Iterator[tuple[str, NDArray[np.float32], float]]:
        """Yield each pipeline's outputs (M, K) for the pictures that are asked, and its seconds."""
        began, task, recipe = setting.clock.spent(), setting.task, setting.recipe
        every = next(iter(self.nets.values())).features
        places = spread(len(setting.train), taught)
        truths = [setting.train.truths[place] for place in places]
        learnt_from = every.seen(_some(setting.train, places, setting))
        seen = every.seen(_some(held, asked, setting))
        looked = (setting.clock.spent() - began) / len(self.nets)
        fitting = 0.0
        for name, net in self.nets.items():
            began = setting.clock.spent()
            net.features.observe(learnt_from[spread(taught, BOOK)], recipe.seed)
            features = _encoded(net, learnt_from)
            head = task.support(features, truths, recipe, honest=False)
            fitting += setting.clock.spent() - began
            outputs = _encoded(net, seen) @ head.weight.T + head.bias
            yield name, outputs, looked + setting.clock.spent() - began
        self.pace = min(3.0, max(0.5, fitting / self._fit(setting, taught)))


def _groups(setting: Setting) -> Iterator[_Group]:
    """Yield the pipelines, the cheapest first; the net of the run itself is no rival."""
    every = {
        name: nets.build(name, outputs=setting.task.outputs, channels=min(3, setting.pre.channels))
        for name in names()
        if name != nets.canonical(setting.net)
    }
    made = [(name, net) for name, net in every.items() if isinstance(net, Counted)]
    made.sort(key=lambda pair: (max(CHEAP, pair[1].features.effort), pair[0]))
    for _, alike in groupby(made, key=lambda pair: type(pair[1].features).look):
        yield _Group(dict(alike))


def _some(part: Part, places: NDArray[np.int64], setting: Setting) -> NDArray[np.uint8]:
    """Return some pictures of a part as the net sees them, grey or RGB, (n, C, h, w)."""
    return centre(part.pixels[places, :3], setting.pre)


def _encoded(net: Counted, seen: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the features (N, F) of what was seen, by blocks so that memory stays flat."""
    with torch.no_grad():
        parts = [net.features.encode(seen[at : at + BLOCK]) for at in range(0, len(seen), BLOCK)]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found
