"""Which net a run learns with, from which weights, and how it looks at pictures.

Shapes: N pictures, h and w of the net's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from opsin import augment, nets, runtimes
from opsin.data.dataset import Dataset
from opsin.data.decode import centre, prepare
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.engine import policies
from opsin.engine.policies import Ready
from opsin.errors import DataError, RecipeError
from opsin.metrics import operating
from opsin.nets import classical, detectors
from opsin.nets.weights import Weights, resolve
from opsin.recipe import Recipe
from opsin.tasks import Task, find, fitting
from opsin.training.frame import (
    SMALL,
    Light,
    bands,
    fourth,
    frame_of_data,
    frame_of_weights,
    shapes,
)

if TYPE_CHECKING:
    from opsin.tasks._task import Sizes

HEAVY = 1_000_000  # weights
SHARE = 0.03  # of the budget may go into seeing every picture once with an automatic net


@dataclass(frozen=True)
class Choice:
    """Is the net of a run with its weights and its frame; ``ready`` if it was tried already."""

    net: str
    weights: Weights | None
    pre: Preprocessing
    ready: Ready | None = None


def check_words(recipe: Recipe) -> None:
    """Raise for a word of the recipe that names nothing, before any work is done."""
    _check_policy(recipe)
    _check_backbone(recipe)
    if recipe.task != "auto":
        find(recipe.task)
    for name in (recipe.net, recipe.backbone):
        parts = detectors.parted(name)
        below = parts[1] if parts else name
        if below not in ("auto", ""):
            nets.parameters(below)
    operating.wished(recipe.operating)
    if recipe.augment != "auto":
        augment.parse(recipe.augment)
    if recipe.weights not in ("auto", "none") and not Path(recipe.weights).is_file():
        raise RecipeError(f"weights={recipe.weights!r}", expected="auto, none, or a file")


def _check_policy(recipe: Recipe) -> None:
    """Raise where a net that counts meets a policy that trains, or the other way round."""
    counting = bool(getattr(policies.find(recipe.policy), "COUNTS", False))
    counted = recipe.net != "auto" and classical.counted(recipe.net)
    if counting and not counted:
        raise RecipeError(
            f"policy={recipe.policy!r} for net={recipe.net!r}",
            expected=f"a net that learns by counting: {', '.join(classical.names())}",
            remedy="Give one of these as --net, or leave --policy out.",
        )
    if counted and not counting and recipe.policy != "auto":
        fitting = [n for n in policies.names() if getattr(policies.find(n), "COUNTS", False)]
        raise RecipeError(
            f"policy={recipe.policy!r} for {recipe.net}, which learns by counting",
            expected=f"the policy {' or '.join(fitting)}",
            remedy="Leave --policy out.",
        )
    if counted and recipe.weights not in ("auto", "none"):
        raise RecipeError(
            f"weights={recipe.weights!r} for {recipe.net}, which learns by counting",
            expected="no pretrained weights",
            remedy="Leave --weights out.",
        )


def _check_backbone(recipe: Recipe) -> None:
    """Raise where a detector would stand on what has no maps: a detector, a net that counts."""
    parts = detectors.parted(recipe.net)
    below = (parts[1] if parts else "") or recipe.backbone
    if detectors.parted(below) or (parts and classical.counted(below)):
        raise RecipeError(
            f"backbone={below!r}",
            expected="a net that classifies by convolutions",
            remedy="Such as --backbone mobilenet_v2 or resnet18.",
        )


def choose_task(data: Dataset, recipe: Recipe) -> Task:
    """Return the task the recipe names, or the one the truths ask for."""
    return kind_of(data, recipe).of(data)


def kind_of(data: Dataset, recipe: Recipe) -> type[Task]:
    """Return the class of that task."""
    kind = fitting(data) if recipe.task == "auto" else find(recipe.task)
    if kind.result is not data.kind:
        raise RecipeError(
            f"task={recipe.task!r} for truths of kind {data.kind.kind}",
            expected=f"the task {fitting(data).__name__.lower()}",
        )
    return kind


def choose_net(task: Task, data: Dataset, recipe: Recipe, decided: str | None = None) -> Choice:
    """Return net, weights and frame; ``decided`` is what an earlier process of the run chose.

    The net that sees is chosen first; a detector then stands on it.
    """
    parts = detectors.parted(decided) if decided else None
    sizes = shapes(data.samples)
    seen = _seeing(task, data, sizes, task.seen(recipe), parts[1] if parts else decided)
    name = task.net(recipe, seen.net)
    ready = seen.ready if name == seen.net else None  # what was tried is not what will learn
    return Choice(name, seen.weights, task.frame(seen.pre, recipe, sizes), ready)


def _seeing(task: Task, data: Dataset, sizes: Sizes, recipe: Recipe, decided: str | None) -> Choice:
    """Return the net that sees, with its weights and its frame.

    ``auto`` learns small pictures from scratch: enlarged for a net that was trained on photographs
    they lose on both counts (see docs/decisions/0003-small-pictures.md). Others get the pretrained
    net that the budget allows on this machine.
    """
    name = decided or named(task, sizes, recipe)
    if name is None:
        return within_budget(task, data, recipe)
    if classical.counted(name):
        pre = frame_of_data(data.samples, sizes, recipe, 3)  # those rules are of colours
        nothing, one = (0.0,) * pre.channels, (1.0,) * pre.channels
        return Choice(name, None, replace(pre, mean=nothing, std=one))
    weights = weights_of(name, recipe)
    if weights is None:
        return Choice(name, None, frame_of_data(data.samples, sizes, recipe, bands(data.samples)))
    return Choice(name, weights, frame_of_weights(weights, recipe, fourth(data.samples)))


def again(name: str, pre: Preprocessing, recipe: Recipe) -> Choice:
    """Return a choice that was made before for this recipe, without a look at any picture."""
    parts = detectors.parted(name)
    return Choice(name, weights_of(parts[1] if parts else name, recipe), pre)


def weights_of(name: str, recipe: Recipe) -> Weights | None:
    """Return the pretrained weights a net starts from, None where it starts from random ones."""
    if classical.counted(name) or recipe.weights == "none" or recipe.policy == "scratch":
        return None
    if recipe.policy == "auto" and recipe.weights == "auto" and not nets.has_weights(name):
        return None
    return resolve(name, recipe.weights)


def named(task: type[Task] | Task, sizes: Sizes, recipe: Recipe) -> str | None:
    """Return the net for pictures of ``sizes`` (h, w); None for any pretrained one."""
    if recipe.net != "auto":
        return recipe.net
    small = bool(np.median(sizes) <= SMALL)
    if recipe.weights == "none" or recipe.policy == "scratch":
        return task.plain if small else "resnet18"
    return task.plain if small and recipe.policy == "auto" and recipe.size is None else None


def heavy(data: Dataset, recipe: Recipe) -> bool:
    """Say whether the net of a run will have a million weights or more."""
    task = kind_of(data, recipe)
    name = named(task, shapes(data.samples), task.seen(recipe))
    return name is None or is_heavy(name)


def is_heavy(net: str) -> bool:
    """Say whether a net, or what a detector stands on, has a million weights or more."""
    parts = detectors.parted(net)
    return nets.parameters(parts[1] if parts else net) >= HEAVY


def within_budget(task: Task, data: Dataset, recipe: Recipe) -> Choice:
    """Return the most accurate installed net that sees all pictures in a small share of the budget.

    One net is measured; the speed of the others follows from their multiply-adds. Without a budget
    nothing is measured and the net is always the same, so that such runs can be repeated exactly.
    """
    more = fourth(data.samples)
    if not task.linear:  # every layer learns, many times over: the lightest net gets furthest
        return _pretrained(nets.by_accuracy()[-1][0], recipe, more)
    usual = _pretrained(nets.best_offline(), recipe, more)
    if recipe.minutes is None:
        return usual
    ready, rate = warm(usual, data, recipe)
    allowed = SHARE * 60 * recipe.minutes
    for name, arithmetic in nets.by_accuracy():
        seconds = len(data) * arithmetic / dict(nets.by_accuracy())[usual.net] / rate
        if seconds <= allowed:
            same = name == usual.net
            return replace(usual, ready=ready) if same else _pretrained(name, recipe, more)
    return _pretrained(nets.by_accuracy()[-1][0], recipe, more)


def warm(choice: Choice, data: Dataset, recipe: Recipe) -> tuple[Ready, float]:
    """Return a net in its runtime, and how many pictures a second it sees there."""
    net = nets.build(choice.net, outputs=2, channels=choice.pre.channels, size=choice.pre.size)
    assert choice.weights is not None
    choice.weights.load(net.eval())
    seen = np.stack([centre(p[None], choice.pre)[0] for p in _some(data.samples, choice.pre)])
    runtime = runtimes.fastest(
        nets.headless(net), choice.pre, device=recipe.device, examples=np.ascontiguousarray(seen)
    )
    return Ready(net, runtime), runtimes.throughput(runtime, np.ascontiguousarray(seen))


def _some(samples: Sequence[Sample], pre: Preprocessing) -> list[np.ndarray]:
    """Return up to eight pictures at the working size, passing over those that cannot be read."""
    found = []
    for sample in samples[:: max(1, len(samples) // 16)]:
        try:
            found.append(prepare(sample.image, pre))
        except DataError:
            continue
        if len(found) == 8:
            break
    return found


def _pretrained(name: str, recipe: Recipe, more: Light) -> Choice:
    weights = resolve(name, recipe.weights)
    assert weights is not None
    return Choice(weights.net, weights, frame_of_weights(weights, recipe, more))
