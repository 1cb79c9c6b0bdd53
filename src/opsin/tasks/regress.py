"""Giving a number for a picture: a price, an age, a size.

Nets learn the standardised number, (value - centre) / scale, so that rates and losses mean the same
for euros and for micrometres.

Shapes: N samples, F features, K = 1 output.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from opsin.data.dataset import Dataset
from opsin.errors import DataError
from opsin.figures import Bars, Lines, Measures, Metric
from opsin.metrics import bootstrap, regression
from opsin.recipe import Recipe
from opsin.results import Result, Value
from opsin.tasks._pooled import Pooled
from opsin.tasks._task import Head, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float32]

WITHIN = 0.9  # share of truths that the interval of a prediction holds
POINTS = 2000  # a scatter plot of more is a blot
BARS = 15


class Regress(Pooled):
    """Gives one number for a picture, with the interval that holds 90 %; ``better`` is the MAE.

    ``state`` holds ``centre`` and ``scale`` of the training numbers and, once calibrated,
    ``spread``, half the width of the interval.
    """

    result: ClassVar[type[Result]] = Value
    better: ClassVar[str] = "mae"
    sign: ClassVar[int] = -1
    floor: ClassVar[float] = 5.0  # per cent of a picture; the median alone is off by 12

    classes: tuple[str, ...] = ()

    def __init__(self, state: Mapping[str, float]) -> None:
        self.state = dict(state)

    @classmethod
    def example(cls, n: int, seed: int = 0) -> Dataset:
        """Draw ``n`` discs; the number is how much of the picture each covers, in per cent."""
        from opsin.data.samples import discs

        return discs.read(n, seed, side=32)

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Make the task of the numbers in ``data``: their mean and standard deviation."""
        values = _values([sample.truth for sample in data.samples if sample.truth is not None])
        if len(values) < 2:
            raise DataError(
                f"{len(values)} numbers", expected="at least two pictures with a number"
            )
        if values.min() == values.max():
            raise DataError(
                f"numbers that are all {values[0]:g}",
                expected="at least two different ones",
                remedy="Look at the column the numbers are read from.",
            )
        return cls({"centre": float(values.mean()), "scale": float(values.std())})

    @classmethod
    def restore(cls, classes: tuple[str, ...], state: Mapping[str, float]) -> Self:
        """Make the task that a model file describes."""
        del classes  # a number has none
        return cls({name: float(state[name]) for name in ("centre", "scale", *state)})

    @property
    def outputs(self) -> int:
        """Return K, which is 1."""
        return 1

    # ── learning ────────────────────────────────────────────────────────────────────────────────

    def encode(self, truths: Sequence[Result]) -> Tensor:
        """Return the standardised numbers, float32 (N, 1)."""
        import torch

        return torch.from_numpy(self._standard(truths).astype(np.float32)[:, None])

    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return Huber's loss of outputs with targets, both (N, 1), in standard deviations.

        Squares below one deviation and straight beyond, so that a few absurd numbers do not steer
        (Huber, Robust Estimation of a Location Parameter, 1964).
        """
        from torch.nn import functional

        del recipe  # smoothing and balancing are for classes
        return {"huber": functional.huber_loss(outputs, targets)}

    def mix(self, targets: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Return the numbers (N, 1) of pictures mixed share (N,) to 1 - share."""
        part = share[:, None]
        return part * targets + (1 - part) * others

    def solve(self, features: Array, truths: Sequence[Result], recipe: Recipe) -> Head:
        """Fit a ridge regression, its strength by leave-one-out (which draws nothing)."""
        from opsin.tasks import _ridge

        del recipe  # numbers have no classes to balance
        return _ridge.solve(features, self._standard(truths))

    def support(
        self, features: Array, truths: Sequence[Result], recipe: Recipe, *, honest: bool = True
    ) -> Head:
        """Fit the ridge regression of ``solve``: numbers have no margin to keep."""
        del honest  # leave-one-out comes for nothing
        return self.solve(features, truths, recipe)

    def calibrate(self, outputs: Array, truths: Sequence[Result], wish: str = "f1") -> None:
        """Learn from held-out outputs (N, 1) how far 90 % of the numbers are off at most.

        Split conformal prediction: with n held-out errors, the interval is the (n + 1) 0.9-th
        smallest to both sides, and its promise holds whatever the net (Lei et al.,
        Distribution-Free Predictive Inference for Regression, 2018, algorithm 2). Fewer than nine
        promise nothing: predictions then carry no interval.
        """
        del wish  # every picture has its number told
        missed = np.sort(np.abs(self._numbers(outputs) - _values(truths)))
        rank = math.ceil((len(missed) + 1) * WITHIN)
        self.state.pop("spread", None)
        if rank <= len(missed) and np.isfinite(missed[rank - 1]):
            self.state["spread"] = float(missed[rank - 1])

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def decode(self, outputs: Array) -> list[Result]:
        """Return the numbers of outputs (N, 1) in the unit of the table, with their intervals."""
        numbers, spread = self._numbers(outputs).tolist(), self.state.get("spread")
        if spread is None:
            return [Value(number) for number in numbers]
        return [Value(number, number - spread, number + spread) for number in numbers]

    def opinions(self, outputs: Tensor) -> Tensor:
        """Return the numbers that outputs (..., 1) stand for, in the unit of the table."""
        return outputs * self.state["scale"] + self.state["centre"]

    def outputs_of(self, opinions: Tensor) -> Tensor:
        """Return the standardised numbers of numbers (..., 1) in the unit of the table."""
        return (opinions - self.state["centre"]) / self.state["scale"]

    @classmethod
    def together(cls, tasks: Sequence[Task]) -> Self:
        """Make the task of nets whose numbers are averaged; their intervals are averaged, too.

        The mean of several numbers is off by no more than they are on average, so that such an
        interval is rather too wide than too narrow. It is left out where one of them has none.
        """
        state = {name: tasks[0].state[name] for name in ("centre", "scale")}
        spreads = [task.state["spread"] for task in tasks if "spread" in task.state]
        if len(spreads) == len(tasks):
            state["spread"] = sum(spreads) / len(spreads)
        return cls(state)

    def score(self, outputs: Array, truths: Sequence[Result]) -> float:
        """Return the mean absolute error in the unit of the table; infinite after a divergence."""
        error = float(np.abs(self._numbers(outputs) - _values(truths)).mean())
        return error if math.isfinite(error) else math.inf

    def measure(self, results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        """Measure numbers against truths; raise ``DataError`` where there is nothing to measure."""
        said, true = _values(results), _values(truths)
        if not len(said) == len(true) > 0:
            raise DataError(
                f"{len(said)} answers and {len(true)} truths",
                expected="a number and its truth for each of at least one picture",
            )
        metrics = {
            "mae": bootstrap.metric(regression.mae, said, true),
            "rmse": bootstrap.metric(regression.rmse, said, true),
            "r2": bootstrap.metric(regression.r2, said, true),
            "median_error": bootstrap.metric(regression.median_error, said, true),
        }
        return Measures(metrics, {}, (), (), (_scatter(said, true), _histogram(said - true)))

    def headline(self, results: Sequence[Result], truths: Sequence[Result]) -> Metric:
        """Return the mean absolute error with its interval."""
        return bootstrap.metric(regression.mae, _values(results), _values(truths))

    def each(self, results: Sequence[Result], truths: Sequence[Result]) -> NDArray[np.float64]:
        """Return how far each number is off, (n,), in the unit of the table."""
        return np.abs(_values(results) - _values(truths))

    def guess(self, truths: Sequence[Result]) -> Value:
        """Return the median, which no other number beats in absolute error."""
        return Value(float(np.median(_values(truths))))

    def mistake(self, result: Result, truth: Result) -> float:
        """Return the absolute error, in the unit of the table."""
        said, true = _values([result, truth])
        return float(abs(said - true))

    def _standard(self, truths: Sequence[Result]) -> NDArray[np.float64]:
        """Return the standardised numbers of truths, (N,)."""
        return (_values(truths) - self.state["centre"]) / self.state["scale"]

    def _numbers(self, outputs: Array) -> NDArray[np.float64]:
        """Return the numbers that outputs (N, 1) stand for, (N,)."""
        return outputs[:, 0].astype(np.float64) * self.state["scale"] + self.state["centre"]


def _values(results: Sequence[Result]) -> NDArray[np.float64]:
    """Return the numbers of values (N,); raise ``DataError`` for anything else."""
    for result in results:
        if not isinstance(result, Value):
            raise DataError(f"{result!r}", expected="a value, the number of a picture")
    return np.array([result.value for result in results if isinstance(result, Value)], np.float64)


def _scatter(said: NDArray[np.float64], true: NDArray[np.float64]) -> Lines:
    """Return what was said against what is true, thinned evenly where there are very many."""
    order = np.lexsort((said, true))[:: -(-len(true) // POINTS)]
    points = tuple(zip(true[order].tolist(), said[order].tolist(), strict=True))
    title = "Predicted and true numbers"
    return Lines(title, "true", "predicted", {"pictures": points}, diagonal=True, dots=True)


def _histogram(missed: NDArray[np.float64]) -> Bars:
    """Return how many numbers are off by how much, in bins of one width around zero."""
    widest = float(np.abs(missed).max()) or 1.0
    edges = np.linspace(-widest, widest, BARS + 1)
    counts, _ = np.histogram(missed, edges)
    named = {
        f"{widest * (2 * place + 1 - BARS) / BARS:+.3g}": count  # the middle of a bin
        for place, count in enumerate(counts.tolist())
    }
    return Bars("Errors (predicted - true)", "pictures", named)
