"""Look at the picture from the side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsin.augment._operation import Frame, Geometry, amount, identities
from opsin.augment.lots import Floats, Lots

CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2  # of the window, as shares of its side


@dataclass(frozen=True, slots=True)
class Perspective(Geometry):
    """Draws each corner of the window inwards by up to ``share`` of half the side, each its own.

    The distortion of torchvision's RandomPerspective: the homography that takes the four corners
    to where they are drawn (Hartley and Zisserman, Multiple View Geometry, 2004, section 4.1).

    >>> str(Perspective(0.3))
    'perspective 0.3'
    """

    share: float = amount("of half the side", 0, 0.9, still=0)

    def matrices(self, lots: Lots, frame: Frame) -> Floats:
        """Draw homographies, (n, 3, 3)."""
        inwards = 1 - lots.uniform(0, self.share, 8).reshape(-1, 4, 2)
        size = np.array(frame.out[::-1])  # (x, y)
        x, y = (CORNERS * size).T
        u, v = np.moveaxis(CORNERS * inwards * size, 2, 0)  # (n, 4)
        none, one = np.zeros_like(u), np.ones_like(u)
        x, y = x + none, y + none
        rows = [[x, y, one, none, none, none, -u * x, -u * y]]
        rows += [[none, none, none, x, y, one, -v * x, -v * y]]
        system = np.array(rows).transpose(2, 0, 3, 1).reshape(-1, 8, 8)  # 8 equations, 8 unknowns
        drawn = np.concatenate([u, v], axis=1)[:, :, None]
        moves = identities(frame.n).reshape(-1, 9)
        moves[:, :8] = np.linalg.solve(system, drawn)[:, :, 0]
        return moves.reshape(-1, 3, 3)
