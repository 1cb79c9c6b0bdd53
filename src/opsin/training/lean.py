"""A run without a page: the same learning and the same model file, and what it said in numbers.

A study runs thousands of these on pictures that are ready, so nothing is done here that one run
could do for all: no reading, no splitting, no rivals, no curves for TensorBoard, no report, and no
second runtime for a net that looks at its held-out pictures once.

Shapes: N pictures, K outputs.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from opsin.engine import checkpoint, policies
from opsin.engine.clock import Clock
from opsin.engine.plan import UNBOUNDED
from opsin.engine.policies import Setting
from opsin.engine.policies._policy import Centres, forward
from opsin.engine.store import Sparing
from opsin.events import Advanced, Epoch, Event, Started
from opsin.figures import Measures
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.training import choice as choosing
from opsin.training.material import Material
from opsin.training.run import Judged, afterwards, judge, launch, settle, way

OUTPUTS = "outputs.safetensors"
HELD = ("validation", "test")
TOGETHER = 256  # pictures that are looked at together
TRIED, WARM = 0.4, 3  # seconds of steps that say how long all will take, after a few
FORWARD = 1 / 3  # of a step is the look at its pictures


@dataclass(frozen=True, eq=False)
class Lean:
    """Is what a lean run leaves: the judged model, its scores by part, and its learning curve."""

    judged: Judged
    scores: dict[str, float]  # by part
    curve: list[list[float]]  # [epoch, seconds, validation score]
    images: int  # pictures learnt from
    seconds: float


def lean(
    made: Material, choice: choosing.Choice, recipe: Recipe, out: Path
) -> Generator[Event, None, Lean]:
    """Train on pictures that are ready; write ``model`` and ``outputs`` into the folder ``out``.

    Where ``out`` holds a run that was killed, it goes on from its last checkpoint, if it was worth
    one, and else begins anew: to the same bits either way, where no clock is asked.
    """
    store = Sparing(out)
    clock = Clock(recipe.minutes, spent=store.facts().get("spent", 0.0))
    setting = prepared(made, choice, recipe, clock, store)
    if clock.budget is not None:
        clock.reserve = afterwards(setting, len(made.part("test")))
    policy, task = policies.find(way(setting)), setting.task
    curve: list[list[float]] = store.facts().get("curve", [])
    images = store.facts().get("images", 0)
    events = policy.learn(setting, None)
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            learnt = end.value
            break
        if isinstance(event, Epoch):
            score = event.terms[f"validation {task.better}"]
            curve.append([event.epoch, round(clock.spent(), 3), score])
            images = event.images
            store.note(curve=curve, images=images)
        yield event

    def say(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        net = setting.fabric.to_device(model.net)
        found = forward(setting.fabric, net, Centres(pixels, setting.pre), batch=TOGETHER)
        model.net.cpu()
        return found

    def measure(results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        return Measures({task.better: task.headline(results, truths)}, {}, (), ())

    judged = yield from judge(setting, learnt, made, out, say=say, measure=measure)
    keep_outputs(setting, judged, made, out)
    store.clean()
    scores = {judged.split: judged.measures.metrics[task.better].value}
    for part, outputs in judged.outputs.items():
        if part not in scores:
            results = made.part(part).restored(task.decode(outputs))
            scores[part] = task.headline(results, made.truths(part)).value
    return Lean(judged, scores, curve, images, clock.spent())


def prepared(
    made: Material, choice: choosing.Choice, recipe: Recipe, clock: Clock, store: Sparing
) -> Setting:
    """Return what a policy works with."""
    fabric = launch(recipe, heavy=choosing.is_heavy(choice.net))
    task = choosing.choose_task(made.data, recipe)
    return settle(recipe, task, choice, made, fabric, clock, store)


def keep_outputs(setting: Setting, judged: Judged, made: Material, out: Path) -> None:
    """Write what the net said of the pictures it did not learn from, and which those are."""
    places = np.array(made.places, np.int64)
    splits = np.array([sample.split for sample in made.data.samples])
    tensors = {}
    for part, outputs in judged.outputs.items():
        exact = torch.from_numpy(outputs.astype(np.float64))
        tensors[part] = setting.task.opinions(exact).float()
        tensors[f"{part}_index"] = torch.from_numpy(places[splits == part])
    checkpoint.save(out / OUTPUTS, tensors, {"metric": setting.task.better})


@dataclass(frozen=True, slots=True)
class Price:
    """Is what a lean run will take: seconds, pictures learnt from, bytes on the disc."""

    seconds: float
    images: int
    bytes: int


def price(made: Material, choice: choosing.Choice, recipe: Recipe, folder: Path) -> Price:
    """Return what a lean run would take here, from the first steps of it; nothing is left behind.

    The first part of the run is timed (steps, or pictures to be seen) and stands for all of it.
    """
    clock, store = Clock(recipe.minutes), Sparing(folder)
    setting = prepared(made, choice, recipe, clock, store)
    held = sum(len(made.part(part)) for part in HELD)
    size = sum(t.numel() * t.element_size() for t in setting.build().state_dict().values())
    room = size + held * (4 * setting.task.outputs + 8)
    epochs = recipe.epochs or UNBOUNDED
    images = epochs * len(setting.train)
    if clock.budget is not None:
        return Price(clock.budget, 0, room)
    total, each = _timed(setting)
    looks = epochs * len(setting.validation) + held
    seconds = total * each * (1 + FORWARD * looks / max(1, images))
    shutil.rmtree(folder, ignore_errors=True)
    return Price(seconds, images, room)


def _timed(setting: Setting) -> tuple[int, float]:
    """Return how many units the first part of learning has, and the seconds one takes."""
    events = policies.find(way(setting)).learn(setting, None)
    began = begun = time.monotonic()
    total = done = counted = 0
    for event in events:
        now = time.monotonic()
        if isinstance(event, Started) and not total:
            total, began = event.total, now
        if isinstance(event, Advanced):
            done += 1
            counted += event.by
            if done == WARM:
                begun, counted = now, 0
            if done > WARM and now - begun > TRIED:
                break
    events.close()
    since = begun if done > WARM else began
    return max(1, total), (time.monotonic() - since) / max(1, counted)
