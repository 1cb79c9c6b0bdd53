"""Where in a picture something may be, before a net has looked: one way a file, found by its name.

Each file has a frozen ``Settings`` and ``propose(image, settings) → Proposals``. A picture is uint8
(3, H, W) RGB; boxes are x1 y1 x2 y2 in its pixels, best first. Nothing is drawn but by a seed in
the settings, so that the same picture always has the same proposals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsin import plugins
from opsin.errors import RecipeError
from opsin.proposals._proposal import Pixels, Proposals

__all__ = ["Proposals", "names", "propose", "settings"]


def names() -> list[str]:
    """Return the ways to propose there are.

    >>> names()
    ['blobs', 'contour', 'selective', 'sliding']
    """
    return plugins.names(__name__)


def settings(name: str, given: Mapping[str, Any] | None = None) -> Any:
    """Return the settings of a way, ``given`` in place of the usual ones; raise ``RecipeError``.

    >>> settings("contour", {"threshold": 90}).threshold
    90
    >>> settings("contour", {"treshold": 90})
    Traceback (most recent call last):
    opsin.errors.RecipeError: received the setting 'treshold' of contour; expected one of \
threshold, dark, smallest, largest, margin, most. Did you mean threshold?
    """
    kind = plugins.load(__name__, name, "way to propose", RecipeError).Settings
    known = list(kind.__dataclass_fields__)
    for word in given or {}:
        if word not in known:
            raise RecipeError(
                f"the setting {word!r} of {name}",
                expected=f"one of {', '.join(known)}",
                remedy=plugins.meant(word, known),
            )
    return kind(**dict(given or {}))


def propose(name: str, image: Pixels, given: Mapping[str, Any] | None = None) -> Proposals:
    """Return what the way called ``name`` proposes in a picture (3, H, W).

    >>> import numpy as np
    >>> propose("sliding", np.zeros((3, 64, 96), np.uint8), {"scales": (64,)}).boxes[:, 0].tolist()
    [0.0, 16.0, 32.0]
    """
    chosen = settings(name, given)
    found: Proposals = plugins.load(__name__, name, "way to propose", RecipeError).propose(
        image, chosen
    )
    return found
