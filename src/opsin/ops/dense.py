"""A classifier slid over a large picture at once: dense layers turned into convolutions.

A dense layer after a map of C x h x w is a convolution with an h x w kernel that fits in one place;
on a larger map it fits in many, and gives in each the scores of the window there (Sermanet et al.,
OverFeat, 2014, section 3.5; Long, Shelhamer & Darrell, Fully Convolutional Networks, 2015, 3.1).

It gives the scores of the windows exactly if the windows lie as far apart as the net's strides
multiply to, and if no layer pads: at a window's edge padding puts zeros where the large picture has
neighbours. ``unlike`` says which layers stand in the way.

Shapes: maps (N, C, h, w), K scores; windows are (height, width) of the net's input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from opsin.errors import SizeError
from opsin.ops.arithmetic import Field, Pair, Window, output_size, receptive_field

Shape = tuple[int, int, int]

_SAME_EVERYWHERE = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Sigmoid, nn.Tanh,
    nn.Identity, nn.ELU, nn.PReLU, nn.Hardsigmoid, nn.Softplus,
)  # fmt: skip


# ── layers ──────────────────────────────────────────────────────────────────────────────────────


def convolution(layer: nn.Linear, shape: Shape) -> nn.Conv2d:
    """Return the convolution h x w that a dense layer is on a map of ``shape`` (C, h, w).

    Raises ``SizeError`` where the layer takes another number of inputs.

    >>> layer = nn.Linear(8, 3)
    >>> tuple(convolution(layer, (2, 2, 2)).weight.shape)
    (3, 2, 2, 2)
    """
    channels, high, wide = shape
    if layer.in_features != channels * high * wide:
        raise SizeError(
            f"a dense layer of {layer.in_features} inputs after a map of {channels}×{high}×{wide}",
            expected=f"{channels * high * wide} inputs",
        )
    made = nn.Conv2d(
        channels,
        layer.out_features,
        (high, wide),
        bias=layer.bias is not None,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    with torch.no_grad():
        made.weight.copy_(layer.weight.view(-1, channels, high, wide))  # (K, C, h, w)
        if made.bias is not None:
            made.bias.copy_(layer.bias)
    return made


def convolved(head: Sequence[nn.Module], shape: Shape) -> nn.Sequential:
    """Return a net's head, which takes maps of ``shape`` (C, h, w), as one that takes larger maps.

    A head is a row of poolings to one place, flattening, dense layers, batch norms of units, and
    what acts on each number alone. It is returned in evaluation mode, with weights of its own.
    Raises ``SizeError`` for a layer that has no counterpart.

    >>> head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)]
    >>> convolved(head, (4, 3, 3)).eval()(torch.zeros(1, 4, 5, 7)).shape
    torch.Size([1, 2, 3, 5])
    """
    found: list[nn.Module] = []
    for layer in head:
        made, shape = _counterpart(layer, shape)
        found += made
    return nn.Sequential(*found).eval()


def _counterpart(layer: nn.Module, shape: Shape) -> tuple[list[nn.Module], Shape]:
    """Return what a layer of a head becomes, and the shape after it."""
    channels = shape[0]
    if isinstance(layer, nn.Flatten | nn.Dropout | nn.Dropout2d | nn.Identity):
        return [], shape  # flattening is the next layer's kernel; dropout only trains
    if isinstance(layer, nn.Linear):
        return [convolution(layer, shape)], (layer.out_features, 1, 1)
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        if layer.output_size in (1, (1, 1)):
            kind = nn.AvgPool2d if isinstance(layer, nn.AdaptiveAvgPool2d) else nn.MaxPool2d
            return [kind(shape[1:], stride=1)], (channels, 1, 1)
        if layer.output_size in (shape[1:], shape[1] if shape[1] == shape[2] else None):
            return [], shape  # it changes nothing on the map the net was made for
    if isinstance(layer, nn.BatchNorm1d) and shape[1:] == (1, 1):
        return [_norm(layer)], shape
    if isinstance(layer, _SAME_EVERYWHERE):
        return [layer], shape
    raise SizeError(
        f"a {type(layer).__name__} after a map of {'×'.join(map(str, shape))} in a net's head",
        expected="dense layers, poolings to one place, batch norms of units and activations",
        remedy="Slide windows instead.",
    )


def _norm(layer: nn.BatchNorm1d) -> nn.BatchNorm2d:
    """Return a batch norm of units as one of channels."""
    made = nn.BatchNorm2d(
        layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats
    )
    for tensor in [*layer.parameters(), *layer.buffers()][:1]:
        made.to(tensor)  # its device and type
    made.load_state_dict(layer.state_dict())
    return made


# ── where windows land ──────────────────────────────────────────────────────────────────────────


def windows(layers: Sequence[Window], size: Pair) -> Field:
    """Return the window of the picture that one score sees, and how far the next one lies.

    ``layers`` are what slides in the net up to its head, ``size`` the net's own input: the head is
    a window as large as the map that input becomes.

    >>> windows([Window(5), Window(2, 2), Window(5), Window(2, 2)], (28, 28))
    Field(size=(28, 28), stride=(4, 4), start=(0, 0))
    """
    last = size
    for layer in layers:
        last = output_size(last, layer)
    return receptive_field([*layers, Window(last)], size)


def places(layers: Sequence[Window], size: Pair, picture: Pair) -> NDArray[np.float32]:
    """Return the windows (n, 4), x1 y1 x2 y2, that the scores of a ``picture`` stand for.

    They come row by row, as the scores (h, w) do; each is as large as the net's input ``size``. One
    whose last pixels no layer sees, as strides do not come out even, may reach over the edge by
    these.

    >>> layers = [Window(5), Window(2, 2), Window(5), Window(2, 2)]
    >>> places(layers, (28, 28), (28, 36))[:, :3].tolist()
    [[0.0, 0.0, 28.0], [4.0, 0.0, 32.0], [8.0, 0.0, 36.0]]
    """
    own, last = size, picture
    for layer in layers:
        own, last = output_size(own, layer), output_size(last, layer)
    rows, columns = output_size(last, Window(own))
    field = windows(layers, size)
    y, x = np.mgrid[:rows, :columns].reshape(2, -1)
    top, left = y * field.stride[0], x * field.stride[1]
    found = np.stack([left, top, left + size[1], top + size[0]], axis=1)
    return found.astype(np.float32)


def unlike(layers: Sequence[Window], size: Pair, step: Pair | None = None) -> list[str]:
    """Return why dense scores differ from those of windows ``step`` apart, or [] if they do not.

    Without ``step`` windows lie as far apart as the net's strides multiply to.

    >>> unlike([Window(5), Window(2, 2)], (28, 28))
    []
    >>> for why in unlike([Window(3, 2, padding=1), Window(2, 2)], (28, 28), (2, 2)): print(why)
    layer 1 (3×3, stride 2, padding 1) pads: windows have zeros at their edges where the picture \
has neighbours
    the net's strides multiply to 4×4: windows 2×2 pixels apart lie between those it scores
    """
    found, now = [], size
    for number, layer in enumerate(layers, 1):
        after = output_size(now, layer)
        ends = [axis.ends(n) for axis, n in zip(layer.axes, now, strict=True)]
        if any(map(any, ends)):
            found.append(
                f"layer {number} ({layer}) pads: windows have zeros at their edges where the "
                "picture has neighbours"
            )
        elif after != output_size(now, _floored(layer)):
            found.append(
                f"layer {number} ({layer}) hangs over the end of a window, where the picture has "
                "neighbours"
            )
        now = after
    stride = receptive_field(layers, size).stride
    if step is not None and any(s % own for s, own in zip(step, stride, strict=True)):
        found.append(
            f"the net's strides multiply to {stride[0]}×{stride[1]}: windows {step[0]}×{step[1]} "
            "pixels apart lie between those it scores"
        )
    return found


def _floored(layer: Window) -> Window:
    """Return a window without one that hangs over the end."""
    return Window(layer.kernel, layer.stride, layer.padding, layer.dilation)
