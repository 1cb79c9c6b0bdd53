"""Operators: pure functions without state or files. What a person asks for is loaded when used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsin.ops.gradients import GradientCheck, gradient_check

_HOMES = {
    "GradientCheck": "opsin.ops.gradients",
    "gradient_check": "opsin.ops.gradients",
}

__all__ = ["GradientCheck", "gradient_check"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'opsin.ops' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
