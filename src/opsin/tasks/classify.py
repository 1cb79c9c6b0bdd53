"""Naming what a picture shows: one class of several.

Shapes: N samples, F features, K classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from opsin.data.dataset import Dataset
from opsin.errors import DataError
from opsin.figures import Measures, Metric, count
from opsin.metrics import calibration, wilson
from opsin.recipe import Recipe
from opsin.results import Label, Result
from opsin.tasks import _judged
from opsin.tasks._pooled import Pooled, remembered
from opsin.tasks._scores import Scores
from opsin.tasks._task import Head, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float32]

EASY = ("circle", "star", "triangle")  # told apart by the smallest net within seconds
TIE = 1e-6  # what a unit of log loss counts against accuracy: less than one picture of 100,000
FAINTEST = 1e-30  # probability whose logarithm every arithmetic can hold
COSTLIEST = 10.0  # log loss beyond which one bad epoch is as bad as another


class Classify(Pooled):
    """Names one class for a picture, with the probability of each; ``better`` is accuracy.

    ``state`` holds the temperature that makes probabilities honest. ``weights`` (K,) say how much a
    sample of each class counts under ``recipe.balance``; they serve training and are not saved.
    """

    result: ClassVar[type[Result]] = Label
    better: ClassVar[str] = "accuracy"
    sign: ClassVar[int] = 1
    floor: ClassVar[float] = 0.85

    def __init__(self, classes: tuple[str, ...], temperature: float = 1.0) -> None:
        self.classes = classes
        self.state: dict[str, float] = {"temperature": temperature}
        self.columns = {name: place for place, name in enumerate(classes)}
        self.weights: Array = np.ones(len(classes), np.float32)

    @classmethod
    def example(cls, n: int, seed: int = 0) -> Dataset:
        """Draw ``n`` circles, stars and triangles in any colour, place, size and turn."""
        from opsin.data.samples import shapes

        data = shapes.read(-(-n // len(EASY)) * len(shapes.CORNERS), seed, side=32)
        return data.keep([sample for sample in data.samples if _name(sample.truth) in EASY][:n])

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Make the task of the classes in ``data``; raise ``DataError`` for fewer than two.

        A sample of a class with n of the N samples weighs N / (K n) when classes are balanced.
        """
        names = [_name(sample.truth) for sample in data.samples if sample.truth is not None]
        counts = Counter(names)
        if len(counts) < 2:
            raise DataError(
                f"{count(len(counts), 'class')} ({', '.join(counts) or 'no label'})",
                expected="at least two to tell apart",
                remedy="Give a folder with one folder of pictures for each class.",
            )
        task = cls(tuple(sorted(counts)))
        support = np.array([counts[name] for name in task.classes])
        task.weights = (len(names) / (len(support) * support)).astype(np.float32)
        return task

    @classmethod
    def restore(cls, classes: tuple[str, ...], state: Mapping[str, float]) -> Self:
        """Make the task that a model file describes."""
        temperature = float(state["temperature"])
        return cls(remembered(tuple(classes), temperature, 2), temperature)

    @property
    def outputs(self) -> int:
        """Return K."""
        return len(self.classes)

    # ── learning ────────────────────────────────────────────────────────────────────────────────

    def encode(self, truths: Sequence[Result]) -> Tensor:
        """Return the number of each truth's class, int64 (N,); raise ``DataError`` for others."""
        import torch

        return torch.from_numpy(self._numbers(truths, strict=True))

    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return the cross-entropy of outputs (N, K) with classes (N,) or mixed shares (N, K).

        ``recipe.smoothing`` gives that share of the truth to all classes equally (Szegedy et al.,
        Rethinking the Inception Architecture, 2016, section 7).
        """
        import torch
        from torch.nn import functional

        wanted = self._shares(targets).to(outputs)  # (N, K)
        weights = torch.from_numpy(self.weights).to(outputs)  # (K,)
        smooth = wanted * (1 - recipe.smoothing) + recipe.smoothing / len(self.classes)
        costs = -(smooth * functional.log_softmax(outputs, dim=1)).sum(1)  # (N,)
        if recipe.balance:
            costs = costs * (wanted @ weights)
        return {"cross_entropy": costs.mean()}

    def mix(self, targets: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Return the shares of classes (N, K) in pictures mixed share (N,) to 1 - share."""
        part = share[:, None]
        return part * self._shares(targets) + (1 - part) * self._shares(others)

    def _shares(self, targets: Tensor) -> Tensor:
        """Return classes (N,) as shares (N, K); shares stay what they are."""
        from torch.nn import functional

        if targets.dim() == 2:
            return targets
        return functional.one_hot(targets, len(self.classes)).float()

    def solve(self, features: Array, truths: Sequence[Result], recipe: Recipe) -> Head:
        """Fit a logistic regression, its strength by stratified cross-validation of the log loss.

        A class with one sample cannot be held out: its output is that of the fit on all samples.
        """
        from opsin.tasks import _logistic

        numbers = self._numbers(truths, strict=True)
        weights = self.weights[numbers] if recipe.balance else None
        k = len(self.classes)
        return _logistic.solve(features, numbers, k=k, seed=recipe.seed, weights=weights)

    def support(
        self, features: Array, truths: Sequence[Result], recipe: Recipe, *, honest: bool = True
    ) -> Head:
        """Fit a support vector machine a class, its strength by cross-validation of the hinge."""
        from opsin.tasks import _svm

        numbers = self._numbers(truths, strict=True)
        weights = self.weights[numbers] if recipe.balance else None
        k, folds = len(self.classes), _svm.FOLDS if honest else 0
        return _svm.solve(features, numbers, k=k, seed=recipe.seed, weights=weights, folds=folds)

    def calibrate(self, outputs: Array, truths: Sequence[Result], wish: str = "f1") -> None:
        """Learn the temperature from held-out outputs (N, K); unknown classes are left out."""
        del wish  # every picture has its class told
        numbers = self._numbers(truths)
        known = (numbers >= 0) & np.isfinite(outputs).all(axis=1)
        logits = outputs[known].astype(np.float64)
        self.state["temperature"] = calibration.temperature(logits, numbers[known])

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def decode(self, outputs: Array) -> list[Result]:
        """Return labels with the scores of all classes: softmax(outputs / T), which sum to 1."""
        logits = outputs.astype(np.float64) / self.state["temperature"]
        scores = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        best = outputs.argmax(axis=1)
        top = scores[np.arange(len(scores)), best].tolist()
        return [
            Label(self.classes[place], min(1.0, score), Scores(self.columns, row))
            for place, score, row in zip(best.tolist(), top, scores, strict=True)
        ]

    def opinions(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of all classes, softmax(outputs / T), for outputs (..., K)."""
        return (outputs / self.state["temperature"]).softmax(-1)

    def outputs_of(self, opinions: Tensor) -> Tensor:
        """Return the logarithm of probabilities (..., K), times T: softmax undoes it."""
        return opinions.clamp_min(FAINTEST).log() * self.state["temperature"]

    @classmethod
    def together(cls, tasks: Sequence[Task]) -> Self:
        """Make the task of nets whose probabilities are honest already: the temperature is 1."""
        return cls(tasks[0].classes)

    def score(self, outputs: Array, truths: Sequence[Result]) -> float:
        """Return the accuracy of outputs (N, K), less a trace of log loss that decides ties."""
        numbers = self._numbers(truths)
        logits = outputs.astype(np.float64)
        sound = np.asarray(np.isfinite(logits).all(axis=1))
        right = (logits.argmax(axis=1) == numbers) & sound
        logits = np.where(sound[:, None], logits, 0.0)
        logits -= logits.max(axis=1, keepdims=True)
        own = logits[np.arange(len(logits)), np.maximum(numbers, 0)]
        costs = np.log(np.exp(logits).sum(axis=1)) - own
        costs = np.where(sound & (numbers >= 0), np.minimum(costs, COSTLIEST), COSTLIEST)
        return float(right.mean() - TIE * costs.mean())

    def measure(self, results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        """Measure labels against truths; raise ``DataError`` where there is nothing to measure.

        A truth the model has no class for counts as wrong, with probability 0, and has its own row
        in the tables.
        """
        return _judged.measure(self.classes, *_labels(results, truths))

    def headline(self, results: Sequence[Result], truths: Sequence[Result]) -> Metric:
        """Return the accuracy with its interval (Wilson's)."""
        return wilson.proportion(self.each(results, truths) == 1)

    def each(self, results: Sequence[Result], truths: Sequence[Result]) -> NDArray[np.float64]:
        """Return 1 for each picture that was named rightly and 0 for the others, (n,)."""
        said, true = _labels(results, truths)
        right = [a.name == b.name for a, b in zip(said, true, strict=True)]
        return np.array(right, np.float64)

    def guess(self, truths: Sequence[Result]) -> Label:
        """Return the most frequent class, with the frequencies of all as scores."""
        counts = np.bincount(self._numbers(truths, strict=True), minlength=len(self.classes))
        shares = counts / max(1, counts.sum())
        best = int(counts.argmax())
        return Label(self.classes[best], float(shares[best]), Scores(self.columns, shares))

    def mistake(self, result: Result, truth: Result) -> float:
        """Return 1 - the probability that a wrong answer left to the true class; 0 when right."""
        (said,), (true,) = _labels([result], [truth])
        return 0.0 if said.name == true.name else 1.0 - said.scores.get(true.name, 0.0)

    def _numbers(self, truths: Sequence[Result], strict: bool = False) -> NDArray[np.int64]:
        """Return the number of each truth's class (N,), -1 for a class that is not known."""
        numbers = [self.columns.get(_name(truth), -1) for truth in truths]
        if strict and -1 in numbers:
            raise DataError(
                f"the class {_name(truths[numbers.index(-1)])!r}",
                expected=f"one of the classes that are learnt ({len(self.classes)})",
                remedy="Give the training data a picture of each class.",
            )
        return np.array(numbers, np.int64)


def _name(truth: Result | None) -> str:
    """Return the name of a label; raise ``DataError`` for anything else."""
    if not isinstance(truth, Label):
        raise DataError(f"{truth!r}", expected="a label, the name of a class")
    return truth.name


def _labels(results: Sequence[Result], truths: Sequence[Result]) -> tuple[list[Label], list[Label]]:
    """Return both as labels; raise ``DataError`` for other kinds, none, or unequal numbers."""
    said = [result for result in results if isinstance(result, Label)]
    true = [truth for truth in truths if isinstance(truth, Label)]
    if not len(said) == len(true) == len(results) == len(truths) > 0:
        raise DataError(
            f"{len(results)} answers and {len(truths)} truths, {len(said)} and {len(true)} labels",
            expected="a label and its truth for each of at least one picture",
        )
    return said, true
