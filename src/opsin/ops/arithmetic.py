"""Size arithmetic of windows that slide over pictures: convolutions, poolings, and their reverse.

Integers only, no tensors. The rules are torch's. Padding "same" with a stride, which torch does not
have, is TensorFlow's rule; transposed "same" is the reverse of it.

Letters, along one axis: n size before, N size after, F kernel, S stride, P padding at each end,
D dilation; D(F − 1) + 1 is the span, the pixels from the first to the last the kernel touches.
Sizes are (height, width).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, prod
from typing import Any, Literal, NamedTuple

from opsin.errors import SizeError

Pair = tuple[int, int]
Padding = int | Literal["valid", "same"]


class Axis(NamedTuple):
    """Is a window along one axis."""

    kernel: int
    stride: int
    padding: Padding
    dilation: int
    ceil: bool

    @property
    def span(self) -> int:
        """Return D(F − 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    def ends(self, size: int | None = None) -> Pair:
        """Return the padding before and after ``size`` pixels; of "same", the odd one is after.

        "same" depends on the size where the stride is not 1: raises ``SizeError`` without one.
        """
        if self.padding == "valid":
            return 0, 0
        if self.padding != "same":
            return self.padding, self.padding
        if size is None and self.stride > 1:
            raise SizeError(
                f"padding 'same' with stride {self.stride} and no size",
                expected="the size of the picture, on which that padding depends",
            )
        beyond = 0 if size is None else (-(-size // self.stride) - 1) * self.stride - (size - 1)
        missing = max(0, self.span - 1 + beyond)
        return missing // 2, missing - missing // 2

    def positions(self, size: int) -> int:
        """Return N, which is 0 or less where not even one window fits."""
        before, after = self.ends(size)
        room = before + size + after - self.span
        if not self.ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        # A window must start in the picture or in the padding before it.
        return count - 1 if (count - 1) * self.stride >= size + before else count

    def reversed(self, size: int, extra: int) -> int:
        """Return the size that a transposed convolution makes of ``size``."""
        if self.padding == "same":
            return size * self.stride + extra
        before, after = self.ends(size)
        return (size - 1) * self.stride - before - after + self.span + extra


@dataclass(frozen=True, slots=True)
class Window:
    """Is what slides over a picture: each number for both axes, or a pair (height, width).

    ``padding`` is a number of pixels at each end, "valid" for none, or "same" for as many as give
    n / S positions, rounded up. ``ceil`` keeps a last window that hangs over the end, as poolings
    may. Raises ``SizeError`` for what no window can have.

    >>> output_size((7, 9), Window(3, stride=2))
    (3, 4)
    >>> print(Window((3, 5), stride=2, padding="same"))
    3×5, stride 2, padding same
    """

    kernel: int | Pair
    stride: int | Pair = 1
    padding: Padding | Pair = 0
    dilation: int | Pair = 1
    ceil: bool = False

    def __post_init__(self) -> None:
        for name, least in {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1}.items():
            given = getattr(self, name)
            words = ', or "valid", or "same"' if name == "padding" else ""
            if words and given in ("valid", "same"):
                continue
            if not all(type(side) is int and side >= least for side in _both(given)):
                raise SizeError(
                    f"{name} {given!r}", expected=f"a whole number of at least {least}{words}"
                )

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Return the window along the height and along the width."""
        each = map(_both, (self.kernel, self.stride, self.padding, self.dilation))
        high, wide = zip(*each, strict=True)
        return Axis._make([*high, self.ceil]), Axis._make([*wide, self.ceil])

    def __str__(self) -> str:
        words = ["×".join(map(str, _both(self.kernel)))]
        for name, usual in {"stride": 1, "padding": 0, "dilation": 1}.items():
            first, second = _both(getattr(self, name))
            if (first, second) != (usual, usual):
                words.append(f"{name} {first}" if first == second else f"{name} {first}×{second}")
        return ", ".join([*words, *["ceil"] * self.ceil])


def _both(given: Any) -> tuple[Any, Any]:
    """Return a pair as it is, and anything else twice."""
    return given if isinstance(given, tuple) and len(given) == 2 else (given, given)


def padding_of(text: str | int) -> Padding:
    """Return the padding a word or a number in text stands for; raise ``SizeError`` for others.

    >>> padding_of("2"), padding_of("same")
    (2, 'same')
    """
    if text in ("valid", "same"):
        return "valid" if text == "valid" else "same"
    if not re.fullmatch("[0-9]{1,9}", str(text)):
        raise SizeError(f"padding {text!r}", expected="a whole number from 0, valid, or same")
    return int(text)


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────


def output_size(size: Pair, window: Window) -> Pair:
    """Return (height, width) after a convolution or a pooling: N = ⌊(n + 2P − span)/S⌋ + 1.

    Raises ``SizeError`` where the window is larger than the padded picture, or the picture empty.

    >>> output_size((32, 32), Window(5, padding=2)), output_size((7, 7), Window(2, stride=2))
    ((32, 32), (3, 3))
    >>> output_size((7, 7), Window(2, stride=2, ceil=True))
    (4, 4)
    """
    _positive(size)
    high, wide = (axis.positions(n) for axis, n in zip(window.axes, size, strict=True))
    if high < 1 or wide < 1:
        spans = "×".join(str(axis.span) for axis in window.axes)
        padded = "×".join(str(n + sum(a.ends(n))) for a, n in zip(window.axes, size, strict=True))
        raise SizeError(
            f"a picture of {size[0]}×{size[1]} for a window of {window}",
            expected=f"at least {spans}, padding included (here {padded})",
            remedy="Take a larger picture, a smaller kernel, less dilation, or padding same.",
        )
    return high, wide


def transposed_size(size: Pair, window: Window, output_padding: int | Pair = 0) -> Pair:
    """Return (height, width) after a transposed convolution: N = (n − 1)S − 2P + span + extra.

    Padding "same" gives n·S. ``output_padding`` adds at the end, less than stride or dilation.
    Raises ``SizeError`` where nothing would be left. Dumoulin & Visin, A guide to convolution
    arithmetic for deep learning (2016), section 4.

    >>> transposed_size((7, 7), Window(4, stride=2, padding=1))
    (14, 14)
    """
    _positive(size)
    extra = _both(output_padding)
    for axis, more in zip(window.axes, extra, strict=True):
        if type(more) is not int or not 0 <= more < max(axis.stride, axis.dilation):
            raise SizeError(
                f"output_padding {output_padding!r} for a window of {window}",
                expected=f"0 to {max(axis.stride, axis.dilation) - 1}",
            )
    sides = zip(window.axes, size, extra, strict=True)
    high, wide = (axis.reversed(n, more) for axis, n, more in sides)
    if high < 1 or wide < 1:
        raise SizeError(
            f"a picture of {size[0]}×{size[1]} for the transpose of {window}",
            expected=f"something to be left of it (here {high}×{wide})",
            remedy="Take less padding.",
        )
    return high, wide


def _positive(size: Pair) -> None:
    if not all(type(n) is int and n > 0 for n in size):
        raise SizeError(f"a picture of {size[0]}×{size[1]}", expected="at least 1×1 pixels")


@dataclass(frozen=True, slots=True)
class Uneven:
    """Says that windows do not end where the picture does, along one axis.

    ``exact`` is (n + 2P − span)/S + 1. ``padding`` and ``stride`` are the nearest that would come
    out even, each with the N it gives; no padding may do so, for it comes in twos.
    """

    axis: str
    size: int
    window: Axis
    exact: Fraction
    padding: tuple[int, int] | None
    stride: tuple[int, int]

    def __str__(self) -> str:
        at, pad = self.window, sum(self.window.ends(self.size))
        rest = (self.size + pad - at.span) % at.stride
        edge = f"the last {rest} pixel{'s' * (rest > 1)}"
        missed = "the last window hangs over the end" if at.ceil else f"{edge} would not be seen"
        fits = [f"stride {self.stride[0]} gives {self.stride[1]}"]
        if self.padding:
            fits.insert(0, f"padding {self.padding[0]} gives {self.padding[1]}")
        return (
            f"{self.axis} {self.size}: ({self.size} + {pad} − {at.span})/{at.stride} + 1 = "
            f"{float(self.exact):.2f} is not an integer; {missed}; {', '.join(fits)}"
        )


def uneven(size: Pair, window: Window) -> list[Uneven]:
    """Return what does not come out even, at most one for each axis; nothing where all does.

    >>> print(uneven((7, 7), Window(3, stride=3))[0])
    height 7: (7 + 0 − 3)/3 + 1 = 2.33 is not an integer; the last 1 pixel would not be seen; \
padding 1 gives 3, stride 2 gives 3
    """
    output_size(size, window)
    found = []
    for name, axis, n in zip(("height", "width"), window.axes, size, strict=True):
        room = n + sum(axis.ends(n)) - axis.span
        # Below 0 a lone window is larger than all there is (ceil): no stride would make it even.
        if room > 0 and room % axis.stride and axis.padding != "same":
            exact = Fraction(room, axis.stride) + 1
            found.append(Uneven(name, n, axis, exact, _padding(axis, n), _stride(axis, room)))
    return found


def _padding(axis: Axis, size: int) -> tuple[int, int] | None:
    """Return the padding nearest to an axis' own that comes out even; more rather than less.

    One more of it is 2 more of room: with an even stride an odd room never comes out.
    """
    own = axis.ends(size)[0]
    room, stride = size + 2 * own - axis.span, axis.stride
    if stride % 2:  # then a half of 1 is (S + 1)/2, counted round S
        period, more = stride, -room * (stride + 1) // 2 % stride
    elif room % 2:
        return None
    else:
        period, more = stride // 2, -room // 2 % (stride // 2)
    for step in sorted((more, more - period), key=abs):
        if own + step >= 0 and room + 2 * step >= 0:
            return own + step, (room + 2 * step) // stride + 1
    return None


def _stride(axis: Axis, room: int) -> tuple[int, int]:
    """Return the stride nearest to an axis' own that comes out even; less rather than more."""
    small = [n for n in range(1, isqrt(room) + 1) if room % n == 0]
    even = sorted({*small, *(room // n for n in small)})
    nearest = min(even, key=lambda stride: abs(stride - axis.stride))
    return nearest, room // nearest + 1


# ── costs ───────────────────────────────────────────────────────────────────────────────────────


def parameters(
    window: Window, inputs: int, outputs: int, *, groups: int = 1, bias: bool = True
) -> int:
    """Return the parameters of a convolution: (F·F·depth + 1)·K. A dense layer is ``Window(1)``.

    With ``groups`` each of the K filters sees only depth / groups channels.

    >>> parameters(Window(5), 3, 8), parameters(Window(5), 8, 16), parameters(Window(1), 16, 32)
    (608, 3216, 544)
    """
    return (_weights(window, inputs, outputs, groups) + bias) * outputs


def _weights(window: Window, inputs: int, outputs: int, groups: int) -> int:
    """Return the weights of one filter."""
    if min(inputs, outputs, groups) < 1 or inputs % groups or outputs % groups:
        raise SizeError(
            f"{inputs} channels to {outputs} in {groups} groups",
            expected="whole numbers of channels, at least 1 in each group",
        )
    high, wide = window.axes
    return high.kernel * wide.kernel * (inputs // groups)


def multiply_adds(
    size: Pair,
    window: Window,
    inputs: int,
    outputs: int,
    *,
    groups: int = 1,
    transposed: bool = False,
) -> int:
    """Return the multiply-adds of a convolution of one picture of ``size``, biases not counted.

    Each number that comes out is one dot product with a filter, zeros of the padding included;
    in a transposed convolution each number that goes in is multiplied with a filter.

    >>> multiply_adds((32, 32), Window(5, padding=2), 3, 8)
    614400
    """
    positions = size if transposed else output_size(size, window)
    return prod(positions) * outputs * _weights(window, inputs, outputs, groups)


def activation_bytes(
    shapes: Iterable[Sequence[int]], *, batch: int = 1, bytes_each: int = 4
) -> int:
    """Return the memory of activations of these ``shapes``, each of one picture, for a batch.

    >>> activation_bytes([(8, 32, 32), (16, 16, 16), (10,)], batch=64)
    3148288
    """
    return sum(prod(shape) for shape in shapes) * batch * bytes_each


# ── what is seen ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Field:
    """Is the part of the picture that one number sees: the number in the corner, and its like.

    ``size`` is (height, width) in pixels; ``stride`` how far the field moves from one number to
    the next; ``start`` the first pixel (row, column) of the corner's field, negative in padding.
    """

    size: Pair = (1, 1)
    stride: Pair = (1, 1)
    start: Pair = (0, 0)

    def through(self, window: Window, size: Pair | None = None) -> Field:
        """Return the field of what ``window`` makes of numbers of this field.

        ``size`` is that of the layer the window slides over; only padding "same" asks for it.
        """
        sizes = size or (None, None)
        sides = zip(window.axes, sizes, self.size, self.stride, self.start, strict=True)
        high, wide = (
            (seen + (axis.span - 1) * step, step * axis.stride, first - axis.ends(n)[0] * step)
            for axis, n, seen, step, first in sides
        )
        return Field(*zip(high, wide, strict=True))


def receptive_field(windows: Iterable[Window], size: Pair | None = None) -> Field:
    """Return the field of one number after a chain of windows over a picture of ``size``.

    Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill
    (2019), equations 2 and 3: r ← r + (span − 1)·j, j ← j·S, start ← start − P·j.

    >>> receptive_field([Window(7, 2, 3), Window(3, 2, 1), Window(3, 1, 1)])
    Field(size=(19, 19), stride=(4, 4), start=(-9, -9))
    """
    field = Field()
    for window in windows:
        field = field.through(window, size)
        size = output_size(size, window) if size else None
    return field
