"""Who learns, who chooses, who judges: every sample gets a split.

The rule, in this order:

1. Splits that the data gives are kept. What has none although others do is taken for training.
2. A validation or test split that is missing is cut from training, 15 % unless asked otherwise;
   validation takes 5,000 at most.
3. A cut keeps the shares of classes (of quarters of the range, for numbers; of the rarest class
   in a picture, for boxes).
4. A group (a person, a site, a day) and copies of one picture stay together in a cut.
5. Where given splits hold copies of one picture, the test keeps it, then validation; the others
   are left out and named.

A class of one picture is trained on; of two, one is validated on; from three on each split gets
one. Shapes: N samples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import SPLITS, Sample
from opsin.errors import DataError
from opsin.events import Problem
from opsin.ops import phash
from opsin.results import Boxes, Label, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH = 5000  # pictures that choose an epoch as well as more would (± 0.2 points at 99 %)
PROTECTED = ("test", "validation", "train")  # who keeps a picture that several have
QUANTILES = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """Holds the split of each of N samples, None for those left out, and why they are."""

    splits: tuple[str | None, ...]
    problems: tuple[Problem, ...]


def split(
    data: Dataset,
    *,
    seed: int,
    digests: Sequence[str] | None = None,
    hashes: NDArray[np.uint64] | None = None,
    validation: float = 0.15,
    test: float = 0.15,
) -> Dataset:
    """Return the data with a split for every sample, by the rule at the head of this file.

    ``digests`` and ``hashes`` (N,) of ``data.cache`` are equal for pictures that are copies. Those
    that had to be left out are named in the ledger. Raises ``DataError`` without any to train on.

    >>> data = Dataset(tuple(Sample(b"", Label("ab"[i % 2])) for i in range(40)))
    >>> split(data, seed=0).counts()
    {'a': {'train': 14, 'validation': 3, 'test': 3}, 'b': {'train': 14, 'validation': 3, 'test': 3}}
    """
    made = cut(data, seed=seed, digests=digests, hashes=hashes, validation=validation, test=test)
    placed = zip(data.samples, made.splits, strict=True)
    samples = (s if s.split == part else replace(s, split=part) for s, part in placed if part)
    return replace(data, samples=tuple(samples), ledger=data.ledger + made.problems)


def cut(
    data: Dataset,
    *,
    seed: int,
    digests: Sequence[str] | None = None,
    hashes: NDArray[np.uint64] | None = None,
    validation: float = 0.15,
    test: float = 0.15,
) -> Cut:
    """Return what ``split`` decides, sample by sample, so that arrays can follow."""
    given = {sample.split for sample in data.samples} - {None}
    splits: list[str | None] = [sample.split or "train" for sample in data.samples]
    copies = _copies(len(data), digests, hashes)
    problems = _settle(data.samples, splits, copies) if given else []
    pool = [index for index, part in enumerate(splits) if part == "train"]
    shares = {"validation": min(validation, ENOUGH / max(1, len(pool))), "test": test}
    missing = {name: share for name, share in shares.items() if name not in given and share}
    if not pool:
        raise DataError(
            f"{len(data)} pictures, none of them to train on",
            expected="some in a train split, or without a split",
            remedy="Name a folder train, or leave the splits out.",
        )
    units = _units(data.samples, pool, copies)
    strata: dict[str, list[list[int]]] = defaultdict(list)
    stratum = _strata(data.samples)
    for unit in units:
        strata[stratum[unit[0]]].append(unit)
    for number, name in enumerate(sorted(strata)):
        draws = np.random.default_rng((seed, number))
        _deal(strata[name], missing, splits, draws)
    return Cut(tuple(splits), tuple(problems))


def _copies(
    n: int, digests: Sequence[str] | None, hashes: NDArray[np.uint64] | None
) -> NDArray[np.int64]:
    """Return for each sample the first one that shows the same picture, (N,).

    A sample whose digest is "" could not be read; its hash means nothing.
    """
    links = []
    known = np.arange(n)
    if digests is not None:
        known = np.flatnonzero([digest != "" for digest in digests])
        _, first, which = np.unique(
            np.array(digests, dtype=str)[known], return_index=True, return_inverse=True
        )
        pairs = np.stack([known[first[which.reshape(-1)]], known], axis=1)
        links.append(pairs[pairs[:, 0] != pairs[:, 1]])
    if hashes is not None:
        links.append(known[phash.alike(hashes[known], 0)])
    return phash.groups(n, *links)


def _settle(
    samples: Sequence[Sample], splits: list[str | None], copies: NDArray[np.int64]
) -> list[Problem]:
    """Leave out of given splits what a more protected split has too; return what was left out."""
    holders: dict[int, list[int]] = defaultdict(list)
    for index in np.flatnonzero(np.bincount(copies, minlength=len(copies))[copies] > 1).tolist():
        holders[int(copies[index])].append(index)
    problems = []
    for members in holders.values():
        keeper = min(members, key=lambda index: PROTECTED.index(str(splits[index])))
        for index in members:
            if splits[index] != splits[keeper]:
                why = f"the same picture as {samples[keeper].name} in {splits[keeper]}"
                message = f"{why}; left out of {splits[index]}"
                problems.append(Problem("duplicate", samples[index].name, message))
                splits[index] = None
    return problems


def _units(
    samples: Sequence[Sample], pool: list[int], copies: NDArray[np.int64]
) -> list[list[int]]:
    """Return the samples of ``pool`` in units that must stay together: copies and groups."""
    first: dict[str, int] = {}
    links = [
        (first.setdefault(group, index), index)
        for index in pool
        if (group := samples[index].group) is not None
    ]
    pairs = np.array([(int(copies[i]), i) for i in pool] + links, np.int64).reshape(-1, 2)
    root = phash.groups(len(samples), pairs[pairs[:, 0] != pairs[:, 1]])
    units: dict[int, list[int]] = defaultdict(list)
    for index in pool:
        units[int(root[index])].append(index)
    return list(units.values())


def _strata(samples: Sequence[Sample]) -> list[str]:
    """Return for each sample what its share must be kept of: its class, its quarter of numbers."""
    numbers = [s.truth.value for s in samples if isinstance(s.truth, Value)]
    seen = Counter(n for s in samples if isinstance(s.truth, Boxes) for n in set(s.truth.names))
    edges = np.quantile(numbers, np.arange(1, QUANTILES) / QUANTILES) if numbers else np.zeros(0)

    def name(sample: Sample) -> str:
        if isinstance(sample.truth, Label):
            return sample.truth.name
        if isinstance(sample.truth, Value):
            return str(np.searchsorted(edges, sample.truth.value))
        if isinstance(sample.truth, Boxes) and len(sample.truth):
            return min(sample.truth.names, key=lambda name: (seen[name], name))
        return ""

    return [name(sample) for sample in samples]


def _deal(
    units: list[list[int]],
    shares: dict[str, float],
    splits: list[str | None],
    draws: np.random.Generator,
) -> None:
    """Hand out the units of one stratum, each to the split that lacks most; large units first."""
    total = sum(map(len, units))
    lacks = {name: share * total for name, share in shares.items()}
    for place, name in enumerate(name for name in SPLITS if name in lacks):
        at_least = 1.0 if len(units) >= place + 2 else 0.0
        lacks[name] = max(float(round(lacks[name])), at_least) if at_least else 0.0
    lacks = {"train": max(total - sum(lacks.values()), 1.0)} | lacks
    order = [units[index] for index in draws.permutation(len(units))]
    for unit in sorted(order, key=len, reverse=True):
        part = max(lacks, key=lambda name: lacks[name])
        lacks[part] -= len(unit)
        for index in unit:
            splits[index] = part
