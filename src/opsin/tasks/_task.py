"""The contract of a task: everything that is different between one kind of question and another.

A task is one file ``tasks/NAME.py`` with one class ``NAME.title()`` that implements ``Task``; it is
found by its file name and nobody else asks which task it is. The engine, the policies, the report,
the command line and the contract tests only call what stands here.

Shapes: N images in a batch, C channels, H and W of the working size, F features, K outputs
(classes, 1 for a number; for a detector M candidates of 4 + K numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from opsin import plugins
from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.errors import RecipeError
from opsin.figures import Measures, Metric
from opsin.recipe import Recipe
from opsin.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from opsin.augment import Draw

    Array = NDArray[np.float32]
    Pixels = NDArray[np.uint8]
    Sizes = Sequence[tuple[int, int]]  # (height, width) of pictures


class Head:
    """Is a linear map from features to outputs: ``x @ weight.T + bias``, weight (K, F), bias (K,).

    ``outputs`` holds what cross-validation predicted for each training sample by a head that had
    not seen it, (N, K): honest outputs to look for label errors in, and to compare depths with.
    """

    __slots__ = ("bias", "note", "outputs", "weight")

    def __init__(self, weight: Array, bias: Array, outputs: Array, note: str) -> None:
        self.weight, self.bias, self.outputs, self.note = weight, bias, outputs, note


class Task(Protocol):
    """Is what is asked of a net; made from the data it will learn from, and from a model file."""

    result: ClassVar[type[Result]]  # the class it predicts and is taught with
    better: ClassVar[str]  # the metric that picks the best epoch
    sign: ClassVar[int]  # +1 where more of ``better`` is better, -1 where less is
    floor: ClassVar[float]  # what ``better`` must reach on ``example``
    linear: ClassVar[bool]  # whether a linear map of a net's last features can answer
    plain: ClassVar[str]  # the net that learns small pictures from scratch

    classes: tuple[str, ...]  # names of the K outputs; () for a number
    state: dict[str, float]  # small numbers a task learns beside the net (temperature, scale)

    @classmethod
    def example(cls, n: int, seed: int = 0) -> Dataset:
        """Draw a tiny data set of ``n`` pictures that the task can be learnt from."""

    @classmethod
    def of(cls, data: Dataset) -> Task:
        """Make the task that this training data asks for (its classes, its scale)."""

    @classmethod
    def restore(cls, classes: tuple[str, ...], state: Mapping[str, float]) -> Task:
        """Make the task that a model file describes."""

    @property
    def outputs(self) -> int:
        """Return K, how many outputs the net needs."""

    @classmethod
    def seen(cls, recipe: Recipe) -> Recipe:
        """Return the recipe of the net that sees: a detector's backbone; raise for a misfit."""

    @classmethod
    def net(cls, recipe: Recipe, backbone: str) -> str:
        """Return the name of the net to build where ``backbone`` is the one that sees."""

    @classmethod
    def frame(cls, pre: Preprocessing, recipe: Recipe, sizes: Sizes) -> Preprocessing:
        """Return how the net should see pictures that a classifying net sees as ``pre``.

        ``sizes`` are (height, width) of some of the pictures it learns from.
        """

    def usual(self, truths: Sequence[Result]) -> Mapping[str, Any]:
        """Return the numbers of a course that these truths want otherwise than most."""

    def ready(self, net: nn.Module, pixels: Pixels, targets: Tensor, seed: int) -> Tensor:
        """Make a net ready to learn from pictures (N, C, H, W); return targets with all it needs.

        What is learnt of them is kept in the net: the shapes of anchors.
        """

    def encode(self, truths: Sequence[Result]) -> Tensor:
        """Return the truths as what is compared with, first axis N."""

    def move(self, draw: Draw, targets: Tensor) -> Tensor:
        """Return targets (N, ...) of pictures that were moved like this."""

    def terms(
        self, net: nn.Module, inputs: Tensor, targets: Tensor, recipe: Recipe
    ) -> dict[str, Tensor]:
        """Return named terms of a batch, each a mean; their sum is what descends."""

    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return those terms that outputs alone give, each a mean over the pictures."""

    def mix(self, targets: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Return the targets of pictures mixed as share · a + (1 - share) · b, share (N,)."""

    def solve(self, features: Array, truths: Sequence[Result], recipe: Recipe) -> Head:
        """Fit the best linear head on fixed features (N, F), its strength by cross-validation.

        What ``recipe`` says of the loss (``balance``) and its seed count here too.
        """

    def support(
        self, features: Array, truths: Sequence[Result], recipe: Recipe, *, honest: bool = True
    ) -> Head:
        """Fit the linear head classical pipelines end in: a support vector machine for classes.

        A head that need not be ``honest`` comes without outputs, (0, K), and sooner.
        """

    def calibrate(self, outputs: Array, truths: Sequence[Result], wish: str = "f1") -> None:
        """Learn on held-out outputs (N, K) what makes scores honest; kept in ``state``.

        ``wish`` is the operating point of the recipe, for tasks that have one.
        """

    def decode(self, outputs: Array) -> list[Result]:
        """Turn outputs (N, K) into N results."""

    def told(self, results: Sequence[Result], score: float | None) -> list[Result]:
        """Return what a person is told of results: what is sure enough, by ``score`` if given."""

    def opinions(self, outputs: Tensor) -> Tensor:
        """Return outputs (..., K) as what several nets may be averaged in, calibrated."""

    def outputs_of(self, opinions: Tensor) -> Tensor:
        """Return outputs (..., K) that ``opinions`` turns into these: what a joint net gives."""

    @classmethod
    def together(cls, tasks: Sequence[Task]) -> Task:
        """Make the task of nets that answer as one, from the task of each; classes are the same."""

    def score(self, outputs: Array, truths: Sequence[Result]) -> float:
        """Return ``better`` alone, fast: the engine calls it after each epoch."""

    def measure(self, results: Sequence[Result], truths: Sequence[Result]) -> Measures:
        """Return every number of the task with its interval, and its figures."""

    def headline(self, results: Sequence[Result], truths: Sequence[Result]) -> Metric:
        """Return ``better`` alone with its interval, as ``measure`` has it, but at once."""

    def each(self, results: Sequence[Result], truths: Sequence[Result]) -> NDArray[np.float64]:
        """Return what each picture adds to ``better``, (n,): their mean is that metric."""

    def guess(self, truths: Sequence[Result]) -> Result:
        """Return the best single answer to these truths without a look: majority, median."""

    def mistake(self, result: Result, truth: Result) -> float:
        """Return how wrong a prediction is: 0 when right, larger when worse, for ranking."""


def names() -> list[str]:
    """Return the tasks there are: the files of this folder.

    >>> "classify" in names()
    True
    """
    return plugins.names("opsin.tasks")


def find(name: str) -> type[Task]:
    """Return the task called ``name``; raise ``RecipeError`` where there is no such file."""
    module = plugins.load("opsin.tasks", name, "task", RecipeError)
    found: type[Task] = getattr(module, name.title())
    return found


def name_of(task: Task | type[Task]) -> str:
    """Return the name a task is found by: that of its file."""
    return plugins.named(task)


def fitting(data: Dataset) -> type[Task]:
    """Return the task whose result is what ``data`` is labelled with."""
    for name in names():
        if find(name).result is data.kind:
            return find(name)
    raise RecipeError(f"truths of kind {data.kind.__name__}", expected="a kind some task predicts")
