"""Where the points of a picture lie in a frame it was brought into, and back.

Points are continuous, (x, y): the first pixel covers 0..1.

Shapes: N boxes (N, 4) as x1 y1 x2 y2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placement:
    """Moves x to ``scale`` · x + ``shift`` (x and y each) into a frame of ``size``, and back.

    ``original`` and ``size`` are (height, width).
    """

    scale: tuple[float, float]
    shift: tuple[float, float]
    original: tuple[int, int]
    size: tuple[int, int]

    def there(self, boxes: Boxes) -> Boxes:
        """Return boxes (N, 4) of the picture in the frame, uncut.

        >>> import numpy as np
        >>> Placement((0.5, 0.5), (0.0, 25.0), (100, 200), (100, 100)).there(
        ...     np.array([[0, 0, 200, 100]], np.float32)).tolist()
        [[0.0, 25.0, 100.0, 75.0]]
        """
        moved: Boxes = (boxes * (self.scale * 2) + (self.shift * 2)).astype("float32")
        return moved

    def back(self, boxes: Boxes) -> Boxes:
        """Return boxes (N, 4) of the frame in the picture, cut at its edges."""
        height, width = self.original
        moved = (boxes - (self.shift * 2)) / (self.scale * 2)
        cut: Boxes = moved.clip(0, (width, height) * 2).astype("float32")
        return cut
