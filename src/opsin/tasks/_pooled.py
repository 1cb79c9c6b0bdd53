"""What tasks share whose answer is a linear map of a net's last features: one for a picture.

Such an answer does not move with the picture, needs nothing but the net's outputs to be judged, and
is told whatever it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from opsin import plugins
from opsin.data.preprocess import Preprocessing
from opsin.errors import ModelError, RecipeError
from opsin.figures import count
from opsin.recipe import Recipe
from opsin.results import Result

if TYPE_CHECKING:
    from torch import Tensor, nn

    from opsin.augment import Draw
    from opsin.tasks._task import Pixels, Sizes


def remembered(classes: tuple[str, ...], temperature: float, least: int) -> tuple[str, ...]:
    """Return the classes of a model file; raise ``ModelError`` for what no task has written.

    There are ``least`` or more, all different, and the temperature lies in 0.001..1000.
    """
    named = all(isinstance(name, str) and name for name in classes)
    if not (named and len(set(classes)) == len(classes) >= least and 1e-3 <= temperature <= 1e3):
        raise ModelError(
            f"{count(len(classes), 'class')} and the temperature {temperature}",
            expected="different names, and a number from 0.001 to 1000",
        )
    return classes


class Pooled(ABC):
    """Is the part of a task that one answer for a whole picture settles."""

    linear: ClassVar[bool] = True
    plain: ClassVar[str] = "lenet5"

    def usual(self, truths: Sequence[Result]) -> Mapping[str, Any]:
        """Return nothing: what most want is what these tasks want."""
        del truths
        return {}

    @classmethod
    def seen(cls, recipe: Recipe) -> Recipe:
        """Return the recipe itself; raise ``RecipeError`` for detectors: they answer otherwise."""
        from opsin.nets import detectors

        if detectors.parted(recipe.net) or recipe.backbone != "auto":
            raise RecipeError(
                f"net={recipe.net!r}, backbone={recipe.backbone!r} to {plugins.named(cls)} with",
                expected="a net that says one thing of a picture, and no backbone",
                remedy="See `opsin nets`; detectors learn from boxes.",
            )
        if recipe.mosaic or recipe.operating != "f1":
            raise RecipeError(
                f"mosaic={recipe.mosaic}, operating={recipe.operating!r} to {plugins.named(cls)}",
                expected="neither: they are for objects and their boxes",
                remedy="Leave them out.",
            )
        return recipe

    @classmethod
    def net(cls, recipe: Recipe, backbone: str) -> str:
        """Return the net itself."""
        del recipe
        return backbone

    @classmethod
    def frame(cls, pre: Preprocessing, recipe: Recipe, sizes: Sizes) -> Preprocessing:
        """Return the frame as it is."""
        del recipe, sizes
        return pre

    def ready(self, net: nn.Module, pixels: Pixels, targets: Tensor, seed: int) -> Tensor:
        """Return the targets as they are."""
        del net, pixels, seed
        return targets

    def move(self, draw: Draw, targets: Tensor) -> Tensor:
        """Return the targets as they are: what a picture shows stays what it is."""
        del draw
        return targets

    def terms(
        self, net: nn.Module, inputs: Tensor, targets: Tensor, recipe: Recipe
    ) -> dict[str, Tensor]:
        """Return the loss of what the net says of the inputs."""
        return self.loss(net(inputs).float(), targets, recipe)

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor, recipe: Recipe) -> dict[str, Tensor]:
        """Return named terms, each a mean over the batch; their sum is what descends."""

    def told(self, results: Sequence[Result], score: float | None) -> list[Result]:
        """Return all results: there is one for each picture, sure or not."""
        del score
        return list(results)
