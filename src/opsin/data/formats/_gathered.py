"""Gathers the boxes that a format finds, and holds each against its picture.

Nothing that is wrong costs more than it must: a bad box is left out and its picture stays, and each
fault is named with file and line. The kinds of fault, which ``check`` counts:

*clipped* (it reached beyond the picture and was cut), *mended* (its corners were exchanged) ·
*no-box*, *not-a-number*, *empty-box*, *outside*, *no-class*, *no-flag*, *no-picture* (the box was
dropped) · *annotated-twice*, *wrong-size* (of a picture that was kept) · *missing* and what else
keeps a picture from being read (it was left out) · *broken* (what could not be understood at all).

Shapes: M boxes of all pictures (M, 4) as x1 y1 x2 y2; sizes (M, 2) as height, width.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.decode import PictureError, look
from opsin.data.formats._settled import settle, why
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.events import Problem
from opsin.results import FLAGS, Boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DROPPED = ("no-box", "not-a-number", "empty-box", "outside", "no-class", "no-flag", "no-picture")


@dataclass(frozen=True, slots=True)
class Place:
    """Says where something stands: a file, a line, and a column and an id where files have them."""

    file: str
    line: int
    column: int = 0
    ident: int = -1

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        ident = f", annotation {self.ident}" if self.ident >= 0 else ""
        return f"{self.file}, line {self.line}{column}{ident}"


@dataclass(slots=True)
class _Picture:
    """Is a picture that boxes belong to; without a sample where it cannot be used."""

    name: str
    file: str
    sample: Sample | None
    size: tuple[int, int] = (0, 0)
    twice: bool = False


class Gathered:
    """Collects pictures and boxes in any order; ``dataset`` then says what came of them.

    A *slot* is the number of a picture. A class goes by a key (an id, a name); what it is called
    may be told later.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.names: dict[Hashable, str] = {}  # what the key of a class is called
        self._pictures: dict[int, _Picture] = {}
        self._slots, self._sources = 0, dict[tuple[object, ...], int]()
        self._same: dict[int, int] = {}  # the slot of a picture's second entry: that of its first
        self._faults: list[tuple[int, str, Place, str]] = []
        self._keys: dict[Hashable, int] = {}
        self._files: dict[str, int] = {}
        self._corners, self._scores = array("d"), array("d")  # columns take a sixth of objects
        self._whole = array("q")  # slot, class, flag, file, line, column, id of each box

    # ── what formats tell ───────────────────────────────────────────────────────────────────────

    def slot(self) -> int:
        """Return the number of a picture of which nothing is known yet."""
        self._slots += 1
        return self._slots - 1

    def picture(
        self,
        sample: Sample,
        place: Place,
        *,
        slot: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> int:
        """Add a picture and return its slot; only its header is read.

        ``size`` is the (height, width) that the annotation gives; (0, 0) says nothing.
        """
        slot = self.slot() if slot is None else slot
        source, known = sample.image, None
        if isinstance(source, Path | bytes):
            known = self._sources.setdefault((source, sample.split), slot)
        if known is not None and known != slot:
            return self._again(slot, known, sample, place)
        try:
            facts = look(source)
        except PictureError as error:
            says = f"{place}: {_brief(error)}; left out"
            self.problems.append(Problem(error.kind, sample.called or str(place), says))
            self._pictures[slot] = _Picture(sample.called, place.file, None)
            return slot
        seen = facts.height, facts.width
        if size is not None and min(size) > 0 and size != seen:
            says = f"it gives {size[1]} × {size[0]} pixels, the picture has {seen[1]} × {seen[0]}"
            says = f"{place}: {says}; boxes are taken as pixels of the picture"
            self.problems.append(Problem("wrong-size", sample.called, says))
        self._pictures[slot] = _Picture(sample.called, place.file, sample, seen)
        return slot

    def knows(self, slot: int) -> bool:
        """Return whether a picture was told of under this number."""
        return slot in self._pictures or slot in self._same

    @property
    def seen(self) -> list[Hashable]:
        """Return the keys of all classes that boxes were added for."""
        return list(self._keys)

    def size(self, slot: int) -> tuple[int, int]:
        """Return the (height, width) of a picture, (0, 0) where it cannot be used."""
        return self._pictures[self._same.get(slot, slot)].size

    def box(
        self,
        slot: int,
        corners: Sequence[float],
        key: Hashable,
        place: Place,
        *,
        flag: str = "",
        score: float = 1.0,
    ) -> None:
        """Add a box x1 y1 x2 y2 in pixels of the class ``key``."""
        if flag not in FLAGS:
            says = f"the flag {flag[:40]!r} is none of {', '.join(filter(None, FLAGS))}"
            self.drop(slot, "no-flag", place, says)
            return
        self._corners.extend(corners)
        self._scores.append(score)
        code = self._keys.setdefault(key, len(self._keys))
        file = self._files.setdefault(place.file, len(self._files))
        where = (file, place.line, place.column, place.ident)
        self._whole.extend((slot, code, FLAGS.index(flag), *where))

    def drop(self, slot: int, kind: str, place: Place, why: str) -> None:
        """Name a box that cannot be used; its picture stays."""
        self._faults.append((slot, kind, place, f"{why}; dropped"))

    def broken(self, place: Place, why: str) -> None:
        """Name something that belongs to no picture."""
        self.problems.append(Problem("broken", place.file, f"{place}: {why}; left out"))

    # ── what comes of it ────────────────────────────────────────────────────────────────────────

    def dataset(self, path: Path, name: str, ids: Mapping[str, int] | None = None) -> Dataset:
        """Return pictures in the order they were told, with their boxes and the ledger.

        Raises ``DataError`` where not one picture can be used.
        """
        whole = np.array(self._whole, np.int64).reshape(-1, 7)
        first = np.arange(max(self._slots, 1))
        first[list(self._same)] = list(self._same.values())
        whole[:, 0] = first[whole[:, 0]]
        raw = np.array(self._corners, np.float64).reshape(-1, 4)
        sizes = np.zeros((max(self._slots, 1), 2))
        for slot, picture in self._pictures.items():
            sizes[slot] = picture.size if picture.sample else (np.inf, np.inf)
        boxes, found = settle(raw, sizes[whole[:, 0]])
        scores = np.array(self._scores)
        self._say(whole, raw, boxes, found, scores)
        bad = np.isin(np.arange(len(raw)), [i for kind in DROPPED for i in found.get(kind, ())])
        keep = np.flatnonzero(~bad)
        keep = keep[np.argsort(whole[keep, 0], kind="stable")]
        samples = list(self._samples(whole[keep], boxes[keep], scores[keep]))
        if not samples:
            why_not = f" ({self.problems[0].message})" if self.problems else ""
            raise DataError(
                f"{path}, of whose {len(self._pictures)} pictures none can be used{why_not}",
                expected="pictures where the annotations say they are",
                remedy="Say where the pictures lie with --root.",
            )
        return Dataset(tuple(samples), name, tuple(self.problems), dict(ids or {}))

    def _again(self, slot: int, known: int, sample: Sample, place: Place) -> int:
        """Join what is said of a picture that was told before with what was said then."""
        first = self._pictures[known]
        first.twice = True
        says = f"{place}: {first.file} is about it, too; boxes of both are taken, equal ones once"
        self.problems.append(Problem("annotated-twice", sample.called, says))
        self._same[slot] = known
        return known

    def _say(
        self,
        whole: NDArray[np.int64],
        raw: Floats,
        boxes: NDArray[np.float32],
        found: dict[str, NDArray[np.int64]],
        scores: Floats,
    ) -> None:
        """Name every fault of every box; add to ``found`` those that no box shows by itself."""
        usable = np.zeros(max(self._slots, 1), bool)
        usable[[slot for slot, picture in self._pictures.items() if picture.sample]] = True
        named = np.array([key in self.names for key in self._keys], bool)
        homeless = ~usable[whole[:, 0]]
        found["no-picture"] = np.flatnonzero(homeless)
        found["no-class"] = np.flatnonzero(~homeless & ~_at(named, whole[:, 1]))
        unfit = ~((scores >= 0) & (scores <= 1))
        found["not-a-number"] = np.union1d(found["not-a-number"], np.flatnonzero(unfit))
        lost = set(found["no-picture"].tolist()) | set(found["no-class"].tolist())
        for kind in ("clipped", "mended"):
            found[kind] = np.setdiff1d(found[kind], found["not-a-number"])
        keys, files = list(self._keys), list(self._files)
        for kind, places in found.items():
            for index in places.tolist():
                if index in lost and kind not in ("no-picture", "no-class"):
                    continue  # one fault is enough to drop it
                slot, code, _, file, line, column, ident = whole[index].tolist()
                size = self._pictures[slot].size if slot in self._pictures else (0, 0)
                says = why(kind, raw[index], boxes[index], size, keys[code])
                self._name(slot, kind, Place(files[file], line, column, ident), says)
        for fault in self._faults:
            self._name(self._same.get(fault[0], fault[0]), *fault[1:])

    def _name(self, slot: int, kind: str, place: Place, says: str) -> None:
        picture = self._pictures.get(slot)
        called = picture.name if picture else place.file
        self.problems.append(Problem(kind, called, f"{place}: {says}"))

    def _samples(
        self, whole: NDArray[np.int64], boxes: NDArray[np.float32], scores: Floats
    ) -> Iterator[Sample]:
        """Yield each usable picture with its boxes, which lie together, ordered by slot."""
        names = [self.names.get(key, "") for key in self._keys]
        slots = whole[:, 0].copy()
        for slot, picture in self._pictures.items():
            if picture.sample is None:
                continue
            start, end = np.searchsorted(slots, (slot, slot + 1)).tolist()
            truth = Boxes(
                boxes[start:end],
                tuple(names[code] for code in whole[start:end, 1].tolist()),
                scores[start:end].astype(np.float32),
                tuple(FLAGS[flag] for flag in whole[start:end, 2].tolist()),
                picture.size,
            )
            sample, truth = picture.sample, _once(truth) if picture.twice else truth
            yield Sample(sample.image, truth, sample.split, sample.group, sample.name)


def _brief(error: PictureError) -> str:
    """Return what is wrong with a picture, without what to do about it."""
    return f"there is no file {error.received}" if error.kind == "missing" else error.received


def _at(values: NDArray[np.bool_], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = values[places] if len(values) else np.zeros(len(places), bool)
    return found


def _once(boxes: Boxes) -> Boxes:
    """Return boxes without those that are there before."""
    rows = [str(row) for row in boxes.rows()]
    return boxes.keep(np.array([row not in rows[:place] for place, row in enumerate(rows)], bool))
