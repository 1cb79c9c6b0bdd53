"""What a run works with: the net and its weights, the frame, decoded pixels, the split.

Shapes: N pictures, C channels, H and W of the working size.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsin import augment, nets
from opsin.data.cache import Pixels, fill
from opsin.data.dataset import Dataset
from opsin.data.decode import decode, look
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.data.split import cut
from opsin.engine.policies import Part
from opsin.errors import DataError, RecipeError
from opsin.events import Event, Note, Problem
from opsin.nets.weights import Weights, resolve
from opsin.recipe import Recipe
from opsin.tasks import Task, find, fitting

LOOKED_AT = 256  # pictures whose headers or pixels decide the frame
SMALL = 64  # pixels: pictures up to this side are learnt from as they are


@dataclass(frozen=True)
class Choice:
    """Is the net of a run with its weights and its frame."""

    net: str
    weights: Weights | None
    pre: Preprocessing


@dataclass(frozen=True)
class Material:
    """Is a data set made ready: each sample has a split, and its pixels are decoded."""

    data: Dataset
    pixels: NDArray[np.uint8]  # (M, C, H, W)
    rows: list[int]  # (N,), where among the pixels each sample is
    problems: tuple[Problem, ...]

    def part(self, name: str) -> Part:
        """Return the pixels and truths of one split."""
        placed = zip(self.rows, self.data.samples, strict=True)
        chosen = [(row, s.truth) for row, s in placed if s.split == name and s.truth is not None]
        return Part(_rows(self.pixels, [row for row, _ in chosen]), [truth for _, truth in chosen])

    def samples(self, name: str) -> list[Sample]:
        """Return the samples of one split, in the order of ``part``."""
        return [sample for sample in self.data.samples if sample.split == name]


def _rows(pixels: NDArray[np.uint8], chosen: list[int]) -> NDArray[np.uint8]:
    """Return some rows; without a copy where they lie side by side."""
    if chosen and chosen[-1] - chosen[0] + 1 == len(chosen):
        return pixels[chosen[0] : chosen[-1] + 1]
    return pixels[chosen]


def choose_task(data: Dataset, recipe: Recipe) -> Task:
    """Return the task the recipe names, or the one the truths ask for."""
    kind = fitting(data) if recipe.task == "auto" else find(recipe.task)
    if kind.result is not data.kind:
        raise RecipeError(
            f"task={recipe.task!r} for truths of kind {data.kind.kind}",
            expected=f"the task {fitting(data).__name__.lower()}",
        )
    return kind.of(data)


def choose_net(data: Dataset, recipe: Recipe) -> Choice:
    """Return net, weights and frame; ``auto`` means the best pretrained net there is offline.

    With the policy ``scratch`` (or ``--weights none``) the frame follows the pictures instead.
    """
    sizes = shapes(data.samples)
    fresh = recipe.policy == "scratch" or recipe.weights == "none"
    if recipe.net == "auto":
        name = from_scratch(sizes) if fresh else nets.best_offline()
    else:
        name = recipe.net
    weights = None if fresh else resolve_or_none(name, recipe)
    if weights is None:
        return Choice(name, None, frame_of_data(data.samples, sizes, recipe))
    pre = replace(weights.preprocessing, crop=1.0)
    if recipe.size is not None:
        pre = replace(pre, size=(recipe.size, recipe.size))
    return Choice(name, weights, pre)


def resolve_or_none(name: str, recipe: Recipe) -> Weights | None:
    """Return pretrained weights; None where a net that has none may learn from scratch."""
    if recipe.policy == "auto" and recipe.weights == "auto" and not nets.has_weights(name):
        return None
    return resolve(name, recipe.weights)


def from_scratch(sizes: Sequence[tuple[int, int]]) -> str:
    """Return the net that learns pictures of these sizes (h, w) without pretrained weights."""
    return "lenet5" if np.median(sizes) <= SMALL else "resnet18"


def shapes(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Return (height, width) of up to ``LOOKED_AT`` pictures that can be read, evenly chosen."""
    found = []
    for sample in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            facts = look(sample.image)
        except DataError:
            continue
        found.append((facts.height, facts.width))
    if not found:
        raise DataError(
            f"{len(samples)} pictures, none of which could be read",
            expected="at least some whole pictures",
            remedy="See `opsin check` for what is wrong with each.",
        )
    return found


def frame_of_data(
    samples: Sequence[Sample], sizes: Sequence[tuple[int, int]], recipe: Recipe
) -> Preprocessing:
    """Return a frame that fits the pictures: their own size if small, else 128 pixels.

    Mean and spread are those of the pictures; pictures without colour make a net of one channel.
    """
    height, width = (int(side) for side in np.median(sizes, axis=0))
    if recipe.size is not None:
        size = (recipe.size, recipe.size)
    else:
        size = (height, width) if max(height, width) <= SMALL else (128, 128)
    means, spreads, grey = [], [], True
    for sample in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            pixels = decode(sample.image).astype(np.float32) / 255
        except DataError:
            continue
        means.append(pixels.mean((1, 2)))
        spreads.append((pixels**2).mean((1, 2)))
        grey = grey and bool((pixels[0] == pixels[1]).all() and (pixels[0] == pixels[2]).all())
    mean = np.mean(means, axis=0)
    std = np.sqrt(np.maximum(np.mean(spreads, axis=0) - mean**2, 1e-4))
    channels = slice(0, 1) if grey else slice(None)
    return Preprocessing(
        size=size,
        crop=1.0,
        fit="cover",
        interpolation="bilinear",
        mean=tuple(round(float(value), 4) for value in mean[channels]),
        std=tuple(round(float(value), 4) for value in std[channels]),
    )


def prepare(
    data: Dataset, choice: Choice, recipe: Recipe, folder: Path
) -> Generator[Event, None, Material]:
    """Decode every picture once and give each a split; what cannot be read is left out, named."""
    pixels: Pixels = yield from fill(data.samples, choice.pre, folder=folder)
    good = data.keep(data.samples[index] for index in pixels.keep)
    if not good.samples:
        raise DataError(
            f"{len(data)} pictures, none of which could be read",
            expected="at least some whole pictures",
            remedy="See `opsin check` for what is wrong with each.",
        )
    kept = pixels.keep
    made = cut(
        good,
        seed=recipe.seed,
        digests=[pixels.digests[i] for i in kept],
        hashes=pixels.hashes[kept],
    )
    placed = zip(kept.tolist(), good.samples, made.splits, strict=True)
    chosen = [(row, replace(sample, split=split)) for row, sample, split in placed if split]
    problems = data.ledger + pixels.problems + made.problems
    for kind in sorted({problem.kind for problem in problems}):
        count = sum(problem.kind == kind for problem in problems)
        yield Note(f"{count} × {kind}: see the report for which")
    samples = (sample for _, sample in chosen)
    return Material(good.keep(samples), pixels.images, [row for row, _ in chosen], problems)


def choose_chain(recipe: Recipe, part: Part) -> augment.Chain:
    """Return the augmentation the recipe names; ``auto`` looks at some pictures."""
    if recipe.augment != "auto":
        return augment.parse(recipe.augment)
    step = max(1, len(part) // LOOKED_AT)
    return augment.parse(augment.fitting(np.ascontiguousarray(part.pixels[::step])))
