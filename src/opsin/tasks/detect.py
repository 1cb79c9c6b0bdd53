"""Finding objects: which there are in a picture, and where.

Boxes are learnt and answered in the frame the net sees, in pixels of it.

Shapes: N pictures, P boxes a picture with padding, targets (N, P, 6); M candidates a picture,
K classes, outputs (N, M, 4 + K).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.errors import DataError, ModelError, RecipeError
from opsin.figures import Measures, Metric, count
from opsin.nets import detectors
from opsin.recipe import Recipe
from opsin.results import Boxes, Result
from opsin.tasks._located import Found
from opsin.tasks._placed import PLAIN, Placed, usual

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from opsin.augment import Draw
    from opsin.tasks._task import Sizes

    Array = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

DETECTOR = "yolo"  # where none is named
SIDE = 320  # pixels that a photograph is seen at
SMALL = 64  # pixels: pictures up to this side are seen as they are


class Detect(Placed):
    """Finds objects of K classes; ``better`` is the average precision at an IoU of 0.5.

    ``state`` holds the ``threshold``, the score from which on a box is told, once it is chosen on
    validation data.
    """

    result: ClassVar[type[Result]] = Boxes
    better: ClassVar[str] = "ap50"
    sign: ClassVar[int] = 1
    floor: ClassVar[float] = 0.6
    plain: ClassVar[str] = PLAIN

    def __init__(self, classes: tuple[str, ...], threshold: float = 0.3) -> None:
        self.classes = classes
        self.state: dict[str, float] = {"threshold": threshold}
        self.columns = {name: place for place, name in enumerate(classes)}
        self.searched: dict[str, Tensor] = {}  # regions of the training pictures, by their way

    @classmethod
    def example(cls, n: int, seed: int = 0) -> Dataset:
        """Draw ``n`` pictures of none to three discs and squares each."""
        from opsin.data.samples import scattered

        return scattered.read(n, seed, side=64)

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Make the task of the classes in ``data``; raise ``DataError`` for no object at all."""
        from opsin.tasks._targets import boxes_of

        true = boxes_of([sample.truth for sample in data.samples if sample.truth is not None])
        named = sorted({name for boxes in true for name in boxes.names})
        if not named:
            raise DataError(
                f"{len(true)} pictures without an object",
                expected="at least one box to learn from",
                remedy="See `opsin check` for what became of the annotations.",
            )
        return cls(tuple(named))

    @classmethod
    def restore(cls, classes: tuple[str, ...], state: Mapping[str, float]) -> Self:
        """Make the task that a model file describes."""
        threshold = float(state["threshold"])
        named = all(isinstance(name, str) and name for name in classes)
        if not (named and len(set(classes)) == len(classes) > 0 and 0 <= threshold <= 1):
            raise ModelError(
                f"{count(len(classes), 'class')} and the threshold {threshold}",
                expected="different names, and a number from 0 to 1",
            )
        return cls(tuple(classes), threshold)

    @property
    def outputs(self) -> int:
        """Return K."""
        return len(self.classes)

    # ── the net ─────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def seen(cls, recipe: Recipe) -> Recipe:
        """Return the recipe of the net that the detector stands on."""
        _, backbone = _named(recipe)
        return recipe.replace(net=backbone or "auto", backbone="auto")

    @classmethod
    def net(cls, recipe: Recipe, backbone: str) -> str:
        """Return the detector that the recipe names, or a yolo, on ``backbone``."""
        kind, _ = _named(recipe)
        return detectors.joined(kind, backbone)

    @classmethod
    def frame(cls, pre: Preprocessing, recipe: Recipe, sizes: Sizes) -> Preprocessing:
        """Return a frame that shows the whole picture, its sides as they are, what is left grey.

        It has the shape of most pictures, so that little of it is grey: the longer side is that of
        the recipe, or 320 pixels.
        """
        if recipe.cutmix:
            raise RecipeError(
                f"cutmix={recipe.cutmix} for boxes",
                expected="what keeps objects whole",
                remedy="Use --mosaic 0.5 or --mixup 0.5.",
            )
        small = max(pre.size) <= SMALL and recipe.size is None
        size = pre.size if small else shaped(recipe.size or SIDE, sizes)
        return replace(pre, size=size, crop=1.0, fit="pad")

    def usual(self, truths: Sequence[Result]) -> Mapping[str, Any]:
        """Return what suits boxes, so many a picture."""
        from opsin.tasks._targets import boxes_of

        return usual(sum(len(boxes) for boxes in boxes_of(truths)), len(truths))

    def ready(self, net: nn.Module, pixels: Pixels, targets: Tensor, seed: int) -> Tensor:
        """Let the net learn its anchors; add proposals to targets where it learns from them."""
        from opsin.tasks import _targets

        assert isinstance(net, detectors.Detector)
        net.ready(targets, seed)
        if net.proposals is None:
            return targets
        if net.proposals not in self.searched:  # a plan and the training itself both ask
            self.searched[net.proposals] = _targets.proposed(pixels, net.proposals)
        return _targets.both(targets, self.searched[net.proposals])

    # ── learning ────────────────────────────────────────────────────────────────────────────────

    def encode(self, truths: Sequence[Result]) -> Tensor:
        """Return targets (N, P, 6); raise ``DataError`` for a class that is not known."""
        from opsin.tasks import _targets

        return _targets.encoded(_targets.boxes_of(truths), self.columns)

    def move(self, draw: Draw, targets: Tensor) -> Tensor:
        """Return the targets (N, P, 6) where they lie in what was drawn."""
        from opsin.augment import mosaic

        return mosaic.moved(draw, targets)

    def terms(
        self, net: nn.Module, inputs: Tensor, targets: Tensor, recipe: Recipe
    ) -> dict[str, Tensor]:
        """Return what the detector has yet to learn of a batch."""
        del recipe
        found: dict[str, Tensor] = net(inputs, targets)
        return found

    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return nothing: candidates do not say what a detector has yet to learn."""
        del outputs, targets, recipe
        return {}

    def mix(self, targets: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Return the objects of both pictures (Zhang et al., Bag of Freebies, 2019, 3.1)."""
        from opsin.tasks import _targets

        del share
        return _targets.both(targets, others)

    def calibrate(self, outputs: Array, truths: Sequence[Result], wish: str = "f1") -> None:
        """Choose the threshold on held-out outputs (N, M, 4 + K), for a wish (``operating``)."""
        if not len(truths):
            return
        self.state["threshold"] = self._found(self.decode(outputs), truths).point(wish).threshold

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def decode(self, outputs: Array) -> list[Result]:
        """Return all boxes that a curve of precision and recall wants, the surest first."""
        from opsin.tasks import _candidates

        return list(_candidates.boxes(outputs, self.classes))

    def told(self, results: Sequence[Result], score: float | None) -> list[Result]:
        """Return the boxes of the threshold or more, or of ``score`` or more."""
        from opsin.tasks._targets import boxes_of

        least = self.state["threshold"] if score is None else score
        return [boxes.keep(boxes.scores >= least) for boxes in boxes_of(results)]

    def score(self, outputs: Array, truths: Sequence[Result]) -> float:
        """Return AP50 alone."""
        return self._found(self.decode(outputs), truths).plain()

    def measure(self, results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        """Measure boxes against truths: AP, and what is right and wrong at the threshold."""
        return self._found(results, truths).measure(self.state["threshold"])

    def headline(self, results: Sequence[Result], truths: Sequence[Result]) -> Metric:
        """Return AP50 with its interval, by drawing pictures again."""
        return self._found(results, truths).ap50()

    def each(self, results: Sequence[Result], truths: Sequence[Result]) -> NDArray[np.float64]:
        """Return the jackknife value of each picture, (n,), whose mean is AP50."""
        return self._found(results, truths).each()

    def guess(self, truths: Sequence[Result]) -> Boxes:
        """Return one box of the commonest class, of median place and size, or none."""
        from opsin.tasks._targets import boxes_of

        known = boxes_of(truths)
        counts = Counter(name for boxes in known for name in boxes.names)
        if not counts or sum(len(boxes) == 0 for boxes in known) * 2 > len(known):
            return Boxes(np.zeros((0, 4), np.float32))
        name = max(sorted(counts), key=counts.__getitem__)
        own = np.concatenate([b.boxes[[n == name for n in b.names]] for b in known])
        middle: Array = np.median(own, axis=0, keepdims=True).astype(np.float32)
        return Boxes(middle, (name,))

    def mistake(self, result: Result, truth: Result) -> float:
        """Return 1 − F1 of one picture at the threshold; 0 where there is nothing to be wrong."""
        found = self._found([result], [truth])
        right, wrong, missed = (int(c.sum()) for c in found.counts(self.state["threshold"])[:3])
        total = 2 * right + wrong + missed
        return 1 - 2 * right / total if total else 0.0

    def _found(self, results: Sequence[Result], truths: Sequence[Result]) -> Found:
        from opsin.tasks._targets import boxes_of

        return Found(self.classes, boxes_of(results), boxes_of(truths))


def shaped(side: int, sizes: Sizes) -> tuple[int, int]:
    """Return (height, width) of the usual picture of ``sizes`` where its longer side is ``side``.

    The shorter one is rounded to what nets halve five times. It is half of the longer one or more,
    and no map of a net becomes too small to look at.

    >>> shaped(320, [(480, 640), (480, 640), (640, 480)]), shaped(320, [(3000, 500)])
    ((256, 320), (320, 160))
    """
    from opsin.nets.detectors._dense import ROWS, STEP

    ratio = float(np.median([height / width for height, width in sizes]))
    short = STEP * round(side * min(ratio, 1 / ratio) / STEP)
    short = min(side, max(short, side // 2, ROWS * STEP))
    return (short, side) if ratio < 1 else (side, short)


def _named(recipe: Recipe) -> tuple[str, str]:
    """Return detector and backbone, "" for any; raise ``RecipeError`` where neither is one."""
    given = "" if recipe.backbone == "auto" else recipe.backbone
    if recipe.net == "auto":
        return DETECTOR, given
    parts = detectors.parted(recipe.net)
    if parts is None:
        raise RecipeError(
            f"net={recipe.net!r} for boxes",
            expected=f"a detector: {', '.join(detectors.names())}",
            remedy=f"Give --backbone {recipe.net} to let a detector stand on it.",
        )
    kind, backbone = parts
    if backbone and given and backbone != given:
        raise RecipeError(
            f"net={recipe.net!r} and backbone={given!r}", expected="one backbone, named once"
        )
    return kind, backbone or given
