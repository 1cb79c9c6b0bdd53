"""Architectures: every net of timm and torchvision by name, and our own, under one contract.

A net of our own is one file here that registers itself with timm; it is found by its file name.
The names below are loaded when first used: listing and describing known nets needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsin.nets._aliases import canonical
    from opsin.nets._build import build
    from opsin.nets._catalogue import best_offline, by_accuracy, catalogue, parameters
    from opsin.nets._cut import Stage, cut, depth_groups, levels, stages, survey, taps
    from opsin.nets._describe import Description
    from opsin.nets._features import head, headless, num_features, pooled, set_head
    from opsin.nets._named import described
    from opsin.nets.weights import Weights, has_weights, resolve

_HOMES = {
    "_aliases": ("canonical",),
    "_build": ("build",),
    "_catalogue": ("best_offline", "by_accuracy", "catalogue", "parameters"),
    "_cut": ("Stage", "cut", "depth_groups", "levels", "stages", "survey", "taps"),
    "_describe": ("Description",),
    "_features": ("head", "headless", "num_features", "pooled", "set_head"),
    "_named": ("described",),
    "weights": ("Weights", "has_weights", "resolve"),
}

__all__ = [
    "Description",
    "Stage",
    "Weights",
    "best_offline",
    "build",
    "by_accuracy",
    "canonical",
    "catalogue",
    "cut",
    "depth_groups",
    "described",
    "has_weights",
    "head",
    "headless",
    "levels",
    "num_features",
    "parameters",
    "pooled",
    "resolve",
    "set_head",
    "stages",
    "survey",
    "taps",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"opsin.nets.{home}"), name)
    raise AttributeError(f"module 'opsin.nets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
