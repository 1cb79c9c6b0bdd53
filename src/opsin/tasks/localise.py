"""Finding the one object of a picture: its class, and the box round it.

The lecture's net that says P, x, y, w, h: the last features answer with a score for each class and
four numbers for the box (Sermanet et al., OverFeat, 2014, section 4, has the same head). Boxes are
learnt in hundreds of pixels of the frame, so that they are about as large as the scores.

Shapes: N pictures, F features, K classes; outputs (N, K + 4): scores, then the box's centre x y and
its width and height; targets (N, 6): x1 y1 x2 y2 in pixels, class, and 1 where the box was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from opsin.data.dataset import Dataset
from opsin.errors import DataError
from opsin.figures import Measures, Metric
from opsin.metrics import bootstrap, calibration, wilson
from opsin.recipe import Recipe
from opsin.results import Boxes, Result
from opsin.tasks import _placed, _single
from opsin.tasks._pooled import Pooled, remembered
from opsin.tasks._task import Head, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from opsin.augment import Draw

    Array = NDArray[np.float32]
    Floats = NDArray[np.float64]

ENOUGH = 0.5  # IoU from which on an object is found, as in ImageNet's localisation
TIE = 1e-6  # what the mean IoU counts against that share: it decides between equals


class Localise(Pooled):
    """Finds one object a picture; ``better`` is the share with the right class and an IoU of 0.5.

    ``state`` holds the temperature that makes the classes' probabilities honest.
    """

    result: ClassVar[type[Result]] = Boxes
    better: ClassVar[str] = "localised"
    sign: ClassVar[int] = 1
    floor: ClassVar[float] = 0.4
    plain: ClassVar[str] = _placed.PLAIN

    def __init__(self, classes: tuple[str, ...], temperature: float = 1.0) -> None:
        self.classes = classes
        self.state: dict[str, float] = {"temperature": temperature}
        self.columns = {name: place for place, name in enumerate(classes)}

    @classmethod
    def example(cls, n: int, seed: int = 0) -> Dataset:
        """Draw ``n`` pictures of one disc or square each."""
        from opsin.data.samples import scattered

        data = scattered.read(4 * n + 16, seed, side=64)
        return data.keep([s for s in data.samples if _single.alone(s.truth)][:n])

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Make the task of the classes in ``data``; raise ``DataError`` unless each has one box."""
        labelled = [sample for sample in data.samples if sample.truth is not None]
        ones = [_single.one(sample.truth, sample.called) for sample in labelled]
        return cls(tuple(sorted({name for one in ones for name in one.names})))

    @classmethod
    def restore(cls, classes: tuple[str, ...], state: Mapping[str, float]) -> Self:
        """Make the task that a model file describes."""
        temperature = float(state["temperature"])
        return cls(remembered(tuple(classes), temperature, 1), temperature)

    @property
    def outputs(self) -> int:
        """Return K + 4."""
        return len(self.classes) + 4

    # ── learning ────────────────────────────────────────────────────────────────────────────────

    def usual(self, truths: Sequence[Result]) -> Mapping[str, Any]:
        """Return what suits boxes, one a picture."""
        return _placed.usual(len(truths), len(truths))

    def encode(self, truths: Sequence[Result]) -> Tensor:
        """Return targets (N, 6); raise ``DataError`` for an unknown class, or not one box."""
        import torch

        ones = [_single.one(truth) for truth in truths]
        numbers = self._numbers(ones, strict=True)
        rows = np.zeros((len(ones), 6), np.float32)
        rows[:, :4], rows[:, 4] = _single.corners(ones), numbers
        return torch.from_numpy(rows)

    def move(self, draw: Draw, targets: Tensor) -> Tensor:
        """Return targets (N, 6) where they lie in what was drawn; a box that left is lost."""
        import torch

        boxes, remain = draw.boxes(targets[:, None, :4])
        lost = torch.maximum(targets[:, 5:], 1 - remain.float())
        return torch.cat([boxes[:, 0], targets[:, 4:5], lost], dim=1)

    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return cross-entropy of the classes and Huber's loss of the boxes that were not lost.

        Boxes are off in shares of the true one's sides, as in R-CNN (Girshick et al., 2014,
        appendix C), so that small pictures and small objects count as much as large ones.
        """
        import torch
        from torch.nn import functional

        k = len(self.classes)
        wanted = torch.cat([targets[:, :2] + targets[:, 2:4], targets[:, 2:4] - targets[:, :2]], 1)
        wanted = wanted * wanted.new_tensor([0.5, 0.5, 1.0, 1.0]) / _single.UNIT  # (N, 4)
        sides = wanted[:, 2:].clamp(min=1 / _single.UNIT).repeat(1, 2)  # (N, 4)
        off = (outputs[:, k:] - wanted.to(outputs)) / sides.to(outputs)
        cost = functional.huber_loss(off, torch.zeros_like(off), reduction="none").mean(1)
        terms = {"box": (cost * (1 - targets[:, 5])).mean()}
        if k > 1:
            smooth = recipe.smoothing
            terms["cross_entropy"] = functional.cross_entropy(
                outputs[:, :k], targets[:, 4].long(), label_smoothing=smooth
            )
        return terms

    def mix(self, targets: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Return the targets (N, 6) of whichever picture has the larger share (N,)."""
        import torch

        return torch.where(share[:, None] >= ENOUGH, targets, others)

    def solve(self, features: Array, truths: Sequence[Result], recipe: Recipe) -> Head:
        """Fit a logistic regression for the classes and a ridge regression for each number."""
        from opsin.tasks import _logistic

        ones = [_single.one(truth) for truth in truths]
        numbers, k = self._numbers(ones, strict=True), len(self.classes)
        heads = [_logistic.solve(features, numbers, k=k, seed=recipe.seed)] if k > 1 else []
        return _single.joined([*heads, *_single.ridges(features, ones)], k)

    def support(
        self, features: Array, truths: Sequence[Result], recipe: Recipe, *, honest: bool = True
    ) -> Head:
        """Fit a support vector machine a class, and a ridge regression for each number."""
        from opsin.tasks import _svm

        ones = [_single.one(truth) for truth in truths]
        numbers, k = self._numbers(ones, strict=True), len(self.classes)
        folds = _svm.FOLDS if honest else 0
        heads = []
        if k > 1:
            heads = [_svm.solve(features, numbers, k=k, seed=recipe.seed, folds=folds)]
        found = _single.joined([*heads, *_single.ridges(features, ones)], k)
        outputs = found.outputs if honest else np.zeros((0, k + 4), np.float32)
        return Head(found.weight, found.bias, outputs, found.note)

    def calibrate(self, outputs: Array, truths: Sequence[Result], wish: str = "f1") -> None:
        """Learn the temperature of the classes from held-out outputs (N, K + 4)."""
        del wish  # every picture has its object told
        numbers, k = self._numbers([_single.one(truth) for truth in truths]), len(self.classes)
        known = (numbers >= 0) & np.isfinite(outputs).all(axis=1)
        logits = outputs[known, :k].astype(np.float64)
        self.state["temperature"] = calibration.temperature(logits, numbers[known])

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def decode(self, outputs: Array) -> list[Result]:
        """Return one box a picture, with the probability of its class."""
        k = len(self.classes)
        logits = outputs[:, :k].astype(np.float64) / self.state["temperature"]
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        best = outputs[:, :k].argmax(axis=1)
        middle = outputs[:, k : k + 2].astype(np.float64) * _single.UNIT
        half = np.maximum(outputs[:, k + 2 :].astype(np.float64) * _single.UNIT, 0) / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
        return [
            Boxes(box[None], (self.classes[place],), np.array([min(1.0, row[place])], np.float32))
            for box, place, row in zip(boxes, best.tolist(), shares, strict=True)
        ]

    def opinions(self, outputs: Tensor) -> Tensor:
        """Return probabilities of the classes and the box's numbers, for outputs (..., K + 4)."""
        import torch

        k = len(self.classes)
        shares = (outputs[..., :k] / self.state["temperature"]).softmax(-1)
        return torch.cat([shares, outputs[..., k:]], dim=-1)

    def outputs_of(self, opinions: Tensor) -> Tensor:
        """Return outputs that ``opinions`` (..., K + 4) turns into these."""
        import torch

        k = len(self.classes)
        logits = opinions[..., :k].clamp_min(1e-30).log() * self.state["temperature"]
        return torch.cat([logits, opinions[..., k:]], dim=-1)

    @classmethod
    def together(cls, tasks: Sequence[Task]) -> Self:
        """Make the task of nets whose probabilities are honest already: the temperature is 1."""
        return cls(tasks[0].classes)

    def score(self, outputs: Array, truths: Sequence[Result]) -> float:
        """Return the share that is localised, and a trace of the mean IoU that decides ties."""
        finite = np.nan_to_num(outputs, nan=0.0, posinf=1e4, neginf=-1e4)
        right, iou = _single.judged(self.decode(finite), truths)
        return float((right & (iou >= ENOUGH)).mean() + TIE * iou.mean())

    def measure(self, results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        """Measure boxes against truths; raise ``DataError`` where there is nothing to measure."""
        right, iou = _single.judged(results, truths)
        metrics = {
            "localised": wilson.proportion(right & (iou >= ENOUGH)),
            "mean_iou": bootstrap.metric(lambda column: column.mean(-1), iou),
            "placed": wilson.proportion(iou >= ENOUGH),
        }
        if len(self.classes) > 1:
            metrics["accuracy"] = wilson.proportion(right)
        return Measures(metrics, {}, (), ())

    def headline(self, results: Sequence[Result], truths: Sequence[Result]) -> Metric:
        """Return the share that is localised, with its interval (Wilson's)."""
        return wilson.proportion(self.each(results, truths) == 1)

    def each(self, results: Sequence[Result], truths: Sequence[Result]) -> Floats:
        """Return 1 for each picture whose object was found and 0 for the others, (n,)."""
        right, iou = _single.judged(results, truths)
        return (right & (iou >= ENOUGH)).astype(np.float64)

    def guess(self, truths: Sequence[Result]) -> Boxes:
        """Return the median box of the most frequent class."""
        ones = [_single.one(truth) for truth in truths]
        counts = Counter(one.names[0] for one in ones)
        name = max(sorted(counts), key=counts.__getitem__)
        middle: Array = np.median(_single.corners(ones), axis=0, keepdims=True).astype(np.float32)
        return Boxes(middle, (name,))

    def mistake(self, result: Result, truth: Result) -> float:
        """Return 1 − the IoU of the right class, 1 for a wrong one."""
        right, iou = _single.judged([result], [truth])
        return float(1 - iou[0]) if right[0] else 1.0

    def _numbers(self, ones: Sequence[Boxes], strict: bool = False) -> NDArray[np.int64]:
        """Return the number of each box's class (N,), -1 for a class that is not known."""
        numbers = [self.columns.get(one.names[0], -1) for one in ones]
        if strict and -1 in numbers:
            raise DataError(
                f"the class {ones[numbers.index(-1)].names[0]!r}",
                expected=f"one of the classes that are learnt ({len(self.classes)})",
                remedy="Give the training data a picture of each class.",
            )
        return np.array(numbers, np.int64)
