"""Looking at a picture several times: test-time augmentation.

Shapes: N pictures of C channels; H, W the working size, h, w what the net sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from opsin.augment._operation import Cover, Pixels
from opsin.augment.chain import Chain
from opsin.augment.line import parse
from opsin.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LIGHT = "rotate 4, translate 0.03, scale 0.95 1.05"  # for a net that learnt from plain pictures
MOST = 1000  # views
SEED = 7001  # the views are the same for every model and every picture


def glances(line: str) -> Chain:
    """Return the chain to look through again at what was learnt with ``line``.

    What moves and recolours is kept at half its strength, since a net has seen the extremes
    seldom: LeNet on digits, log loss of 5 views 0.035 halved and 0.061 in full (n = 359). What
    hides or spoils helps learning, not answering. Where nothing is left, or the line is ``auto``,
    which no longer says what it stood for, it is a light one without mirrors.

    >>> print(glances("flip, rotate 8, cutout 0.3, noise 0.1, copies 5"))
    flip, rotate 4
    >>> print(glances("none"))
    rotate 4, translate 0.03, scale 0.95 1.05
    """
    steps = () if line == "auto" else parse(line).operations
    kept = tuple(step.halved() for step in steps if not isinstance(step, Cover | Pixels))
    return Chain(kept) if kept else parse(LIGHT)


def views(batch: Tensor, chain: Chain, out: tuple[int, int], count: int) -> Iterator[Tensor]:
    """Yield ``count - 1`` views of a uint8 batch, (N, C, H, W) -> (N, C, h, w); the plain is known.

    View v is the same move for all pictures and for ever, so that an answer does not depend on
    which pictures are asked about together. Raises ``InputError`` for a count out of range.
    """
    check(count)
    for view in range(1, count):
        yield chain.draw_for(batch, out, (SEED, view), [0] * len(batch)).pictures(batch)


def check(count: int) -> None:
    """Raise ``InputError`` for a number of views that is none."""
    if not 1 <= count <= MOST:
        raise InputError(
            f"tta={count}",
            expected=f"1 to {MOST} views of each picture",
            remedy="1 is the plain view alone, 5 are four drawn ones beside it.",
        )
