"""What a net costs and sees, layer by layer: integer arithmetic on its blueprint, no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

from opsin.errors import SizeError
from opsin.nets._blueprint import Blueprint, Layer
from opsin.nets._rules import RULES, Pair, Seen, Shape, State
from opsin.ops import arithmetic
from opsin.ops.arithmetic import Field, Window

VIEWS = ("flatten", "turn", "reshape")
WEIGHTED = ("conv", "transposed", "dense")
LARGEST = 2048  # pixels: where the search for a size that fits ends
NORMS = ("batch norm", "layer norm", "group norm", "local response norm")


@dataclass(frozen=True, slots=True)
class Row:
    """Is what is said of one layer; ``state`` is what it gives."""

    layer: Layer
    state: State
    parameters: int
    madds: int
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return what the layer is, in words: "conv 3×3, 64, stride 2, padding 1"."""
        return words(self.layer)

    @property
    def shape(self) -> Shape:
        """Return the shape that torch gives, (C, h, w) for a map."""
        return self.state.shape

    @property
    def field(self) -> Seen:
        """Return what one number sees; None for the whole picture, and where no rule says."""
        return self.state.seen

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``output`` is [h, w, channels], or [features] of a vector."""
        return {
            "name": self.layer.name,
            "kind": self.kind,
            "inputs": list(self.layer.inputs),
            "output": self.state.hwc,
            "parameters": self.parameters,
            "madds": self.madds,
            **self.state.sees(),
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class Description:
    """Is a net in numbers, for one picture of ``size`` (h, w) with ``channels``.

    ``field`` is what one number of the last map sees, before everything is pooled or flattened.
    """

    name: str
    size: Pair
    channels: int
    rows: tuple[Row, ...]
    unused: int = 0

    @property
    def parameters(self) -> int:
        """Return how many weights the net has."""
        return sum(row.parameters for row in self.rows) + self.unused

    @property
    def madds(self) -> int:
        """Return the multiply-adds for one picture."""
        return sum(row.madds for row in self.rows)

    @property
    def field(self) -> Seen:
        """Return what one number of the last map sees; None where there is none, or no rule."""
        if not self.rows[-1].state.known:
            return None
        return next((row.field for row in reversed(self.rows) if row.field), None)

    @property
    def depth(self) -> int:
        """Return the layers with filters or dense weights on the longest way, gates left out."""
        longest: list[int] = []
        for row in self.rows:
            maps = [i for i in row.layer.inputs if self.rows[i].field]
            before = max((longest[i] for i in maps or row.layer.inputs), default=0)
            longest.append(before + (row.layer.op in WEIGHTED))
        return longest[-1]

    def activations(self, batch: int = 1) -> int:
        """Return the bytes of what the layers give for a batch, in float32.

        Activation functions and dropout work in place, and other axes are another view: neither
        counts.
        """
        kept = [row.shape for row in self.rows if row.layer.op not in VIEWS and not _in_place(row)]
        return arithmetic.activation_bytes(kept, batch=batch)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``opsin nets NAME --json`` prints it."""
        seen = self.field
        return {
            "name": self.name,
            "input": [*self.size, self.channels],
            "parameters": self.parameters,
            "madds": self.madds,
            "depth": self.depth,
            "receptive_field": list(seen.size) if seen else None,
            "field_stride": list(seen.stride) if seen else None,
            "weight_bytes": 4 * self.parameters,
            "activation_bytes": self.activations(),
            "unused_parameters": self.unused,
            "layers": [row.to_dict() for row in self.rows],
        }


def _in_place(row: Row) -> bool:
    return row.layer.op == "same" and row.layer.word not in NORMS


def describe(
    drawn: Blueprint,
    size: Pair | None = None,
    *,
    channels: int | None = None,
    classes: int | None = None,
) -> Description:
    """Return what every layer gives, costs and sees for a picture of ``size`` (h, w).

    ``channels`` and ``classes`` replace those of the blueprint. Raises ``SizeError`` that names
    the layer, what came in and what would fit.

    >>> from opsin.nets._spec import parse
    >>> net = describe(parse("conv 5x5x8 pad 2, conv 5x5x16 pad 2, conv 1x1x32"), (32, 32))
    >>> [row.parameters for row in net.rows if row.parameters]
    [608, 3216, 544]
    """
    try:
        rows, _ = _measured(drawn, size or drawn.size, channels or drawn.channels, classes)
    except SizeError as error:
        raise SizeError(
            error.received, expected=error.expected, remedy=f"{error.remedy}{_fitting(drawn)}"
        ) from error
    return Description(
        drawn.name, size or drawn.size, channels or drawn.channels, tuple(rows), drawn.unused
    )


def _measured(
    drawn: Blueprint, size: Pair, channels: int, classes: int | None
) -> tuple[list[Row], list[State]]:
    """Return what is said of each layer, and what it gives."""
    states: list[State] = []
    rows: list[Row] = []
    for place, given in enumerate(drawn.layers):
        layer = replace(given, outputs=classes) if classes and place == drawn.head else given
        came = tuple(states[i] for i in layer.inputs)
        if layer.op == "picture":
            state = State((channels, *size), (1, 2), Field())
        else:
            state = _through(drawn, layer, came)
        states.append(state)
        rows.append(row_of(layer, came, state))
    return rows, states


def _through(drawn: Blueprint, layer: Layer, came: tuple[State, ...]) -> State:
    """Return what a layer gives; name the layer where its window does not fit."""
    try:
        return RULES[layer.op](layer, came)
    except SizeError as error:
        shape = "×".join(map(str, came[0].hwc))
        net = drawn.name if len(drawn.name) <= 40 else f"{drawn.name[:39]}…"
        raise SizeError(
            f"{shape} at layer {layer.name} ({words(layer)}) of {net}: {error.received}",
            expected=error.expected,
            remedy=error.remedy,
        ) from error


def _fitting(drawn: Blueprint) -> str:
    """Return the sentence about the smallest square that goes through the net, or ""."""

    def fits(side: int) -> bool:
        try:
            _measured(drawn, (side, side), drawn.channels, None)
        except SizeError:
            return False
        return True

    low, high = 0, LARGEST
    if not fits(high):
        return ""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return f" Pictures of at least {high}×{high} go through all of it."


def row_of(layer: Layer, came: tuple[State, ...], state: State) -> Row:
    """Return what is said of a layer that took ``came`` and gave ``state``."""
    weights, cost = layer.parameters, layer.madds
    remarks: tuple[str, ...] = ()
    if layer.op in ("conv", "transposed") and layer.window:
        more, madds = _convolution(layer, layer.window, came[0])
        weights, cost = weights + more, cost + madds
    elif layer.op == "norm":
        weights += 2 * came[0].depth
    elif layer.op == "dense":
        inputs = came[0].shape[-1]
        weights += (inputs + layer.bias) * layer.outputs
        cost += prod(state.shape) * inputs
    if layer.op in ("conv", "max", "average") and layer.window:
        remarks = _remarks(came[0].size, layer.window)
    return Row(layer, state, weights, cost, remarks)


@lru_cache(maxsize=4096)
def _remarks(size: Pair, window: Window) -> tuple[str, ...]:
    """Return what does not come out even; once where both axes are alike."""
    told = [str(found) for found in arithmetic.uneven(size, window)]
    if len(told) == 2 and told[0].replace("height", "width", 1) == told[1]:
        return (told[0].replace("height", "height and width", 1),)
    return tuple(told)


def _convolution(layer: Layer, window: Window, came: State) -> tuple[int, int]:
    """Return parameters and multiply-adds."""
    depth, groups = came.depth, layer.groups or came.depth
    outputs, transposed = layer.outputs or depth, layer.op == "transposed"
    return _cost(came.size, window, (depth, outputs, groups), layer.bias, transposed)


@lru_cache(maxsize=4096)
def _cost(
    size: Pair, window: Window, channels: tuple[int, int, int], bias: bool, transposed: bool
) -> tuple[int, int]:
    """Return parameters and multiply-adds for ``channels`` (before, after, groups)."""
    before, after, groups = channels
    return (
        arithmetic.parameters(window, before, after, groups=groups, bias=bias),
        arithmetic.multiply_adds(size, window, before, after, groups=groups, transposed=transposed),
    )


def words(layer: Layer) -> str:
    """Return what a layer is, in words.

    >>> words(Layer("c", "conv", (0,), Window(3, 2, 1), outputs=64))
    'conv 3×3, 64, stride 2, padding 1'
    """
    if layer.op in ("conv", "transposed", "max", "average") and layer.window:
        kernel, _, rest = str(layer.window).partition(", ")
        name = {"conv": layer.word or "conv", "max": "max pool", "average": "average pool"}
        parts = [f"{name.get(layer.op, 'transposed conv')} {kernel}"]
        parts += [f"{layer.outputs}"] if layer.outputs else []
        parts += [rest] if rest else []
        if layer.groups > 1 and layer.word != "depthwise conv":
            parts.append(f"{layer.groups} groups")
        return ", ".join(parts)
    if layer.op == "dense":
        return f"dense {layer.outputs}"
    if layer.op == "adaptive":
        size = "×".join("·" if side is None else str(side) for side in layer.shape)
        return f"{layer.word} to {size}" if size != "1×1" else f"global {layer.word}"
    if layer.op == "pad":
        return f"pad {', '.join(str(side) for side in layer.shape)}"
    if layer.op == "mean":
        return "global average pool"
    return layer.word or layer.op
