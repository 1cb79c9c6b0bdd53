"""What tasks share whose answers lie at places of a picture: no linear head, no vote can give them.

Shapes: N pictures, F features, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from opsin.errors import RecipeError
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.tasks._task import Head, Task

if TYPE_CHECKING:
    from torch import Tensor

    from opsin.tasks._task import Array

# For small pictures there is nothing pretrained: four halvings, each after a convolution.
PLAIN = (
    ", ".join(f"conv 3x3x{width} pad 1, bn, pool 2" for width in (16, 32, 64, 96)) + ", dense 10"
)

# Boxes are learnt by small steps of AdamW, clipped: plain descent at the rates of classes diverges.
USUAL: Mapping[str, Any] = {
    "batch": 16,  # pictures, of one object or two each
    "rates": {"adamw": 2e-3, "sgd": 0.02},
    "optimizer": "adamw",
    "decay": 0.02,
    "average": 0.99,
    "clip": 10.0,
}


TAUGHT, FEWEST = 32, 4  # objects that teach in a step, about; pictures in a step at least


def usual(objects: int, pictures: int) -> Mapping[str, Any]:
    """Return the course of pictures with so many objects: where each has many, steps take fewer.

    Circuit boards with seven faults each taught more in steps of 4 pictures than in the few of 16
    that a budget has room for, photographs of one animal less (decision 15).

    >>> [usual(each * 100, 100)["batch"] for each in (1, 3, 7, 30)]
    [16, 8, 4, 4]
    """
    fitting = TAUGHT * pictures / max(1, objects)
    batch = min(USUAL["batch"], max(FEWEST, 2 ** int(log2(max(1, fitting)))))
    return {**USUAL, "batch": batch, "rated": USUAL["batch"]}


class Placed:
    """Is the part of a task that refuses what only answers for whole pictures can do."""

    linear: ClassVar[bool] = False

    def solve(self, features: Array, truths: Sequence[Result], recipe: Recipe) -> Head:
        """Raise ``RecipeError``: where things are is no linear map of a picture's features."""
        del features, truths, recipe
        _refuse("a linear head on features of whole pictures")

    def support(
        self, features: Array, truths: Sequence[Result], recipe: Recipe, *, honest: bool = True
    ) -> Head:
        """Raise ``RecipeError``, as ``solve`` does."""
        del features, truths, recipe, honest
        _refuse("a linear machine on features of whole pictures")

    def opinions(self, outputs: Tensor) -> Tensor:
        """Return outputs as they are: what several views say of places cannot be averaged."""
        return outputs

    def outputs_of(self, opinions: Tensor) -> Tensor:
        """Return them as they are."""
        return opinions

    @classmethod
    def together(cls, tasks: Sequence[Task]) -> Self:
        """Raise ``RecipeError``: nets that look at different places do not vote."""
        del tasks
        _refuse("a vote of nets that look at different places")


def _refuse(what: str) -> NoReturn:
    raise RecipeError(
        what,
        expected="what a net that says where things are can do",
        remedy="Use --policy full or scratch, and one model.",
    )
