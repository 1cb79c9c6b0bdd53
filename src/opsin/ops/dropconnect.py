"""DropConnect: a linear layer that learns with a random part of its connections.

Wan, Zeiler, Zhang, LeCun & Fergus, Regularization of Neural Networks using DropConnect, ICML 2013.
Training (section 3): every weight and every bias is kept with probability p, drawn anew for each
example of a batch; one draw for a whole batch regularises too little, as they found. Inference
(section 3.2): they match a Gaussian to what the masked layer says and average draws of it after the
activation. Here the mean weight stands in for the draws, so that the same picture always gives the
same answer: what is kept in training is divided by p, and in evaluation the layer is a plain linear
one. That is exact for the layer's mean; what ReLU makes of the spread around it is left out.

Shapes: N examples, I inputs, O outputs.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear, pad

LEVELS = 256  # shares are multiples of 1/256


class _Masked(torch.autograd.Function):
    """Is a product of examples with a matrix of which each sees other entries.

    One example at a time, in one matrix of scratch that stays in the cache of a core: 128 examples
    of 1024 to 150 take 10 ms there and 14 ms back on one core, one batched product takes 24 ms
    there alone and many times the memory.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, kept: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight, kept)
        thinned = torch.empty_like(weight)
        return torch.stack(
            [thinned.copy_(mask).mul_(weight) @ row for row, mask in zip(x, kept, strict=True)]
        )

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, kept = ctx.saved_tensors
        to_x, to_weight = torch.empty_like(x), torch.zeros_like(weight)
        thinned, product = torch.empty_like(weight), torch.empty_like(weight)
        for n, mask in enumerate(kept):
            thinned.copy_(mask)
            to_weight.addcmul_(torch.outer(slope[n], x[n], out=product), thinned)
            to_x[n] = slope[n] @ thinned.mul_(weight)
        return to_x, to_weight, None


def masked(x: Tensor, weight: Tensor, kept: Tensor) -> Tensor:
    """Return the products (N, O) of x (N, I) with weight (O, I), where ``kept`` (N, O, I) is true.

    >>> kept = torch.tensor([[[True, False]], [[True, True]]])
    >>> masked(torch.ones(2, 2), torch.tensor([[3.0, 4.0]]), kept).tolist()
    [[3.0], [7.0]]
    """
    found: Tensor = _Masked.apply(x, weight, kept)
    return found


def kept(examples: int, shape: torch.Size, rate: float, device: torch.device) -> Tensor:
    """Draw which entries each example keeps: booleans (examples, *shape), a share 1 - rate true.

    The share is a multiple of 1/256. Torch's own generator decides.
    """
    count, level = examples * shape.numel(), LEVELS - round(rate * LEVELS)
    if device.type == "cpu":
        seed = int(torch.randint(2**63 - 1, ()))
        return torch.from_numpy(_drawn(seed, count, level)).view(examples, *shape)
    words = torch.empty(-(-count // 8), dtype=torch.int64, device=device)
    drawn = words.random_(-(2**63), None).view(torch.uint8)[:count]
    return (drawn < level).view(examples, *shape)


def _drawn(seed: int, count: int, level: int) -> NDArray[np.bool_]:
    """Draw ``count`` booleans, true with probability level / 256, from as few random bits as do.

    A bit is true half of the time; and or or with another halves the share of the true or of the
    false ones. Half takes one bit instead of a byte: 2 ms instead of 30 for 20 million.

    >>> [round(float(_drawn(0, 100_000, level).mean()), 2) for level in (0, 64, 128, 192, 256)]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if level in (0, LEVELS):
        return np.full(count, level == LEVELS)
    draws = np.random.Generator(np.random.SFC64(seed))
    packed = np.zeros(-(-count // 8), np.uint8)
    places = range((level & -level).bit_length() - 1, 8)  # from the lowest bit that is set
    for place in places:
        plane = np.frombuffer(draws.bytes(len(packed)), np.uint8)
        packed = packed | plane if level >> place & 1 else packed & plane
    bits: NDArray[np.bool_] = np.unpackbits(packed, count=count).view(np.bool_)
    return bits


def dropconnect(x: Tensor, weight: Tensor, bias: Tensor, rate: float) -> Tensor:
    """Return x (N, I) times weight (O, I) plus bias (O), with connections dropped: (N, O).

    ``rate``, from 0 to below 1, is the share dropped; the rest is scaled up, so that the mean over
    draws is the plain linear layer.

    >>> _ = torch.manual_seed(0)
    >>> x, weight, bias = torch.ones(4000, 3), torch.tensor([[1.0, 2.0, 3.0]]), torch.ones(1)
    >>> round(dropconnect(x, weight, bias, 0.5).mean().item())
    7
    """
    share = 1 - round(rate * LEVELS) / LEVELS
    exact = torch.promote_types(x.dtype, torch.float32)  # half precision would add up its errors
    with nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False):
        whole = torch.cat([weight, bias[:, None]], 1).to(exact)  # (O, I + 1): biases drop, too
        mask = kept(len(x), whole.shape, rate, x.device)
        return masked(pad(x.to(exact), (0, 1), value=1.0), whole / share, mask).to(x.dtype)


class DropConnect(nn.Linear):
    """Is the layer of ``dropconnect`` in training and a plain linear layer in evaluation."""

    def __init__(self, in_features: int, out_features: int, rate: float = 0.5) -> None:
        super().__init__(in_features, out_features)
        self.rate = rate

    def forward(self, input: Tensor) -> Tensor:
        """Return outputs (N, O) of inputs (N, I)."""
        if self.training and self.rate:
            return dropconnect(input, self.weight, self.bias, self.rate)
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes and the rate."""
        return f"{super().extra_repr()}, rate={self.rate}"
