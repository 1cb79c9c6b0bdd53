"""From what came out of a run to what its report tells.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from opsin.data.decode import centre
from opsin.events import Epoch, Event, Finished, Note, Planned
from opsin.report.story import Picture, Story
from opsin.results import Label, Result
from opsin.tasks import name_of
from opsin.tasks._suspects import suspects
from opsin.training.frame import shapes
from opsin.training.run import Outcome

SHOWN = 24  # pictures of a kind on the page


@dataclass
class Record:
    """Collects the events of a run that its report tells of; a watcher like any other."""

    epochs: list[Epoch] = field(default_factory=list)
    parts: list[Finished] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plan: Planned | None = None

    def replay(self, lines: Sequence[dict[str, Any]]) -> None:
        """Take note of what an earlier, killed process of the same run has logged."""
        kinds = {kind.__name__.lower(): kind for kind in (Epoch, Finished, Note)}
        for line in lines:
            kind = kinds.get(line.pop("event"))
            if kind is not None:
                self.watch(kind(**line))

    def watch(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, Epoch):  # one that was cut off is told again when it is done again
            self.epochs = [
                e
                for e in self.epochs
                if (e.policy, e.epoch) < (event.policy, event.epoch) or e.policy != event.policy
            ]
            self.epochs.append(event)
        elif isinstance(event, Finished):
            self.parts.append(event)
        elif isinstance(event, Note):
            self.notes.append(event.text)
        elif isinstance(event, Planned):
            self.plan = event


def tell(outcome: Outcome, record: Record, commands: Sequence[str]) -> Story:
    """Return the story of a run."""
    model, made = outcome.model, outcome.made
    about, task = model.about, model.task
    weights = about["weights"] or {}
    return Story(
        title=made.data.name or "pictures",
        task=name_of(task),
        net=model.net_name,
        held_out=outcome.measures,
        better=task.better,
        sign=task.sign,
        split=outcome.split,
        policy=about["policy"],
        when=about["created"],
        seconds=outcome.seconds,
        counts=made.data.counts(),
        pictures=made.data.pictures(),
        without=made.data.without,
        sizes=tuple(shapes(made.data.samples)),
        problems=outcome.problems,
        epochs=tuple(record.epochs),
        plan=record.plan,
        parts=tuple(record.parts),
        notes=tuple(record.notes),
        baselines=outcome.baselines,
        classical=outcome.classical,
        mistakes=tuple(_mistakes(outcome)),
        samples=tuple(_rightly(outcome)),
        suspects=tuple(_suspected(outcome)),
        speed={f"pictures through {model.runtime.name}": (outcome.speed, "images/s")},
        weights=weights.get("origin", ""),
        licence=weights.get("licence", ""),
        model=str(outcome.path),
        model_bytes=outcome.path.stat().st_size,
        sha256=hashlib.sha256(outcome.path.read_bytes()).hexdigest(),
        recipe=model.recipe,
        preprocessing=model.preprocessing,
        versions=about["versions"],
        commands=tuple(commands),
    )


def _mistakes(outcome: Outcome) -> list[Picture]:
    """Return the held-out pictures that were answered wrongly, the worst first."""
    truths = outcome.made.part(outcome.split).truths
    graver = [
        (outcome.model.task.mistake(said, truth), -place)
        for place, (said, truth) in enumerate(zip(outcome.results, truths, strict=True))
    ]
    worst = sorted(graver, reverse=True)[:SHOWN]
    return _held_out(outcome, [-place for wrong, place in worst if wrong > 0])


def _rightly(outcome: Outcome) -> list[Picture]:
    """Return for each class the first held-out picture that was answered rightly."""
    truths = outcome.made.part(outcome.split).truths
    first: dict[str, int] = {}
    for place, (said, truth) in enumerate(zip(outcome.results, truths, strict=True)):
        if outcome.model.classes and outcome.model.task.mistake(said, truth) == 0:
            first.setdefault(truth.words(), place)
    return _held_out(outcome, [first[name] for name in sorted(first)][:SHOWN])


def _held_out(outcome: Outcome, places: Sequence[int]) -> list[Picture]:
    """Return some held-out pictures with what was said of them."""
    held, samples = outcome.made.part(outcome.split), outcome.made.samples(outcome.split)
    views = centre(held.pixels, outcome.model.preprocessing)
    told = outcome.model.task.told([outcome.results[i] for i in places], None)
    return [
        _picture(views[i], said, held.truths[i], samples[i].called)
        for i, said in zip(places, told, strict=True)
    ]


def _suspected(outcome: Outcome) -> list[Picture]:
    """Return the training pictures whose label is most likely wrong."""
    if outcome.learnt.outputs is None:
        return []
    model, made = outcome.model, outcome.made
    train, samples = made.part("train"), made.samples("train")
    views = centre(train.pixels, model.preprocessing)
    return [
        _picture(views[each.index], each.said, train.truths[each.index], samples[each.index].called)
        for each in suspects(model.task, outcome.learnt.outputs, train.truths, most=SHOWN)
    ]


def _picture(image: np.ndarray, said: Result, truth: Result, path: str) -> Picture:
    """Return a picture with what was said of it; where that lies in it, drawn beside the truth."""
    score = said.score if isinstance(said, Label) else None
    seen = np.ascontiguousarray(image[:3])  # what a person sees of it
    if truth.located:
        rgb = np.repeat(seen, 3, 0) if len(seen) == 1 else seen
        seen = np.concatenate([truth.draw(rgb), said.draw(rgb)], axis=2)  # (3, h, 2 w)
    return Picture(seen, said.words(), truth.words(), score, path, truth.located)
