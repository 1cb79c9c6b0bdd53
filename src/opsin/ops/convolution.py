"""Convolution written out: what it is, ways to compute it that agree, and what each costs.

A filter slides over a picture; at each place the numbers under it are multiplied by its own and
added up. That is all, and it is what every net calls a convolution. Mathematics calls it
cross-correlation, and for a convolution turns the filter over first, up for down and left for right
(``turned``): then a single bright dot becomes a copy of the filter, not its mirror image. A net
does not care which, for it learns its filters.

Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016), draws all of it.

Shapes: C channels, H and W pixels before (zeros of the padding included), N and M after, K filters
of (C, F, G) numbers, S stride, D dilation.
"""

from __future__ import annotations

from math import log2, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from opsin.errors import InputError, SizeError
from opsin.ops.arithmetic import Padding, Pair, Window, multiply_adds, output_size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[Any]


def turned(filters: Numbers) -> Numbers:
    """Return filters (..., F, G) turned over, which makes a cross-correlation a convolution.

    >>> turned(np.array([[1, 2], [3, 4]])).tolist()
    [[4, 3], [2, 1]]
    """
    return filters[..., ::-1, ::-1]


def convolve(
    picture: ArrayLike,
    filters: ArrayLike,
    *,
    stride: int | Pair = 1,
    padding: Padding | Pair = 0,
    dilation: int | Pair = 1,
    way: str = "matrix",
) -> Numbers:
    """Slide ``filters`` (K, C, F, G) over ``picture`` (C, H, W), unturned; return maps (K, N, M).

    One matrix may slide over another: (F, G) over (H, W) gives (N, M). ``way`` is a name of
    ``WAYS``; all of them give the same numbers. Raises ``SizeError`` where the filters have another
    depth than the picture, or do not fit into it, and ``InputError`` for another way.

    >>> convolve([[5, 2, 3, 4], [6, 7, 8, 5], [4, 5, 4, 5], [1, 0, 2, 3]], [[1, 0], [1, -1]])
    array([[4., 1., 6.],
           [5., 8., 7.],
           [5., 3., 3.]])
    """
    if way not in WAYS:
        raise InputError(f"way {way!r}", expected=f"one of {', '.join(WAYS)}")
    x, f = np.asarray(picture), np.asarray(filters)
    flat = x.ndim == f.ndim == 2
    if flat:
        x, f = x[None], f[None, None]
    if x.ndim != 3 or f.ndim != 4 or x.shape[0] != f.shape[1]:
        raise SizeError(
            f"a picture {x.shape} and filters {f.shape}",
            expected="(C, H, W) and (K, C, F, G) with the same C, or (H, W) and (F, G)",
        )
    window = Window(f.shape[2:], stride, padding, dilation)
    output_size(x.shape[1:], window)
    ends = [axis.ends(n) for axis, n in zip(window.axes, x.shape[1:], strict=True)]
    padded = np.pad(x, [(0, 0), *ends])
    maps = WAYS[way](padded, f, Window(f.shape[2:], stride, 0, dilation))
    return maps[0] if flat else maps


# ── the ways ────────────────────────────────────────────────────────────────────────────────────
# Each takes a picture (C, H, W) with its padding already around it, filters (K, C, F, G) and a
# window without padding, and returns maps (K, N, M).


def by_loop(picture: Numbers, filters: Numbers, window: Window) -> Numbers:
    """Convolve as one would by hand: for each filter and place, multiply and add up."""
    high, wide = window.axes
    rows, columns = output_size(picture.shape[1:], window)
    maps = np.zeros((len(filters), rows, columns))
    for k, weights in enumerate(filters):
        for i in range(rows):
            for j in range(columns):
                top, left = i * high.stride, j * wide.stride
                seen = picture[
                    :,
                    top : top + high.span : high.dilation,
                    left : left + wide.span : wide.dilation,
                ]  # (C, F, G)
                maps[k, i, j] = (seen * weights).sum()
    return maps


def by_matrix(picture: Numbers, filters: Numbers, window: Window) -> Numbers:
    """Convolve by one matrix product: lay what each place sees into a column (im2col).

    A filter is a row, so that filters @ columns is all the maps. Each pixel is copied as often as
    it is seen, up to F·G times: that memory is the price. Chellapilla, Puri & Simard, High
    Performance Convolutional Neural Networks for Document Processing (2006), section 3.
    """
    seen = patches(picture, window)  # (C, N, M, F, G)
    columns = seen.transpose(0, 3, 4, 1, 2).reshape(filters[0].size, -1)  # (C·F·G, N·M)
    rows = filters.reshape(len(filters), -1)  # (K, C·F·G)
    return (rows @ columns.astype(np.float64)).reshape(-1, *seen.shape[1:3])  # (K, N, M)


def patches(picture: Numbers, window: Window) -> Numbers:
    """Return what each place of a window without padding sees of ``picture``: (C, N, M, F, G).

    It is a view; nothing is copied.

    >>> patches(np.arange(16).reshape(1, 4, 4), Window(2, stride=2))[0, 1, 0].tolist()
    [[8, 9], [12, 13]]
    """
    high, wide = window.axes
    spans = (high.span, wide.span)
    every = np.lib.stride_tricks.sliding_window_view(picture, spans, axis=(1, 2))
    placed = every[:, :: high.stride, :: wide.stride]
    return placed[..., :: high.dilation, :: wide.dilation]


def by_fft(picture: Numbers, filters: Numbers, window: Window) -> Numbers:
    """Convolve by multiplying spectra: a shift and sum in space is a product of waves.

    The price does not depend on the filters' size, so large ones gain. The conjugate correlates
    instead of convolving. Places beyond the last whole window would wrap round, and are left out.
    Mathieu, Henaff & LeCun, Fast Training of Convolutional Networks through FFTs (2014).
    """
    high, wide = window.axes
    size = picture.shape[1:]
    spread = np.zeros((*filters.shape[:2], high.span, wide.span))
    spread[..., :: high.dilation, :: wide.dilation] = filters  # dilation: zeros between
    waves = np.fft.rfft2(picture, size)  # (C, H, W/2 + 1)
    others = np.fft.rfft2(spread, size)  # (K, C, H, W/2 + 1)
    product = np.einsum("chw,kchw->khw", waves, others.conj())
    whole = np.fft.irfft2(product, size)  # (K, H, W)
    last = size[0] - high.span + 1, size[1] - wide.span + 1
    return whole[:, : last[0] : high.stride, : last[1] : wide.stride]  # (K, N, M)


def by_shifts(picture: Numbers, filters: Numbers, window: Window) -> Numbers:
    """Convolve one number of the filters at a time: shift the picture, multiply, add to the maps.

    F·G steps over whole pictures and no copies of them: what photographs are filtered with here.
    Keeps float32 where both are float32.
    """
    high, wide = window.axes
    rows, columns = output_size(picture.shape[1:], window)
    kind = np.result_type(picture, filters, np.float32)
    maps = np.zeros((len(filters), rows, columns), kind)
    for u, v in np.ndindex(high.kernel, wide.kernel):
        weights = filters[:, :, u, v, None, None].astype(kind)  # (K, C, 1, 1)
        top, left = u * high.dilation, v * wide.dilation
        shifted = picture[
            :,
            top : top + (rows - 1) * high.stride + 1 : high.stride,
            left : left + (columns - 1) * wide.stride + 1 : wide.stride,
        ]  # (C, N, M)
        for channel in np.flatnonzero(weights.any(axis=(0, 2, 3))):  # zeros add nothing
            maps += weights[:, channel] * shifted[channel]  # (K, N, M)
    return maps


def by_library(picture: Numbers, filters: Numbers, window: Window) -> Numbers:
    """Convolve with torch, as nets do."""
    import torch

    x, weight = (torch.from_numpy(np.array(a, np.float64)) for a in (picture, filters))
    strides, dilations = (
        [getattr(axis, name) for axis in window.axes] for name in ("stride", "dilation")
    )
    y = torch.nn.functional.conv2d(x[None], weight, stride=strides, dilation=dilations)
    maps: Numbers = y[0].numpy()
    return maps


WAYS = {
    "loop": by_loop,
    "matrix": by_matrix,
    "fft": by_fft,
    "shifts": by_shifts,
    "library": by_library,
}


# ── what they cost ──────────────────────────────────────────────────────────────────────────────


class Cost(NamedTuple):
    """Is what a way takes: multiply-adds, and numbers it holds beside picture, filters and maps."""

    multiply_adds: int
    numbers: int


def costs(size: Pair, window: Window, inputs: int, outputs: int) -> dict[str, Cost]:
    """Return the cost of each way of ``WAYS`` for one picture (C, H, W) and K filters.

    ``size`` is (H, W) without padding. A Fourier transform of P real numbers is counted as
    1.25 P log₂ P multiply-adds, half of the 2.5 P log₂ P operations that FFTW's authors count
    (Frigo & Johnson, The Design and Implementation of FFTW3, 2005, section V). The library is
    counted as the loop; where it has a quicker way for 3×3 (Lavin & Gray 2016) it does fewer.

    >>> for side in (3, 31):
    ...     found = costs((224, 224), Window(side, padding="same"), 3, 16)
    ...     print(side, found["matrix"].multiply_adds, found["fft"].multiply_adds)
    3 21676032 71806726
    31 2314518528 92522698
    """
    direct = multiply_adds(size, window, inputs, outputs)
    places = prod(output_size(size, window))
    kernel = prod(axis.kernel for axis in window.axes)
    padded = prod(n + sum(axis.ends(n)) for axis, n in zip(window.axes, size, strict=True))
    transforms = inputs + inputs * outputs + outputs
    waves = round(transforms * 1.25 * padded * log2(padded) + 2 * inputs * outputs * padded)
    return {
        "loop": Cost(direct, inputs * kernel),
        "matrix": Cost(direct, inputs * kernel * places),
        "fft": Cost(waves, transforms * padded),
        "shifts": Cost(direct, outputs * places),
        "library": Cost(direct, 0),
    }
