"""What objects a picture shows, and where: boxes.

Shapes: N objects; boxes (N, 4) as x1 y1 x2 y2; an image (3, H, W).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from opsin.errors import DataError
from opsin.results._drawing import framed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opsin.results._drawing import Image
    from opsin.results.placement import Placement

FLAGS = ("", "crowd", "difficult", "ignore")
LEFT = 0.1  # share of a box below which what is left of it shows nothing


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Says which objects are in a picture and where; a prediction adds its scores.

    ``boxes`` (N, 4) are float32 x1 y1 x2 y2 in pixels of the upright picture. Edges are continuous:
    the box of the first pixel alone is 0 0 1 1. ``names`` are N classes, ``scores`` (N,) lie in
    0..1, all 1 for a truth. ``size`` is the (height, width) of the picture where it is known.

    ``flags`` mark truths that nobody must find and nobody is blamed for finding: *crowd* (a group
    behind one box), *difficult*, or *ignore*; "" is an ordinary object. Raises ``DataError`` for
    what is not finite, what is reversed, and lengths that differ.

    >>> found = Boxes(np.array([[2, 1, 6, 5], [0, 0, 3, 3]]), ("cat", "dog"), np.array([0.9, 0.5]))
    >>> len(found), found.words(), found.keep(found.scores > 0.6).rows()[0]["x2"]
    (2, '1 cat, 1 dog', 6.0)
    """

    kind: ClassVar[str] = "boxes"
    columns: ClassVar[tuple[str, ...]] = ("label", "score", "x1", "y1", "x2", "y2", "flag")
    located: ClassVar[bool] = True  # whether it says where something is

    boxes: NDArray[np.float32]
    names: tuple[str, ...] = ()
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    flags: tuple[str, ...] = ()
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        n = len(self.names)
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused below
            boxes = np.array(self.boxes, np.float32)
        boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
        scores = np.array(self.scores if len(self.scores) else np.ones(n), np.float32)
        flags = tuple(self.flags) or ("",) * n
        if boxes.shape != (n, 4) or scores.shape != (n,) or len(flags) != n:
            raise DataError(
                f"boxes {boxes.shape}, scores {scores.shape} and {len(flags)} flags for {n} names",
                expected=f"({n}, 4), ({n},) and {n}",
            )
        _check(boxes, self.names, scores, flags)
        if self.size is not None and min(self.size) < 1:
            raise DataError(f"the size {self.size}", expected="a height and a width in pixels")
        for name, value in (("boxes", boxes), ("scores", scores)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "flags", flags)

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same, to the last bit and in the same order."""
        return isinstance(other, Boxes) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return (
            f"Boxes.from_dict({self.to_dict()})"  # whole, for what is hashed by how it is written
        )

    def _key(self) -> tuple[object, ...]:
        return self.boxes.tobytes(), self.names, self.scores.tobytes(), self.flags, self.size

    @property
    def ignored(self) -> NDArray[np.bool_]:
        """Return which boxes are neither asked for nor held against anybody, (N,)."""
        return np.array([flag != "" for flag in self.flags], bool)

    def keep(self, which: NDArray[Any]) -> Boxes:
        """Return the boxes of a mask (N,) or of places, in their order."""
        places = np.arange(len(self))[which]
        return Boxes(
            self.boxes[places],
            tuple(self.names[place] for place in places),
            self.scores[places],
            tuple(self.flags[place] for place in places),
            self.size,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``boxes``, each with label, score, box and flag, and the ``size``."""
        each = [
            {"label": row["label"], "score": row["score"], "box": [row[k] for k in CORNERS]}
            | ({"flag": row["flag"]} if row["flag"] else {})
            for row in self.rows()
        ]
        return {"boxes": each} | ({} if self.size is None else {"size": list(self.size)})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the boxes that ``to_dict`` described."""
        each, size = plain["boxes"], plain.get("size")
        return cls(
            np.array([one["box"] for one in each], np.float32),
            tuple(one["label"] for one in each),
            np.array([one.get("score", 1.0) for one in each], np.float32),
            tuple(one.get("flag", "") for one in each),
            None if size is None else (size[0], size[1]),
        )

    def placed(self, placement: Placement) -> Self:
        """Return the boxes in another frame of the picture, cut at its edges.

        One of which less than a tenth is left there is to be ignored.
        """
        moved, (height, width) = placement.there(self.boxes), placement.size
        cut = moved.clip(0, (width, height) * 2)
        whole, left = ((b[:, 2:] - b[:, :2]).prod(axis=1) for b in (moved, cut))
        gone = left < LEFT * whole
        flags = tuple("ignore" if g else flag for g, flag in zip(gone, self.flags, strict=True))
        return type(self)(cut, self.names, self.scores, flags, placement.size)

    def restored(self, placement: Placement) -> Self:
        """Return boxes of that frame in the picture as it came."""
        corners = placement.back(self.boxes)
        return type(self)(corners, self.names, self.scores, self.flags, placement.original)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row of a table for each box, none where there is no object."""
        corners, scores = shortest(self.boxes), shortest(self.scores)
        told = zip(self.names, scores, corners, self.flags, strict=True)
        return [
            {"label": name, "score": score, **dict(zip(CORNERS, box, strict=True)), "flag": flag}
            for name, score, box, flag in told
        ]

    def words(self) -> str:
        """Return the result as one says it: how many there are of each class."""
        counts = Counter(self.names)
        return ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"

    def draw(self, image: Image) -> Image:
        """Return a copy of ``image`` (3, H, W) with the boxes framed, those to ignore dashed."""
        scored = bool((self.scores < 1).any())
        tags = [
            f"{name} {score:.0%}" if scored else name
            for name, score in zip(self.names, self.scores, strict=True)
        ]
        return framed(image, self.boxes, self.names, tags, dashed=self.ignored)


CORNERS = ("x1", "y1", "x2", "y2")


def shortest(values: NDArray[np.float32]) -> Any:
    """Return float32 numbers as a list of the shortest floats that stand for the same numbers.

    >>> shortest(np.array([0.1, 12], np.float32))
    [0.1, 12.0]
    """
    return np.array([float(str(value)) for value in values.ravel()]).reshape(values.shape).tolist()


def _check(
    boxes: NDArray[np.float32],
    names: tuple[str, ...],
    scores: NDArray[np.float32],
    flags: tuple[str, ...],
) -> None:
    """Raise ``DataError`` for the first box that cannot be meant."""
    bad = ~np.isfinite(boxes).all(axis=1) | (boxes[:, :2] > boxes[:, 2:]).any(axis=1)
    if bad.any():
        raise DataError(
            f"the box {' '.join(map(str, boxes[bad][0]))}",
            expected="finite numbers x1 y1 x2 y2 with x1 ≤ x2 and y1 ≤ y2",
        )
    if not all(names):
        raise DataError("a box without a name", expected="the name of a class for each")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError(f"the scores {scores}", expected="numbers in 0..1")
    if foreign := set(flags) - set(FLAGS):
        raise DataError(f"the flag {sorted(foreign)[0]!r}", expected=f"one of {FLAGS}")
