"""What is in the data and what is wrong with it, before any training.

The kinds of problem: *missing*, *empty-file*, *not-an-image*, *truncated*, *corrupt*, *too-large*,
*unreadable*, *too-few-bands* (one picture cannot be used) · *tiny*, *blank* (it can, but says
little) · *duplicate*, *near-duplicate* (files equal, pictures alike), *duplicate-across-splits*
(the copy is in another split), *duplicate-with-two-labels* (the copy has another truth),
*group-across-splits* · *empty-class*, *few*, *imbalance*, *missing-class* (of whole classes), and
what the format says of files it left out (*no-class*, *no-split*, *no-label*). Boxes have kinds of
their own (``formats/_gathered.py``, ``objects.py``). Suspicious labels need a model and are found
after training.

Shapes: N samples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.data.cache import Pixels, fill
from opsin.data.dataset import Dataset
from opsin.data.objects import Objects, count, odd
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.events import Event, Problem
from opsin.ops import phash
from opsin.results import Boxes, Value

SEEN = Preprocessing(
    (64, 64), crop=1.0, fit="squash", interpolation="bilinear", mean=(0.5,), std=(0.5,)
)
FEW = 5  # pictures in a class: fewer cannot be learnt from and measured on
LOPSIDED = 10  # times as many pictures in the largest class as in the smallest
TINY = 16  # pixels on the short side, where others have four times as many
FLAT = 2  # grey levels between darkest and brightest


@dataclass(frozen=True, slots=True)
class Checked:
    """Holds what a check found: counts, sizes and problems.

    ``images`` counts those that can be read. ``classes`` maps a class to its readable pictures in
    each split ("" where there is none). ``sizes`` gives min, median and max (height, width).
    ``objects`` counts boxes, where truths are boxes.
    """

    images: int
    classes: dict[str, dict[str, int]]
    sizes: dict[str, tuple[int, int]]
    problems: tuple[Problem, ...]
    objects: Objects | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``images``, ``classes``, ``sizes``, ``problems``, and ``boxes``."""
        plain = {
            "images": self.images,
            "classes": self.classes,
            "sizes": {name: list(size) for name, size in self.sizes.items()},
            "problems": [problem.to_dict() for problem in self.problems],
        }
        return plain | ({} if self.objects is None else {"boxes": self.objects.to_dict()})


def check(data: Dataset) -> Generator[Event, None, Checked]:
    """Read every picture once and return what was ``Checked``; yields progress events."""
    pixels = yield from fill(data.samples, SEEN)
    good = data.keep(data.samples[index] for index in pixels.keep)
    classes = good.counts()
    problems = [
        *data.ledger,
        *pixels.problems,
        *_poor(data, pixels),
        *copies(data, pixels),
        *_groups(good),
        *_classes(data, classes),
        *odd(good),
    ]
    boxed = any(isinstance(sample.truth, Boxes) for sample in data.samples)
    objects = count(data, good) if boxed else None
    return Checked(len(good), classes, _sizes(pixels), tuple(problems), objects)


def _sizes(pixels: Pixels) -> dict[str, tuple[int, int]]:
    """Return the smallest, median and largest height and width."""
    if not len(pixels.keep):
        return {}
    sizes = pixels.sizes[pixels.keep]
    found = {"min": sizes.min(axis=0), "median": np.median(sizes, axis=0), "max": sizes.max(axis=0)}
    return {name: (int(size[0]), int(size[1])) for name, size in found.items()}


def _name(data: Dataset, index: int) -> str:
    return data.samples[index].name or str(index)


def _poor(data: Dataset, pixels: Pixels) -> Iterator[Problem]:
    """Yield pictures with next to nothing in them."""
    if not len(pixels.keep):
        return
    short = pixels.sizes.min(axis=1)
    usual = np.median(short[pixels.keep])
    flat = _flat(pixels)
    for index in pixels.keep.tolist():
        height, width = pixels.sizes[index].tolist()
        if short[index] < TINY and short[index] * 4 <= usual:
            message = f"{width} × {height} pixels, where half of all have {usual:.0f} or more"
            yield Problem("tiny", _name(data, index), message)
        if flat[index]:
            yield Problem("blank", _name(data, index), "one even area, nothing to be seen")


def _flat(pixels: Pixels) -> NDArray[np.bool_]:
    """Return which pictures are one even area, (N,)."""
    memory = pixels.memory.reshape(len(pixels.memory), -1)  # (N, h·w)
    spread = memory.max(axis=1, initial=0).astype(int) - memory.min(axis=1, initial=255)
    flat: NDArray[np.bool_] = spread <= FLAT
    return flat


# ── copies ──────────────────────────────────────────────────────────────────────────────────────


def copies(data: Dataset, pixels: Pixels) -> Iterator[Problem]:
    """Yield each picture that is a copy of an earlier one, by its bytes or by its looks."""
    keep = pixels.keep
    first: dict[str, int] = {}
    exact: list[tuple[int, int]] = []
    for index in keep.tolist():
        earlier = first.setdefault(pixels.digests[index], index)
        if earlier != index:
            exact.append((earlier, index))
    later = {index for _, index in exact}
    distinct = np.array([i for i in keep.tolist() if i not in later], np.int64)
    near = distinct[phash.alike(pixels.hashes[distinct], 0)].reshape(-1, 2)
    root = phash.groups(len(data), near)
    for earlier, index in exact:
        yield from _copy(data, earlier, index, "duplicate", "the same file as")
    for index in np.unique(near).tolist():
        if root[index] != index:
            yield from _copy(data, int(root[index]), index, "near-duplicate", "looks like")


def _copy(data: Dataset, earlier: int, index: int, kind: str, says: str) -> Iterator[Problem]:
    """Yield what is wrong about one copy: that it is one, or that it crosses splits or truths."""
    a, b = data.samples[earlier], data.samples[index]
    name, other = _name(data, index), f"{says} {_name(data, earlier)}"
    worse = False
    if a.split != b.split and None not in (a.split, b.split):
        worse = True
        yield Problem("duplicate-across-splits", name, f"{other}; {b.split} and {a.split}")
    if _said(a) != _said(b):
        worse = True
        yield Problem("duplicate-with-two-labels", name, f"{other}; {_said(b)} and {_said(a)}")
    if not worse:
        yield Problem(kind, name, other)


def _said(sample: Sample) -> str:
    """Return what a truth says; that of boxes, what there is, wherever a copy shows it."""
    truth = sample.truth
    if isinstance(truth, Value):
        return str(truth.value)
    return "" if truth is None else truth.words()


# ── classes and groups ──────────────────────────────────────────────────────────────────────────


def _groups(data: Dataset) -> Iterator[Problem]:
    """Yield the groups whose pictures were given to several splits."""
    parts: dict[str, set[str]] = defaultdict(set)
    for sample in data.samples:
        if sample.group is not None and sample.split is not None:
            parts[sample.group].add(sample.split)
    for group in sorted(parts):
        if len(parts[group]) > 1:
            message = f"group {group} is in {' and '.join(sorted(parts[group]))}"
            yield Problem("group-across-splits", group, message)


def _classes(data: Dataset, classes: dict[str, dict[str, int]]) -> Iterator[Problem]:
    """Yield classes that are small, that lack a split, or that stand against far larger ones."""
    named = {name: classes.get(name, {}) for name in data.classes}
    totals = {name: sum(counts.values()) for name, counts in named.items()}
    splits = {split for counts in named.values() for split in counts}
    for name, total in totals.items():
        if total < FEW:
            yield Problem("few", name, f"{total} readable pictures, fewer than {FEW}")
        for split in sorted(splits - set(named[name])):
            if split:
                yield Problem("missing-class", name, f"no readable picture in {split}")
    large, small = max(totals.values(), default=0), min(totals.values(), default=0)
    if small and large > LOPSIDED * small:
        least, most = min(totals, key=lambda c: totals[c]), max(totals, key=lambda c: totals[c])
        message = f"{small} pictures against {large} of {most}; balance=True weighs rare ones up"
        yield Problem("imbalance", least, message)
