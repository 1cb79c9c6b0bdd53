"""What boxes a data set has, and which of them look odd.

The kinds of problem: *duplicate-box* (the same box of the same class twice), *two-classes* (the
same box as two classes), *tiny-box* (a side of less than two pixels), *whole-picture* (it covers
all of it), *empty-class* (a class that is named and has no box). What formats had to cut or leave
out is in the ledger already (``formats/_gathered.py``); it is counted here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.formats._gathered import DROPPED
from opsin.events import Problem
from opsin.results import Boxes

SMALL, MEDIUM = 32**2, 96**2  # square pixels: COCO's limits
THIN = 2.0  # pixels of the shorter side: less is not seen by any net
WHOLE = 0.99  # share of the picture
BINS = ((0, 0), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 10**9))


@dataclass(frozen=True, slots=True)
class Objects:
    """Counts the boxes of a data set.

    ``dropped`` counts by reason what formats left out, ``classes`` the boxes of each class in each
    split, ``per_picture`` the pictures by how many boxes they have, ``sizes`` the boxes by area
    (COCO's small, medium and large), ``ignored`` those flagged crowd, difficult or ignore.
    """

    kept: int
    clipped: int
    mended: int
    dropped: dict[str, int]
    classes: dict[str, dict[str, int]]
    per_picture: dict[str, int]
    sizes: dict[str, int]
    ignored: dict[str, int]
    ids: dict[str, int]

    @property
    def without(self) -> int:
        """Return how many pictures have no objects."""
        return self.per_picture.get("0", 0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        names = (name for name in self.__slots__)
        return {name: getattr(self, name) for name in names} | {"pictures_without": self.without}

    def lines(self) -> Iterator[str]:
        """Yield what there is to say, a line each."""
        lost = sum(self.dropped.values())
        why = ", ".join(f"{count:,} {kind}" for kind, count in self.dropped.items())
        yield (
            f"Boxes: {self.kept:,} kept, of which {self.clipped:,} clipped and {self.mended:,} "
            f"mended; {lost:,} dropped" + (f" ({why})" if why else "")
        )
        told = (f"{name}: {count:,}" for name, count in self.per_picture.items())
        yield "Pictures by number of boxes: " + " · ".join(told)
        shares = (f"{count / max(1, self.kept):.0%} {name}" for name, count in self.sizes.items())
        yield f"Sizes: {', '.join(shares)} (below 32², below 96², from 96² pixels on)"
        if self.ignored:
            told = (f"{count:,} {flag}" for flag, count in self.ignored.items())
            yield f"Not asked for: {', '.join(told)}"


def count(data: Dataset, good: Dataset) -> Objects:
    """Count the boxes of the pictures that can be read, ``good``, and what ``data`` left out."""
    ledger = Counter(problem.kind for problem in data.ledger)
    pairs = [(s, s.truth) for s in good.samples if isinstance(s.truth, Boxes)]
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    for sample, boxes in pairs:
        for name in boxes.names:
            classes[name][sample.split or ""] += 1
    areas = np.concatenate([np.zeros(0), *(_areas(boxes) for _, boxes in pairs)])
    flags = Counter(flag for _, boxes in pairs for flag in boxes.flags if flag)
    return Objects(
        len(areas),
        ledger["clipped"],
        ledger["mended"],
        {kind: ledger[kind] for kind in DROPPED if ledger[kind]},
        {name: dict(sorted(classes[name].items())) for name in sorted(classes)},
        _histogram([len(boxes) for _, boxes in pairs]),
        {
            "small": int((areas < SMALL).sum()),
            "medium": int(((areas >= SMALL) & (areas < MEDIUM)).sum()),
            "large": int((areas >= MEDIUM).sum()),
        },
        dict(sorted(flags.items())),
        dict(data.ids),
    )


def odd(data: Dataset) -> Iterator[Problem]:
    """Yield the boxes that look like slips, and the classes without any."""
    for index, sample in enumerate(data.samples):
        if isinstance(sample.truth, Boxes):
            yield from _odd(sample.truth, sample.called or str(index))
    for name in sorted(set(data.ids) - set(data.classes)):
        yield Problem("empty-class", name, f"the class of id {data.ids[name]} has no box")


def _odd(boxes: Boxes, called: str) -> Iterator[Problem]:
    """Yield what looks odd among the boxes of one picture."""
    rounded = [tuple(box) for box in np.round(boxes.boxes.astype(np.float64), 1).tolist()]
    times = Counter(zip(rounded, boxes.names, strict=True))
    kinds: dict[tuple[float, ...], set[str]] = defaultdict(set)
    for (box, name), number in times.items():
        kinds[box].add(name)
        if number > 1:
            said = f"{name} at {_said(box)} is there {number} times"
            yield Problem("duplicate-box", called, said)
    for box, names in kinds.items():
        if len(names) > 1:
            said = f"the box {_said(box)} is {' and '.join(sorted(names))}"
            yield Problem("two-classes", called, said)
    sides = boxes.boxes[:, 2:] - boxes.boxes[:, :2]  # (N, 2)
    for place in np.flatnonzero((sides < THIN).any(axis=1)).tolist():
        said = f"{boxes.names[place]} at {_said(rounded[place])} is less than {THIN:g} pixels wide"
        yield Problem("tiny-box", called, f"{said} or high")
    area = np.inf if boxes.size is None else boxes.size[0] * boxes.size[1]
    for place in np.flatnonzero(_areas(boxes) >= WHOLE * area).tolist():
        yield Problem("whole-picture", called, f"{boxes.names[place]} covers the whole picture")


def _areas(boxes: Boxes) -> Any:
    """Return the area of each box, float64 (N,)."""
    sides = (boxes.boxes[:, 2:] - boxes.boxes[:, :2]).astype(np.float64)
    return sides[:, 0] * sides[:, 1]


def _histogram(counts: Iterable[int]) -> dict[str, int]:
    """Return how many numbers lie in each bin that is not empty.

    >>> _histogram([0, 1, 4, 5, 200])
    {'0': 1, '1': 1, '3–5': 2, 'over 100': 1}
    """
    counts, found = list(counts), {}
    for low, high in BINS:
        name = str(low) if low == high else f"{low}–{high}" if high < 10**9 else f"over {low - 1}"
        if number := sum(low <= count <= high for count in counts):
            found[name] = number
    return found


def _said(box: Iterable[float]) -> str:
    return " ".join(f"{edge:.6g}" for edge in box)
