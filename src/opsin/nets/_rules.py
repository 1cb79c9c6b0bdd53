"""What each kind of layer gives: its size, and what one number of it sees of the picture.

A receptive field goes through every branch: where branches meet, the smallest field that holds
theirs all; a gate, one number for a whole map as in squeeze-and-excitation, says how much and not
what, and is left out. After global pooling, or a window that holds all there is, a number sees the
whole picture.

Shapes leave the picture's number N out: a map is (C, h, w), or (h, w, C) after a turn; a vector is
(F,). ``space`` says which axes are h and w.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

from opsin.errors import SizeError
from opsin.nets._blueprint import Layer
from opsin.ops import arithmetic
from opsin.ops.arithmetic import Field, Window

Shape = tuple[int, ...]
Pair = tuple[int, int]
Seen = Field | None  # None: the whole picture
output_size = lru_cache(maxsize=4096)(arithmetic.output_size)  # the layers of a net are often alike


@dataclass(frozen=True, slots=True)
class State:
    """Is what a layer gives: its shape, which axes are h and w, and what one number sees."""

    shape: Shape
    space: Pair | None
    seen: Seen
    known: bool = True  # False where no rule says what is seen

    @property
    def size(self) -> Pair:
        """Return (h, w), (1, 1) for a vector."""
        return (self.shape[self.space[0]], self.shape[self.space[1]]) if self.space else (1, 1)

    @property
    def depth(self) -> int:
        """Return the channels of a map, or the length of a vector."""
        return prod(self.shape) // prod(self.size)

    @property
    def hwc(self) -> list[int]:
        """Return [h, w, channels] of a map, as pictures are written; other shapes as they are."""
        return [*self.size, self.depth] if self.space else list(self.shape)

    def sees(self) -> dict[str, Any]:
        """Return plain data: ``receptive_field`` is [h, w], "whole", or None where no rule says."""
        seen = self.seen
        return {
            "receptive_field": list(seen.size) if seen else "whole" if self.known else None,
            "field_stride": list(seen.stride) if seen else None,
        }


def _window(layer: Layer, came: tuple[State, ...]) -> State:
    before, window = came[0], _of(layer)
    size = output_size(before.size, window)
    outputs = layer.outputs or before.depth
    whole = size == (1, 1) and _covers(window, before.size)
    seen = None if whole or not before.seen else before.seen.through(window, before.size)
    return State((outputs, *size), (1, 2), seen, before.known)


def _covers(window: Window, size: Pair) -> bool:
    """Say whether a window holds all there is: then a convolution is a dense layer."""
    return size != (1, 1) and all(axis.span >= n for axis, n in zip(window.axes, size, strict=True))


def _of(layer: Layer) -> Window:
    assert layer.window is not None
    return layer.window


def _transposed(layer: Layer, came: tuple[State, ...]) -> State:
    size = arithmetic.transposed_size(came[0].size, _of(layer), layer.extra)
    return State((layer.outputs, *size), (1, 2), None, False)


def _adaptive(layer: Layer, came: tuple[State, ...]) -> State:
    before = came[0]
    high, wide = (n if to is None else to for n, to in zip(before.size, layer.shape, strict=True))
    if (high, wide) == (1, 1):
        return State((before.depth, 1, 1), (1, 2), None, before.known)
    seen = before.seen
    if seen and (high, wide) != before.size:
        sides = tuple(zip(before.size, (high, wide), strict=True))
        kernel = _pair(_longest(n, to) for n, to in sides)
        seen = seen.through(Window(kernel, _pair(max(1, n // to) for n, to in sides)))
    return State((before.depth, high, wide), (1, 2), seen, before.known)


def _longest(size: int, to: int) -> int:
    """Return the longest window of adaptive pooling: from ⌊i·n/N⌋ to ⌈(i + 1)·n/N⌉."""
    return max(-(-(i + 1) * size // to) - i * size // to for i in range(to))


def _pair(values: Any) -> Pair:
    high, wide = values
    return high, wide


def _dense(layer: Layer, came: tuple[State, ...]) -> State:
    before = came[0]
    shape = (*before.shape[:-1], layer.outputs)
    pointwise = before.space is not None and before.space[1] < len(shape) - 1
    return State(
        shape, before.space if pointwise else None, before.seen if pointwise else None, before.known
    )


def _pad(layer: Layer, came: tuple[State, ...]) -> State:
    before = came[0]
    above, below, left, right = (side or 0 for side in layer.shape)
    (high, wide), seen = before.size, before.seen
    if seen:
        up, across = seen.stride
        start = (seen.start[0] - above * up, seen.start[1] - left * across)
        seen = replace(seen, start=start)
    size = (high + above + below, wide + left + right)
    if min(size) < 1:
        raise SizeError(
            f"{high}×{wide} and {layer.shape} pixels more", expected="something to be left"
        )
    return State((before.depth, *size), (1, 2), seen, before.known)


def _mean(layer: Layer, came: tuple[State, ...]) -> State:
    depth = came[0].depth
    kept = bool(layer.shape)
    return State((depth, 1, 1) if kept else (depth,), (1, 2) if kept else None, None, came[0].known)


def _flatten(_: Layer, came: tuple[State, ...]) -> State:
    before = came[0]
    one = before.size == (1, 1) and before.space is not None
    return State((prod(before.shape),), None, before.seen if one else None, before.known)


def _same(_: Layer, came: tuple[State, ...]) -> State:
    return came[0]


def _merge(layer: Layer, came: tuple[State, ...]) -> State:
    shape = _broadcast([each.shape for each in came])
    axes = [each.space for each in came if len(each.shape) == len(shape)]
    space = next((each for each in axes if each), None)
    whole = [each for each in came if not _spread(each.shape, shape, space)]
    if layer.word == "multiply" and any(each.seen for each in whole):
        whole = [each for each in whole if each.seen or not each.known]
    return State(shape, space, _union(whole), all(each.known for each in whole))


def _spread(given: Shape, shape: Shape, space: Pair | None) -> bool:
    """Say whether a tensor has one number where the ``shape`` it meets has a map."""
    if space is None:
        return False
    padded = (1,) * (len(shape) - len(given)) + given
    return all(padded[axis] == 1 for axis in space) and any(shape[axis] != 1 for axis in space)


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    """Return the shape torch gives tensors of these shapes when they meet number by number."""
    longest = max(len(shape) for shape in shapes)
    padded = [(1,) * (longest - len(shape)) + shape for shape in shapes]
    sides = []
    for each in zip(*padded, strict=True):
        long = {side for side in each if side != 1}
        if len(long) > 1:
            told = " and ".join("×".join(map(str, shape)) for shape in shapes)
            raise SizeError(f"{told} to merge", expected="the same shape, number by number")
        sides.append(long.pop() if long else 1)
    return tuple(sides)


def _union(states: Sequence[State]) -> Seen:
    """Return the smallest field that holds those of all states; the whole picture holds all."""
    fields = [each.seen for each in states if each.seen]
    if len(fields) < len(states) or not fields:
        return None
    sides = []
    for axis in (0, 1):
        first = min(field.start[axis] for field in fields)
        last = max(field.start[axis] + field.size[axis] for field in fields)
        sides.append((last - first, max(field.stride[axis] for field in fields), first))
    size, stride, start = zip(*sides, strict=True)
    return Field(_pair(size), _pair(stride), _pair(start))


def _join(layer: Layer, came: tuple[State, ...]) -> State:
    axis = layer.shape[0] or 0
    first = came[0]
    shape = list(first.shape)
    shape[axis] = sum(each.shape[axis] for each in came)
    rest = [each.shape[:axis] + each.shape[axis + 1 :] for each in came]
    if any(other != rest[0] for other in rest):
        told = " and ".join("×".join(map(str, each.shape)) for each in came)
        raise SizeError(f"{told} to join", expected="maps of the same height and width")
    return State(tuple(shape), first.space, _union(came), all(each.known for each in came))


def _turn(layer: Layer, came: tuple[State, ...]) -> State:
    before = came[0]
    order = [axis or 0 for axis in layer.shape]
    space = _pair(order.index(axis) for axis in before.space) if before.space else None
    return State(tuple(before.shape[axis] for axis in order), space, before.seen, before.known)


def _reshape(layer: Layer, came: tuple[State, ...]) -> State:
    """The last two axes are h and w before and after."""
    before = came[0]
    sides = iter(before.size)
    shape = tuple(next(sides) if side is None else side for side in layer.shape)
    return State(shape, (len(shape) - 2, len(shape) - 1), before.seen, before.known)


def _fixed(layer: Layer, came: tuple[State, ...]) -> State:
    shape = tuple(side or 0 for side in layer.shape)
    whole = all(each.known for each in came) and any(each.seen is None for each in came)
    return State(shape, None, None, whole)


RULES: dict[str, Callable[[Layer, tuple[State, ...]], State]] = {
    "conv": _window,
    "max": _window,
    "average": _window,
    "transposed": _transposed,
    "adaptive": _adaptive,
    "dense": _dense,
    "pad": _pad,
    "mean": _mean,
    "flatten": _flatten,
    "same": _same,
    "norm": _same,
    "merge": _merge,
    "join": _join,
    "turn": _turn,
    "reshape": _reshape,
    "fixed": _fixed,
}
