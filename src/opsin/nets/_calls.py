"""What a call of torch is, as a layer of a blueprint.

``understood`` never guesses: where a rule does not give the very shape that torch gave, the layer
is ``fixed``, and no more is claimed than that shape.

Shapes leave the picture's number N out: a map is (C, h, w), a vector (F,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from opsin.errors import SizeError
from opsin.nets._blueprint import Layer
from opsin.nets._rules import RULES, State
from opsin.ops.arithmetic import Window

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Is a call: the function's name, what it was given, and the shape that came out."""

    name: str
    given: Mapping[str, Any]
    inputs: tuple[State, ...]
    shape: Shape
    same: bool  # padding that gives n / S positions, as TensorFlow's layers have

    def __getitem__(self, name: str) -> Any:
        return self.given.get(name)


# The names of what a call is given, in torch's order.
CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
TRANSPOSED = (
    "input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation",
)  # fmt: skip
MAX = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
AVERAGE = ("input", "kernel_size", "stride", "padding", "ceil_mode")
ACTIVATIONS = {
    "relu": "ReLU", "relu6": "ReLU6", "hardtanh": "ReLU6", "silu": "SiLU", "gelu": "GELU",
    "sigmoid": "sigmoid", "hardsigmoid": "hard sigmoid", "hardswish": "hard swish",
    "leaky_relu": "leaky ReLU", "tanh": "tanh", "elu": "ELU", "softmax": "softmax",
    "dropout": "dropout", "batch_norm": "batch norm", "layer_norm": "layer norm",
    "group_norm": "group norm", "local_response_norm": "local response norm",
}  # fmt: skip
MERGES = {
    "add": "add", "iadd": "add", "radd": "add", "mul": "multiply", "imul": "multiply",
    "rmul": "multiply", "sub": "subtract", "maximum": "maximum",
}  # fmt: skip
VIEWS = {
    "view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "getitem", "chunk",
    "split", "unbind", "expand", "expand_as", "narrow", "to", "float", "clone", "unflatten",
    "transpose", "permute", "type_as", "identity", "div", "truediv", "neg", "pow", "sqrt", "rsub",
    "flip", "channel_shuffle", "native_channel_shuffle", "interpolate", "lerp", "clamp", "abs",
}  # fmt: skip


def named(function: Any) -> str:
    """Return the plain name of a function: "add" for ``__add__``, ``add_`` and ``torch.add``."""
    return str(getattr(function, "__name__", function)).strip("_").removeprefix("boolean_")


def known(name: str) -> bool:
    """Say whether our rules count all that a function multiplies, where one of them fits."""
    return name in READERS or name in ACTIVATIONS or name in MERGES or name in VIEWS


def understood(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    inputs: tuple[State, ...],
    shape: Shape,
    module: nn.Module | None,
) -> Layer:
    """Return the layer that a call of the function ``name`` is; its name and inputs are left out.

    ``inputs`` is what came in of the picture, ``shape`` what came out of it.
    """
    order, read = READERS.get(name, ((), None))
    same = type(module).__name__.endswith("Same")
    call = Call(name, dict(zip(order, args, strict=False)) | dict(kwargs), inputs, shape, same)
    drawn = read(call) if read else None
    for layer in (drawn, *_general(call, args)):
        if layer is not None and fits(layer, inputs, shape):
            return layer
    return Layer("", "fixed", shape=shape, word=spoken(name))


def fits(layer: Layer, inputs: tuple[State, ...], shape: Shape) -> bool:
    """Say whether our rule gives the shape that torch gave."""
    try:
        return RULES[layer.op](layer, inputs).shape == shape
    except (SizeError, IndexError, ValueError):
        return False


def _general(call: Call, args: Sequence[Any]) -> list[Layer | None]:
    """Return what a call may be by the shapes alone, the likeliest first."""
    word, first = spoken(call.name), call.inputs[0]
    found: list[Layer | None] = []
    if call.name in MERGES and len(call.inputs) == 1:
        found.append(Layer("", "same", word=word))  # with a number, or with a weight
    elif len(call.inputs) > 1 and call.name not in ("expand_as", "type_as"):
        found.append(Layer("", "merge", word=word))
    if call.name in ("permute", "transpose"):
        found.append(_turned(call, args))
    elif len(call.inputs) == 1:
        found.append(Layer("", "same", word=word))
    if first.space == (len(first.shape) - 2, len(first.shape) - 1) and len(call.shape) > 1:
        sides: tuple[int | None, ...] = (*call.shape[:-2], None, None)
        found.append(Layer("", "reshape", shape=sides, word=word))
    return found


def spoken(name: str) -> str:
    """Return what people call a function: "ReLU" for relu."""
    return ACTIVATIONS.get(name) or MERGES.get(name) or name.replace("_", " ")


def _turned(call: Call, args: Sequence[Any]) -> Layer | None:
    """Return axes in another order; the picture's number must stay the first."""
    axes = len(call.inputs[0].shape) + 1
    given = args[1] if len(args) == 2 and not isinstance(args[1], int) else args[1:]
    order = [axis % axes for axis in given]
    if call.name == "transpose":
        swapped, order = order, list(range(axes))
        order[swapped[0]], order[swapped[1]] = swapped[1], swapped[0]
    if len(order) != axes or order[0] != 0:
        return None
    return Layer("", "turn", shape=tuple(axis - 1 for axis in order[1:]), word="turn")


# ── one reader a function ───────────────────────────────────────────────────────────────────────


def _window(call: Call, kernel: Any) -> Window | None:
    """Return the window of a call; None for what is no window of ours."""
    stride = call["stride"] if call["stride"] not in (None, []) else kernel
    padding = "same" if call.same else call["padding"] or 0
    if isinstance(padding, str):
        sides: Any = padding
    else:
        sides = _pair(padding)
    try:
        return Window(
            _pair(kernel),
            _pair(stride),
            sides,
            _pair(call["dilation"] or 1),
            bool(call["ceil_mode"]),
        )
    except SizeError:
        return None


def _pair(value: Any) -> Any:
    """Return one number where both are alike, else (height, width)."""
    sides = tuple(value) if isinstance(value, Sequence) else (value, value)
    high, wide = sides if len(sides) == 2 else sides * 2
    return int(high) if high == wide else (int(high), int(wide))


def _conv(call: Call) -> Layer | None:
    weight = call["weight"]
    call = replace(call, given={**call.given, "stride": call["stride"] or 1})
    window = _window(call, tuple(weight.shape[2:]))
    groups = call["groups"] or 1
    deep = groups > 1 and groups == call.inputs[0].depth
    return Layer(
        "",
        "conv",
        window=window,
        outputs=weight.shape[0],
        groups=groups,
        bias=call["bias"] is not None,
        word="depthwise conv" if deep else "",
    )


def _transposed(call: Call) -> Layer | None:
    weight, groups = call["weight"], call["groups"] or 1
    call = replace(call, given={**call.given, "stride": call["stride"] or 1})
    extra = _pair(call["output_padding"] or 0)
    return Layer(
        "",
        "transposed",
        window=_window(call, tuple(weight.shape[2:])),
        outputs=weight.shape[1] * groups,
        groups=groups,
        bias=call["bias"] is not None,
        extra=extra if isinstance(extra, tuple) else (extra, extra),
    )


def _max(call: Call) -> Layer | None:
    window = _window(call, call["kernel_size"])
    return Layer("", "max", window=window) if window else None


def _average(call: Call) -> Layer | None:
    window = _window(call, call["kernel_size"])
    return Layer("", "average", window=window) if window else None


def _adaptive(call: Call) -> Layer | None:
    word = "average pool" if "avg" in call.name else "max pool"
    size = call["output_size"]
    sides = tuple(size) if isinstance(size, Sequence) else (size, size)
    return Layer("", "adaptive", shape=sides, word=word)


def _linear(call: Call) -> Layer | None:
    outputs, bias = call["weight"].shape[0], call["bias"] is not None
    return Layer("", "dense", outputs=outputs, bias=bias)


def _pad(call: Call) -> Layer | None:
    sides = [*call["pad"], 0, 0, 0, 0][:4]
    left, right, above, below = sides
    return Layer("", "pad", shape=(above, below, left, right), word="pad")


def _mean(call: Call) -> Layer | None:
    dims = call["dim"] if isinstance(call["dim"], Sequence) else [call["dim"]]
    axes = len(call.inputs[0].shape) + 1
    space = call.inputs[0].space
    if space is None or None in dims or {d % axes - 1 for d in dims} != set(space):
        return None
    return Layer("", "mean", shape=(1, 1) if call["keepdim"] else (), word="average pool")


def _flatten(_: Call) -> Layer | None:
    return Layer("", "flatten", word="flatten")


def _cat(call: Call) -> Layer | None:
    axis = call["dim"] or 0
    return Layer(
        "", "join", shape=(axis - 1 if axis > 0 else axis + len(call.shape),), word="concatenate"
    )


READERS: dict[str, tuple[tuple[str, ...], Callable[[Call], Layer | None]]] = {
    "conv2d": (CONV, _conv),
    "conv_transpose2d": (TRANSPOSED, _transposed),
    "max_pool2d": (MAX, _max),
    "avg_pool2d": (AVERAGE, _average),
    "adaptive_avg_pool2d": (("input", "output_size"), _adaptive),
    "adaptive_max_pool2d": (("input", "output_size"), _adaptive),
    "linear": (("input", "weight", "bias"), _linear),
    "pad": (("input", "pad"), _pad),
    "mean": (("input", "dim", "keepdim"), _mean),
    "flatten": (("input", "start_dim"), _flatten),
    "view": (("input",), _flatten),
    "reshape": (("input",), _flatten),
    "squeeze": (("input",), _flatten),
    "cat": (("tensors", "dim"), _cat),
    "concat": (("tensors", "dim"), _cat),
}
