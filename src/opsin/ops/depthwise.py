"""Depthwise convolution whose gradient is fast on processors too.

PyTorch on a processor hands convolutions to oneDNN, which has quick kernels for the gradient of a
3×3 depthwise convolution but not for a 5×5 one (25 ms against 0.2 ms for 32 images of 14×14×672 in
bf16), nor for a strided one in bf16. A 5×5 gradient is put together here from four 3×3 gradients,
the strided one is computed in float32; the numbers are the same.

Shapes: B images, C channels, H and W before, h and w after, k side of the kernel, s stride.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

_backward = torch.ops.aten.convolution_backward


class _Depthwise(torch.autograd.Function):
    """Is a depthwise convolution with symmetric zero padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return conv2d(x, weight, None, stride, padding, 1, x.shape[1])

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        slope = slope.contiguous(memory_format=torch.channels_last)
        to_input = to_weight = None
        if ctx.needs_input_grad[0]:
            to_input = _input_slope(slope, x, weight, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            to_weight = _weight_slope(slope, x, weight, ctx.stride, ctx.padding)
        return to_input, to_weight, None, None


def _slopes(
    slope: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, *, of_input: bool
) -> Tensor:
    """Return the gradient to the input or to the weight, by the library's own kernel."""
    channels = x.shape[1]
    wanted = [of_input, not of_input, False]
    both = _backward(
        slope,
        x,
        weight,
        [channels],
        [stride] * 2,
        [padding] * 2,
        [1, 1],
        False,
        [0, 0],
        channels,
        wanted,
    )
    found: Tensor = both[0 if of_input else 1]
    return found


def _input_slope(slope: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return the gradient to x (B, C, H, W)."""
    if stride == 1 or x.dtype not in (torch.bfloat16, torch.float16):
        return _slopes(slope, x, weight, stride, padding, of_input=True)
    like = torch.empty_like(x, dtype=torch.float32)
    exact = _slopes(slope.float(), like, weight.float(), stride, padding, of_input=True)
    return exact.to(x.dtype)


def _weight_slope(slope: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return the gradient to the weight (C, 1, k, k)."""
    if weight.shape[-1] != 5:
        return _slopes(slope, x, weight, stride, padding, of_input=False)
    padded = pad(x, (padding,) * 4)
    height = (slope.shape[2] - 1) * stride + 3
    width = (slope.shape[3] - 1) * stride + 3
    corner = weight[:, :, :3, :3].contiguous()
    found = torch.empty_like(weight)
    for top in (0, 2):  # the middle row and column are computed twice, and agree
        for left in (0, 2):
            seen = padded[:, :, top : top + height, left : left + width]
            seen = seen.contiguous(memory_format=torch.channels_last)
            part = _slopes(slope, seen, corner, stride, 0, of_input=False)
            found[:, :, top : top + 3, left : left + 3] = part
    return found


def depthwise(x: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolve each channel of x (B, C, H, W) with its own kernel (C, 1, k, k): (B, C, h, w).

    >>> x, weight = torch.ones(1, 2, 5, 5), torch.ones(2, 1, 5, 5)
    >>> depthwise(x, weight, padding=2)[0, 0, 0].tolist()
    [9.0, 12.0, 15.0, 12.0, 9.0]
    """
    if torch.is_autocast_enabled(x.device.type):
        kind = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(kind), weight.to(kind)
    found: Tensor = _Depthwise.apply(x, weight, stride, padding)
    return found


class DepthwiseConv2d(nn.Module):
    """Is the layer of ``depthwise``; it shares the parameters of the layer it stands in for.

    ``same`` pads as TensorFlow does: what is odd goes to the lower right.
    """

    def __init__(self, conv: nn.Conv2d, *, same: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.stride, self.same = conv.stride[0], same
        self.padding = 0 if same else int(conv.padding[0])

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of x (B, C, H, W): (B, C, h, w)."""
        if self.same:
            x = pad(x, self._missing(x.shape[3]) + self._missing(x.shape[2]))
        y = depthwise(x, self.weight, stride=self.stride, padding=self.padding)
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)

    def _missing(self, side: int) -> tuple[int, int]:
        """Return the padding before and after a side that leaves side / stride, rounded up."""
        steps = -(-side // self.stride)
        lacking = max(0, (steps - 1) * self.stride + self.weight.shape[-1] - side)
        return lacking // 2, lacking - lacking // 2


def quicken(net: nn.Module) -> nn.Module:
    """Replace the depthwise layers of ``net`` in place by ones that are quick to train; return it.

    Names and parameters stay the same, and so does what the net computes.
    """
    for name, layer in list(net.named_children()):
        if isinstance(layer, nn.Conv2d) and _is_plain_depthwise(layer):
            setattr(net, name, DepthwiseConv2d(layer, same=type(layer).__name__ == "Conv2dSame"))
        else:
            quicken(layer)
    return net


def _is_plain_depthwise(conv: nn.Conv2d) -> bool:
    side, stride = conv.kernel_size, conv.stride
    padding = conv.padding
    return (
        conv.groups == conv.in_channels == conv.out_channels > 1
        and conv.dilation == (1, 1)
        and side[0] == side[1]
        and stride[0] == stride[1]
        and (type(conv).__name__ == "Conv2dSame" or type(conv) is nn.Conv2d)
        and (isinstance(padding, str) is False and padding[0] == padding[1])
    )
