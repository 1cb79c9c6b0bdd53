"""Turns pictures into vision models that a person can measure, understand and ship.

The names below are loaded when first used: ``import opsin`` takes milliseconds and does not import
torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsin import ops
    from opsin.data.dataset import Dataset
    from opsin.data.sample import Sample
    from opsin.errors import OpsinError
    from opsin.model import Model
    from opsin.recipe import Recipe
    from opsin.results import Boxes, Label, Value
    from opsin.verbs import check, evaluate, predict, train

__version__ = "0.1.0"

_HOMES = {
    "Boxes": "opsin.results",
    "Dataset": "opsin.data.dataset",
    "Label": "opsin.results",
    "Model": "opsin.model",
    "OpsinError": "opsin.errors",
    "Recipe": "opsin.recipe",
    "Sample": "opsin.data.sample",
    "Value": "opsin.results",
    "check": "opsin.verbs",
    "evaluate": "opsin.verbs",
    "predict": "opsin.verbs",
    "train": "opsin.verbs",
}

__all__ = [
    "Boxes",
    "Dataset",
    "Label",
    "Model",
    "OpsinError",
    "Recipe",
    "Sample",
    "Value",
    "check",
    "evaluate",
    "ops",
    "predict",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "ops":
        return importlib.import_module("opsin.ops")
    if name not in _HOMES:
        raise AttributeError(f"module 'opsin' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
