"""What tasks share whose answers lie at places of a picture: no linear head, no vote can give them.

Shapes: N pictures, F features, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "batch": 16,
    "rates": {"adamw": 2e-3, "sgd": 0.02},
    "optimizer": "adamw",
    "decay": 0.02,
    "average": 0.99,
    "clip": 10.0,
}


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
