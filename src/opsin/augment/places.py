"""Where points and boxes of a picture lie in the window, by the same geometry as its pixels.

Shapes: N pictures, P points or boxes.
"""

from __future__ import annotations

import numpy as np

from opsin.augment.lots import Floats
from opsin.augment.waves import Waves

STEPS = (
    40  # of the search for the pixel that fetches from a point; each halves what is left, or more
)
ALONG = 9  # points a side of a box is followed at where geometry bends it
ROUND = 32  # points an ellipse is followed at: a turned one comes out smaller by half a percent
NEAREST = 1e-6  # the least depth: what lies behind the eye is shown far away


def moved(points: Floats, to_window: Floats, bend: Waves | None) -> Floats:
    """Return where points (N, P, 2) of pictures lie, by ``to_window`` (N, 3, 3) and a bend.

    A bent window shows at q what lies at q + d(q), so q is where q = t - d(q) for a point that the
    matrix takes to t: iterated, since a bend that does not fold is a contraction.
    """
    homogeneous = points @ to_window[:, :, :2].mT + to_window[:, None, :, 2]  # (N, P, 3)
    target = homogeneous[..., :2] / np.maximum(homogeneous[..., 2:], NEAREST)
    if bend is None:
        return target
    place = target
    for _ in range(STEPS):
        place = target - bend.at(place)
    return place


def boxes(boxes: Floats, to_window: Floats, bend: Waves | None, outline: str) -> Floats:
    """Return the boxes (N, P, 4) that enclose what becomes of an outline in boxes x1 y1 x2 y2.

    ``outline`` is the ``rectangle`` itself or the ``ellipse`` that touches its sides.

    >>> turn = np.array([[[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]])
    >>> box = np.array([[[-5.0, -5, 5, 5]]])
    >>> [boxes(box, turn, None, outline).round(1)[0, 0].tolist() for outline in OUTLINES]
    [[-7.0, -7.0, 7.0, 7.0], [-5.0, -5.0, 5.0, 5.0]]
    """
    shares = OUTLINES[outline](bend is not None)  # (points, 2)
    corner, size = boxes[..., None, :2], (boxes[..., 2:] - boxes[..., :2])[..., None, :]
    around = corner + size * shares  # (N, P, points, 2)
    n, count, points, _ = around.shape
    found = moved(around.reshape(n, count * points, 2), to_window, bend)
    found = found.reshape(n, count, points, 2)
    return np.concatenate([found.min(axis=2), found.max(axis=2)], axis=2)


def _rectangle(bent: bool) -> Floats:
    """Return points round a box, in shares of its sides: its corners, and more where it bends."""
    along = np.linspace(0, 1, ALONG if bent else 2)
    zero, one = np.zeros_like(along), np.ones_like(along)
    x = np.concatenate([along, along, zero, one])
    y = np.concatenate([zero, one, along, along])
    return np.stack([x, y], axis=1)


def _ellipse(bent: bool) -> Floats:
    """Return points round the ellipse that touches the sides of a box, in shares of them."""
    del bent
    angle = np.arange(ROUND) * (2 * np.pi / ROUND)
    found: Floats = 0.5 + 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return found


OUTLINES = {"rectangle": _rectangle, "ellipse": _ellipse}


def clipped(boxes: Floats, out: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return boxes (N, P, 4) cut to a window of (h, w), and which share of each is inside, (N, P).

    >>> inside, share = clipped(np.array([[[-2.0, 0, 2, 4]]]), (8, 8))
    >>> inside.tolist(), share.tolist()
    ([[[0.0, 0.0, 2.0, 4.0]]], [[0.5]])
    """
    height, width = out
    inside = boxes.clip(0, [width, height, width, height])
    left = np.prod(inside[..., 2:] - inside[..., :2], axis=-1)
    whole = np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
    share: Floats = np.where(whole > 0, left / np.maximum(whole, 1e-12), 0.0)
    return inside, share
