"""Every setting of a run, in one frozen class that is checked when made and saved with the model.

The command line, the web form and the report read the fields below: their names are the option
names, ``help`` is what ``--help`` prints and ``choices`` what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from opsin.errors import RecipeError


def _setting(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Declare a field with its help, its allowed words or its range (ends included)."""
    about = {"help": help, "choices": choices, "least": least, "most": most, "default": default}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Recipe:
    """Holds every setting of a training run; raises ``RecipeError`` for one out of range.

    >>> Recipe(minutes=2).policy
    'auto'
    >>> Recipe(net="lenet5", policy="scratch", epochs=3).to_dict()["epochs"]
    3
    """

    task: str = _setting("auto", "what is asked of the net; auto reads it off the data")
    net: str = _setting("auto", "architecture, see `opsin nets`; auto: by measured speed")
    backbone: str = _setting("auto", "net that a detector stands on, as mobilenet_v2")
    weights: str = _setting("auto", "pretrained weights: auto, none, or a file")
    policy: str = _setting("auto", "how to learn: auto, scratch, probe, upper or full")
    minutes: float | None = _setting(None, "time budget; 3 without --epochs", least=0.05, most=1e5)
    epochs: int | None = _setting(None, "train this long instead of by time", least=1, most=1e6)
    size: int | None = _setting(
        None, "side of what the net sees, pixels; else by net", least=8, most=2048
    )
    batch: int | None = _setting(
        None, "images in a step; else 32 to 128 by policy", least=1, most=1e6
    )
    accumulate: int = _setting(1, "parts a batch is cut in to save memory", least=1, most=1024)
    optimizer: str = _setting("auto", "descent", choices=("auto", "sgd", "adamw"))
    rate: float | None = _setting(None, "highest learning rate", least=1e-8, most=100.0)
    momentum: float = _setting(0.9, "momentum of sgd", least=0.0, most=0.9999)
    decay: float | None = _setting(None, "weight decay", least=0.0, most=1.0)
    schedule: str = _setting(
        "cosine", "course of the rate", choices=("cosine", "step", "flat", "cyclic")
    )
    snapshots: int = _setting(0, "models kept on the way; cyclic: so many cycles", least=0, most=99)
    warmup: float = _setting(0.1, "share of steps in which the rate rises", least=0.0, most=0.9)
    clip: float | None = _setting(None, "longest gradient (norm)", least=1e-6, most=1e6)
    average: float = _setting(0.0, "weight averaging: decay a step, 0: off", least=0, most=0.9999)
    smoothing: float = _setting(0.1, "label smoothing", least=0.0, most=0.9)
    mixup: float = _setting(0.0, "mixup strength (Beta), 0 is off", least=0.0, most=10.0)
    cutmix: float = _setting(0.0, "cutmix strength (Beta), 0 is off", least=0.0, most=10.0)
    mosaic: float = _setting(0.0, "share of pictures that learn with 3 others", least=0, most=1)
    operating: str = _setting("f1", "which boxes are told: 'f1', 'precision 0.95', 'recall 0.9'")
    dropout: float = _setting(0.0, "dropout before the last layer", least=0.0, most=0.95)
    balance: bool = _setting(False, "weigh rare classes up")
    patience: int | None = _setting(None, "epochs without gain before a stop", least=1, most=1e6)
    augment: str = _setting("auto", "auto, light, strong, ... or a line, as 'flip, rotate 15'")
    precision: str = _setting("auto", "arithmetic", choices=("auto", "float32", "bf16"))
    device: str = _setting("auto", "where to compute", choices=("auto", "cpu", "cuda"))
    seed: int = _setting(0, "seed of every random draw", least=0, most=2**31 - 1)
    split: int | None = _setting(
        None, "seed of what is held out; else that of every draw", least=0, most=2**31 - 1
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            _check(spec.name, getattr(self, spec.name), spec.metadata)
            if "int" in str(spec.type) and isinstance(getattr(self, spec.name), float):
                raise RecipeError(
                    f"{spec.name}={getattr(self, spec.name)}", expected="a whole number"
                )
        if self.minutes is not None and self.epochs is not None:
            raise RecipeError(
                f"minutes={self.minutes} and epochs={self.epochs}",
                expected="one of the two",
                remedy="Give the time or the number of epochs, not both.",
            )
        if self.schedule == "cyclic" and not self.snapshots:
            raise RecipeError(
                "schedule='cyclic' without snapshots",
                expected="how many cycles there are",
                remedy="Add --snapshots 5.",
            )

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as the model file and the report keep it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make a recipe from plain data; an unknown name raises ``RecipeError``."""
        known = {spec.name for spec in fields(cls)}
        if unknown := sorted(set(plain) - known):
            raise RecipeError(f"the setting {unknown[0]!r}", expected=f"one of {sorted(known)}")
        return cls(**plain)


def _check(name: str, value: Any, about: Mapping[str, Any]) -> None:
    """Raise ``RecipeError`` where ``value`` is not a word or a number its field allows."""
    if about["choices"] and value not in about["choices"]:
        raise RecipeError(f"{name}={value!r}", expected=f"one of {', '.join(about['choices'])}")
    if isinstance(about["default"], bool) and not isinstance(value, bool):
        raise RecipeError(f"{name}={value!r}", expected="True or False")
    if isinstance(about["default"], str) and not isinstance(value, str):
        raise RecipeError(f"{name}={value!r}", expected="a word")
    if about["least"] is None or value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecipeError(f"{name}={value!r}", expected="a number")
    if not about["least"] <= value <= about["most"]:
        raise RecipeError(f"{name}={value}", expected=f"{about['least']:g} to {about['most']:g}")
