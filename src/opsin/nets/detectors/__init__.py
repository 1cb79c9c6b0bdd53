"""Nets that say where things are: one file a detector, each on any net that classifies.

A detector is called by its name and what it stands on: ``yolo on mobilenet_v2``. The contract is in
``_detector.py``; what they are made of, each a small part, in the files that begin with _.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsin import plugins
from opsin.errors import RecipeError

if TYPE_CHECKING:
    from torch import nn

    from opsin.nets.detectors._detector import Detector

__all__ = ["Detector", "build", "joined", "names", "parted"]

ON = " on "


def names() -> list[str]:
    """Return the detectors there are: the files of this folder.

    >>> "yolo" in names()
    True
    """
    return plugins.names(__name__)


def parted(name: str) -> tuple[str, str] | None:
    """Return detector and backbone of a net's name, None for a net that is no detector.

    The backbone is "" where none is named. Raises ``RecipeError`` for an unknown detector on one.

    >>> parted("yolo on resnet18"), parted("ssd"), parted("resnet18")
    (('yolo', 'resnet18'), ('ssd', ''), None)
    """
    kind, on, backbone = name.partition(ON)
    kind = plugins.stem(kind.strip())
    if kind not in names():
        if not on:
            return None
        raise RecipeError(
            f"the detector {kind!r}",
            expected=f"one of {', '.join(names())}",
            remedy=plugins.meant(kind, names()),
        )
    return kind, backbone.strip()


def joined(kind: str, backbone: str) -> str:
    """Return the name of a detector on a net.

    >>> joined("yolo", "resnet18")
    'yolo on resnet18'
    """
    return f"{kind}{ON}{backbone}"


def build(kind: str, net: nn.Module, *, outputs: int, size: tuple[int, int]) -> Detector:
    """Return a detector of ``outputs`` classes that stands on ``net``, for pictures of (h, w)."""
    module: Any = plugins.load(__name__, kind, "detector", RecipeError)
    found: Detector = module.build(net, outputs=outputs, size=size)
    return found


def __getattr__(name: str) -> Any:
    if name == "Detector":
        from opsin.nets.detectors._detector import Detector

        return Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
