"""A kernel sliding over a small picture, one place at a time, with all that is multiplied there.

Shapes: H and W pixels (zeros of the padding included), F and G of the kernel, N and M places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from opsin.errors import SizeError
from opsin.ops.arithmetic import Window, output_size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[Any]

# The lecture's second example; its kernel is laid on as it is, and the map begins 4, 1.
PICTURE = ((5, 2, 3, 4), (6, 7, 8, 5), (4, 5, 4, 5), (1, 0, 2, 3))
KERNEL = ((1, 0), (1, -1))


class Place(NamedTuple):
    """Is one place of a sliding kernel.

    ``row`` and ``column`` say where its number goes in the map, ``top`` and ``left`` where the
    kernel's corner lies in the picture (negative in the padding). ``seen`` and ``products`` are
    (F, G); ``total`` is the sum of the products.
    """

    row: int
    column: int
    top: int
    left: int
    seen: Numbers
    products: Numbers
    total: float


def places(picture: ArrayLike, kernel: ArrayLike, window: Window | None = None) -> Iterator[Place]:
    """Yield every place of ``kernel`` (F, G) on ``picture`` (H, W), line by line as one reads.

    ``window`` says stride, padding and dilation; without one it is stride 1 and no padding. Raises
    ``SizeError`` where the kernel has another size than the window, or does not fit.

    >>> first = next(places(PICTURE, KERNEL))
    >>> first.seen.tolist(), first.products.tolist(), first.total
    ([[5, 2], [6, 7]], [[5, 0], [6, -7]], 4.0)
    """
    x, weights = np.asarray(picture), np.asarray(kernel)
    window = window or Window(weights.shape)
    high, wide = window.axes
    if weights.shape != (high.kernel, wide.kernel):
        raise SizeError(
            f"a kernel {weights.shape} for a window of {window}", expected="the same size"
        )
    rows, columns = output_size(x.shape, window)
    (above, below), (before, after) = (a.ends(n) for a, n in zip(window.axes, x.shape, strict=True))
    padded = np.pad(x, ((above, below), (before, after)))
    for row in range(rows):
        for column in range(columns):
            top, left = row * high.stride, column * wide.stride
            seen = padded[
                top : top + high.span : high.dilation, left : left + wide.span : wide.dilation
            ]  # (F, G)
            products = seen * weights
            total = float(products.sum())
            yield Place(row, column, top - above, left - before, seen, products, total)
