"""Cuts what a classifier learns from to find objects: objects with their surroundings, and ground.

With a model, what it takes for an object where none is becomes ground to learn from, too: rounds of
hard negatives, by which false alarms were brought down where handguns were sought in films (Olmos,
Tabik & Herrera, Automatic Handgun Detection Alarm in Videos Using Deep Learning, 2018, section 4;
the idea is Sung & Poggio's, Example-Based Learning for View-Based Human Face Detection, 1998).

Shapes: an image (B, H, W); n boxes (n, 4) in its pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from opsin.data.dataset import Dataset
from opsin.data.decode import PictureError, decode
from opsin.data.formats import folder
from opsin.data.sample import Sample, shown
from opsin.errors import DataError, RecipeError
from opsin.events import Problem
from opsin.files import folder_replacing
from opsin.locate.frames import CONTEXT, Floats, checked, squares
from opsin.locate.searcher import GROUND, Searcher
from opsin.ops import boxes as geometry
from opsin.ops.seeding import number
from opsin.results import Boxes, Label

if TYPE_CHECKING:
    from opsin.model import Model

    Pixels = NDArray[np.uint8]

TRIES = 20  # places drawn for a crop of ground before a picture counts as full
SHARED = 0.1  # IoU with an object up to which a drawn place shows ground
ALARM = 0.3  # the same for what a model said: beside an object is not on it
SURE = 0.5  # score from which on a false alarm is a hard negative


@dataclass(frozen=True, slots=True)
class Wish:
    """Says how many crops of ground each picture gives, drawn by ``seed``, and how all are cut.

    ``context`` is what is added on each side of a box, as a share of its longer side;
    ``background`` is the class that stands for no object, its usual name if not given.
    ``proposals`` is where a model looks for its false alarms, of which a picture gives ``most``.
    """

    negatives: int = 3
    seed: int = 0
    context: float = CONTEXT
    background: str | None = None
    proposals: str = ""
    most: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.negatives <= 1000:
            raise RecipeError(f"negatives={self.negatives}", expected="0 to 1000")
        checked(self.context)

    @property
    def ground(self) -> str:
        """Return the name of the class of no object."""
        return self.background or GROUND[0]

    def searcher(self, data: Dataset, model: Model) -> Searcher:
        """Return a model made ready to look for objects where this wish says."""
        way = self.proposals or usual(data)
        return Searcher(model, way, background=self.background, context=self.context)


@dataclass(frozen=True, slots=True)
class Cropped:
    """Says what was cut and where it was written; ``hard`` counts the false alarms among it.

    ``problems`` names the pictures that gave nothing, or no false alarms, and why.
    """

    out: Path
    classes: Mapping[str, int]
    hard: int
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "out": shown(self.out),
            "classes": dict(self.classes),
            "hard": self.hard,
            "problems": [problem.to_dict() for problem in self.problems],
        }

    def lines(self) -> Iterator[str]:
        """Yield what there is to say, a line each."""
        told = ", ".join(f"{n:,} {name}" for name, n in sorted(self.classes.items()))
        hard = f" ({self.hard:,} of them false alarms)" if self.hard else ""
        yield f"{shown(self.out)}: {told}{hard}"


def cut(data: Dataset, out: Path, wish: Wish | None = None, model: Model | None = None) -> Cropped:
    """Write crops of a data set of boxes as a folder of class folders, and say how many.

    One picture is held at a time; the folder is whole or absent. Pictures that cannot be read are
    left out and named. Raises ``DataError`` for data of another kind, without an object, with a
    class called as the ground is, and where there is something at ``out`` already.
    """
    wish = wish or Wish()
    _check(data, wish)
    searcher = wish.searcher(data, model) if model else None
    counts: Counter[Path] = Counter()
    problems: list[Problem] = []
    hard = 0
    with folder_replacing(out) as beside:
        for index, sample in enumerate(data.samples):
            if sample.truth is None:
                continue  # nobody says what is in it
            try:
                image = decode(sample.image)
            except PictureError as error:
                problems.append(Problem(error.kind, sample.called, f"{error.received}; left out"))
                continue
            found = list(_known(image, sample, wish, index))
            if searcher and sample.split != "test":  # what is measured on teaches nothing
                try:
                    alarms = mined(searcher, image, _truth(sample), wish.most)
                except DataError as error:
                    problems.append(Problem("not-searched", sample.called, str(error)))
                else:
                    hard += len(alarms)
                    found += [(box, wish.ground) for box in alarms]
            for crop in _crops(image, found, sample, wish.context):
                folder.put(crop, beside, counts)
        classes: Counter[str] = Counter()
        for place, many in counts.items():
            classes[place.name] += many
        if not set(classes) - {wish.ground}:
            raise DataError("no box that is to be found", expected="at least one object")
    return Cropped(out, classes, hard, tuple(problems))


def _check(data: Dataset, wish: Wish) -> None:
    """Raise ``DataError`` for what crops cannot be cut of."""
    if data.kind is not Boxes:
        raise DataError(f"truths of kind {data.kind.kind}", expected="boxes")
    grounds = GROUND if wish.background is None else (wish.background.lower(),)
    if taken := [name for name in data.classes if name.lower() in grounds]:
        raise DataError(
            f"the class {taken[0]!r} of boxes",
            expected="no box round the ground",
            remedy="Give the class of no object another name, as in: --background nothing",
        )
    if len({sample.split is None for sample in data.samples}) > 1:
        raise DataError("splits for some pictures only", expected="splits for all or for none")


def _truth(sample: Sample) -> Boxes:
    return sample.truth if isinstance(sample.truth, Boxes) else Boxes(np.zeros((0, 4), np.float32))


def _known(image: Pixels, sample: Sample, wish: Wish, index: int) -> Iterator[tuple[Floats, str]]:
    """Yield the boxes of a picture's objects and of ground, each with its class."""
    truth = _truth(sample)
    known = truth.keep(~truth.ignored)
    yield from zip(known.boxes, known.names, strict=True)
    draws = np.random.default_rng(number(wish.seed, index))
    for box in drawn(image.shape[1:], truth, wish.negatives, draws):
        yield box, wish.ground


def drawn(size: tuple[int, ...], truth: Boxes, many: int, draws: np.random.Generator) -> Floats:
    """Return up to ``many`` squares (n, 4) of ground, as large as one of the objects is each.

    >>> truth = Boxes(np.array([[10, 10, 30, 30]]), ("ant",))
    >>> places = drawn((100, 100), truth, 3, np.random.default_rng(0))
    >>> len(places), (places[:, 2] - places[:, 0]).round(3).tolist()
    (3, [20.0, 20.0, 20.0])
    """
    found = np.zeros((0, 4), np.float32)
    known = truth.boxes[~truth.ignored]
    sides = (known[:, 2:] - known[:, :2]).max(axis=1) if len(known) else np.array([min(size) / 4])
    for _ in range(many * TRIES):
        if len(found) == many:
            break
        side = float(np.clip(draws.choice(sides), 1, min(size)))
        left, top = draws.uniform(0, [size[1] - side, size[0] - side])
        place = np.array([[left, top, left + side, top + side]], np.float32)
        if not _touches(place, truth, SHARED)[0]:
            found = np.concatenate([found, place])
    return found


def mined(searcher: Searcher, image: Pixels, truth: Boxes, most: int) -> Floats:
    """Return up to ``most`` places (n, 4) where a classifier is sure of an object and none is."""
    said = searcher.find(image, SURE)
    wrong: Floats = said.boxes[~_touches(said.boxes, truth, ALARM)]
    return wrong[:most]


def usual(data: Dataset) -> str:
    """Return windows as large as the objects of a data set are: small, middling and large ones.

    >>> truth = Boxes(np.array([[0, 0, 20, 10], [0, 0, 40, 40]]), ("ant", "bee"))
    >>> usual(Dataset((Sample(np.zeros((3, 50, 50), np.uint8), truth),)))
    'sliding, scales 22 30 38, step 0.25'
    """
    sides = np.concatenate(
        [
            (s.truth.boxes[:, 2:] - s.truth.boxes[:, :2]).max(axis=1)
            for s in data.samples
            if isinstance(s.truth, Boxes) and len(s.truth)
        ]
        or [np.array([64.0])]
    )
    scales = np.unique(np.maximum(1, np.quantile(sides, (0.1, 0.5, 0.9)).round())).astype(int)
    return f"sliding, scales {' '.join(map(str, scales))}, step 0.25"


def _touches(boxes: Floats, truth: Boxes, share: float) -> NDArray[np.bool_]:
    """Return which boxes (n, 4) share more than ``share`` with what is marked, (n,).

    That is the IoU with an object, but the part of a box that lies in one that is flagged: a crowd
    is so much larger than who stands in it that their IoU is next to nothing.
    """
    if not len(truth) or not len(boxes):
        return np.zeros(len(boxes), bool)
    own, marked = torch.tensor(boxes), torch.tensor(truth.boxes)
    flagged = torch.from_numpy(truth.ignored)  # (m,)
    near = torch.where(flagged, geometry.covered(own, marked), geometry.overlap(own, marked))
    return np.asarray((near > share).any(dim=1).numpy(), bool)


def _crops(
    image: Pixels, found: list[tuple[Floats, str]], sample: Sample, context: float
) -> Iterator[Sample]:
    """Yield a sample for each box and class, cut out with its context."""
    if not found:
        return
    frames = squares(np.stack([box for box, _ in found]), image.shape[1:], context)  # (n, 4)
    for frame, (_, name) in zip(np.rint(frames).astype(int), found, strict=True):
        left, top, right, bottom = frame.tolist()
        pixels = np.ascontiguousarray(
            image[:, top : max(bottom, top + 1), left : max(right, left + 1)]
        )
        yield Sample(pixels, Label(name), sample.split)
