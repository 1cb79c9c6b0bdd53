"""What stands between convolutions, written out: pooling, ReLU, normalisation, softmax.

A few lines each, in numpy, to be read; nets use torch's, which these are tested against.

Shapes: B pictures, C channels, H and W before pooling, N and M after, F and G of its window, K
classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from opsin.ops.arithmetic import Window, output_size
from opsin.ops.convolution import patches

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


def max_pool(maps: ArrayLike, window: Window) -> Numbers:
    """Return the largest number in each place of ``window``: (C, H, W) to (C, N, M).

    With ``ceil`` the ragged edge is kept: the last window may hang over it.

    >>> max_pool([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], Window(2, stride=2, ceil=True)).tolist()
    [[[5.0, 6.0], [8.0, 9.0]]]
    """
    seen = _seen(np.asarray(maps, np.float64), window, padding=-np.inf, beyond=-np.inf)
    largest: Numbers = seen.max(axis=(3, 4))
    return largest


def average_pool(maps: ArrayLike, window: Window) -> Numbers:
    """Return the mean in each place of ``window``: (C, H, W) to (C, N, M).

    Zeros of the padding count, as in torch; what hangs over the edge does not.

    >>> average_pool([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], Window(2, stride=2, ceil=True)).tolist()
    [[[3.0, 4.5], [7.5, 9.0]]]
    """
    x = np.asarray(maps, np.float64)
    total = _seen(x, window, padding=0, beyond=0).sum(axis=(3, 4))
    counted = _seen(np.ones_like(x), window, padding=1, beyond=0).sum(axis=(3, 4))
    means: Numbers = total / counted
    return means


def _seen(maps: Numbers, window: Window, *, padding: float, beyond: float) -> Numbers:
    """Return what each place sees, (C, N, M, F, G), with ``beyond`` where a window hangs over."""
    counts = output_size(maps.shape[1:], window)
    ends = [axis.ends(n) for axis, n in zip(window.axes, maps.shape[1:], strict=True)]
    padded = np.pad(maps, [(0, 0), *ends], constant_values=padding)
    over = [
        (0, max(0, (count - 1) * axis.stride + axis.span - n))
        for count, axis, n in zip(counts, window.axes, padded.shape[1:], strict=True)
    ]
    whole = np.pad(padded, [(0, 0), *over], constant_values=beyond)
    return patches(whole, window)[:, : counts[0], : counts[1]]


def relu(x: ArrayLike) -> Numbers:
    """Set every negative number to zero. Nair & Hinton, Rectified Linear Units (2010).

    >>> relu([-0.5, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    """
    return np.maximum(np.asarray(x, np.float64), 0.0)


def softmax(scores: ArrayLike) -> Numbers:
    """Return probabilities (..., K) that sum to 1, in the ratio of e to the power of the scores.

    The largest is subtracted first: it changes nothing but that e to a large power overflows.

    >>> softmax([1.0, 2.0, 1000.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    x = np.asarray(scores, np.float64)
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def batch_norm(
    x: ArrayLike, scale: ArrayLike = 1.0, shift: ArrayLike = 0.0, *, eps: float = 1e-5
) -> Numbers:
    """Bring each channel of a batch (B, C, H, W) to mean 0 and variance 1, then scale and shift.

    ``scale`` and ``shift`` are learned, one number a channel. In use, where there is no batch, a
    net takes running means from its training instead. Ioffe & Szegedy, Batch Normalization (2015),
    algorithm 1.

    >>> batch_norm(np.array([1.0, 3.0]).reshape(2, 1, 1, 1), eps=0).ravel().tolist()
    [-1.0, 1.0]
    """
    batch = np.asarray(x, np.float64)
    mean = batch.mean(axis=(0, 2, 3), keepdims=True)
    variance = batch.var(axis=(0, 2, 3), keepdims=True)
    wide, up = (np.asarray(each, np.float64).reshape(-1, 1, 1) for each in (scale, shift))
    even: Numbers = (batch - mean) / np.sqrt(variance + eps) * wide + up
    return even


def local_response(
    x: ArrayLike, *, near: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Numbers:
    """Divide each number of maps (C, H, W) by how strong its neighbours in depth are.

    b = a / (k + α·Σ a²)^β over the ``near`` channels around it. Krizhevsky, Sutskever & Hinton,
    ImageNet Classification with Deep CNNs (2012), section 3.3, with its constants. torch's layer
    divides α by ``near`` first.

    >>> local_response(np.full((1, 1, 1), 2.0), alpha=0.5, beta=1.0, k=0.0).ravel().tolist()
    [1.0]
    """
    maps = np.asarray(x, np.float64)
    before = near // 2
    squares = np.pad(maps**2, [(before, near - 1 - before), (0, 0), (0, 0)])
    around = sum(squares[first : first + len(maps)] for first in range(near))
    return np.asarray(maps / (k + alpha * around) ** beta)
