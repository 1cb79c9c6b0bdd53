"""What a run works with: decoded pixels, the split, the augmentation.

Shapes: N pictures, C channels, H and W of the working size.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opsin import augment
from opsin.data.cache import Pixels, fill
from opsin.data.check import copies
from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.data.split import cut
from opsin.engine.policies import Part
from opsin.errors import DataError
from opsin.events import Event, Note, Problem
from opsin.recipe import Recipe
from opsin.results import Placement, Result

LOOKED_AT = 256  # pictures that the automatic augmentation looks at


@dataclass(frozen=True)
class Material:
    """Is a data set made ready: each sample has a split, and its pixels are decoded."""

    data: Dataset
    pixels: NDArray[np.uint8]  # (M, C, H, W)
    rows: list[int]  # (N,), where among the pixels each sample is
    places: list[int]  # (N,), where it was in the data set, before any was left out
    problems: tuple[Problem, ...]
    sizes: NDArray[np.int32]  # (N, 2), the heights and widths that pictures had
    placements: list[Placement]  # (N,), where each lies in the frame; none where that is no matter
    fingerprint: str  # of all files or arrays, their truths and splits, in order

    def part(self, name: str) -> Part:
        """Return the pixels and truths of one split, as they lie in the frame."""
        samples = self.data.samples
        chosen = [i for i, s in enumerate(samples) if s.split == name and s.truth is not None]
        truths = [truth for i in chosen if (truth := samples[i].truth) is not None]
        own = [self.placements[i] for i in chosen] if self.placements else []
        if own:
            truths = [t.placed(p) for t, p in zip(truths, own, strict=True)]
        return Part(_rows(self.pixels, [self.rows[i] for i in chosen]), truths, own)

    def truths(self, name: str) -> list[Result]:
        """Return the truths of one split as they are in the pictures as they came."""
        return [s.truth for s in self.data.samples if s.split == name and s.truth is not None]

    def samples(self, name: str) -> list[Sample]:
        """Return the samples of one split, in the order of ``part``."""
        return [sample for sample in self.data.samples if sample.split == name]


def _rows(pixels: NDArray[np.uint8], chosen: list[int]) -> NDArray[np.uint8]:
    """Return some rows; without a copy where they lie side by side."""
    if chosen and chosen[-1] - chosen[0] + 1 == len(chosen):
        return pixels[chosen[0] : chosen[-1] + 1]
    return pixels[chosen]


def prepare(
    data: Dataset, pre: Preprocessing, recipe: Recipe, folder: Path | None
) -> Generator[Event, None, Material]:
    """Decode every picture once and give each a split; what cannot be read is left out, named."""
    pixels: Pixels = yield from fill(data.samples, pre, folder=folder)
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
        seed=recipe.seed if recipe.split is None else recipe.split,
        digests=[pixels.digests[i] for i in kept],
        hashes=pixels.hashes[kept],
    )
    placed = zip(kept.tolist(), good.samples, made.splits, strict=True)
    chosen = [
        (row, sample if sample.split == split else replace(sample, split=split))
        for row, sample, split in placed
        if split
    ]
    problems = (*data.ledger, *pixels.problems, *copies(data, pixels), *made.problems)
    if problems:
        kinds = Counter(problem.kind for problem in problems)
        yield Note("Problems: " + ", ".join(f"{count} × {kind}" for kind, count in kinds.items()))
    samples, rows = (sample for _, sample in chosen), [row for row, _ in chosen]
    return Material(
        good.keep(samples),
        pixels.images,
        rows,
        rows,
        problems,
        pixels.sizes[rows],
        placements(data.kind, pre, pixels.sizes[rows]),
        fingerprint((pixels.digests[row], sample.truth, sample.split) for row, sample in chosen),
    )


def fingerprint(facts: Iterable[tuple[object, ...]]) -> str:
    """Return a hash of facts in order: SHA-256 of how Python writes them.

    >>> fingerprint([("a", 1)])[:8], fingerprint([("a", 2)])[:8]
    ('7fa62518', 'a7361cb9')
    """
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"{fact!r}\n".encode())
    return digest.hexdigest()


def placements(kind: type[Result], pre: Preprocessing, sizes: NDArray[np.int32]) -> list[Placement]:
    """Return where pictures of original ``sizes`` (N, 2) lie; [] where a truth does not care."""
    if not kind.located:
        return []
    return [pre.placement((int(height), int(width))) for height, width in sizes]


def choose_chain(recipe: Recipe, part: Part) -> augment.Chain:
    """Return the augmentation the recipe names; ``auto`` looks at some pictures."""
    if recipe.augment != "auto":
        return augment.parse(recipe.augment)
    step = max(1, len(part) // LOOKED_AT)
    return augment.parse(augment.fitting(np.ascontiguousarray(part.pixels[::step])))
