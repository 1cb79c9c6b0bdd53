"""The course of a descent: what a recipe leaves open, and how a rate follows the size of a step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from opsin import Recipe
from opsin.engine.policies._policy import Setting, course_of

USUAL: dict[str, Any] = {
    "batch": 16,
    "rates": {"adamw": 2e-3, "sgd": 0.02},
    "optimizer": "adamw",
    "decay": 0.02,
}


def setting(recipe: Recipe, pictures: int = 100) -> Setting:
    """Return as much of a setting as a course asks for."""
    found = SimpleNamespace(
        recipe=recipe, train=range(pictures), fabric=SimpleNamespace(world_size=1)
    )
    return cast("Setting", found)


@pytest.mark.parametrize(
    ("recipe", "more", "rate"),
    [
        (Recipe(), {}, 2e-3),
        (Recipe(batch=64), {}, 2e-3),  # larger steps do not learn faster by themselves
        (Recipe(batch=4), {}, 1e-3),  # AdamW: by the root
        (Recipe(batch=4, optimizer="sgd"), {}, 0.005),  # plain descent: in proportion
        (Recipe(), {"batch": 4, "rated": 16}, 1e-3),  # a task that wants smaller steps
        (Recipe(batch=4, rate=0.5), {}, 0.5),  # as asked
    ],
)
def test_a_rate_follows_the_size_of_a_step(
    recipe: Recipe, more: dict[str, Any], rate: float
) -> None:
    assert course_of(setting(recipe), 3, **USUAL | more).rate == pytest.approx(rate)


def test_few_pictures_make_small_steps() -> None:
    assert course_of(setting(Recipe(), pictures=4), 3, **USUAL).rate == pytest.approx(1e-3)
