"""Whole numbers of 8 bits: convolutions that multiply them, by ranges that were seen on pictures.

What a convolution reads is rounded to 256 steps between two numbers, its weights to 255 steps each
filter, and OpenVINO then multiplies whole numbers (Jacob et al., Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018, section 2; weights by filter
as in Krishnamoorthi, Quantizing deep convolutional networks for efficient inference, 2018, 3.1).
Nothing is learnt again.

Shapes: N pictures (N, C, h, w); a graph has R convolutions, in the order they are computed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = NDArray[np.uint8]
    Floats = NDArray[np.float32]

Ranges = Sequence[Sequence[float]]  # (R, 2): least and most of what each convolution reads

KINDS = ("Convolution", "GroupConvolution")
SHARE = 99.99  # per cent of the numbers in a picture that its range holds; the rest is cut
TINY = 1e-6
READ, WEIGHED = 256, 255  # steps of what is read, and of weights, which lie evenly round zero


def convolutions(model: Any) -> list[Any]:
    """Return the convolutions of an OpenVINO graph, in order."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in KINDS]


def ranges(model: Any, device: str, pictures: Iterable[Pictures]) -> list[tuple[float, float]]:
    """Return what each convolution reads of pictures (n, C, h, w), from least to most (R, 2).

    ``model`` is a graph for pictures of that shape; it is used up.
    """
    import openvino

    read = [node.input_value(0) for node in convolutions(model)]
    sources = {_named(source): source for source in read}
    model.add_outputs(list(sources.values()))
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(model, device.upper(), settings)
    first = len(compiled.outputs) - len(sources)
    found: dict[Any, list[tuple[float, float]]] = {name: [] for name in sources}
    for some in pictures:
        said = compiled(some)
        for place, name in enumerate(sources, first):
            found[name].append(_span(said[place]))
    return [
        (min(low for low, _ in found[name]), max(high for _, high in found[name]))
        for name in map(_named, read)
    ]


def put_in(model: Any, ranges: Ranges) -> None:
    """Let each convolution of a graph read and multiply whole numbers, by its range (R, 2).

    Raises ``ModelError`` for ranges of another graph.
    """
    nodes = convolutions(model)
    sound = all(len(r) == 2 and np.isfinite(r).all() and r[0] <= r[1] for r in ranges)
    if len(nodes) != len(ranges) or not sound:
        raise ModelError(
            f"{len(ranges)} ranges for a net of {len(nodes)} convolutions",
            expected="one least and one most for each",
            remedy="Make the model anew with `opsin quantize`.",
        )
    rounded: dict[Any, Any] = {}  # a map that several convolutions read is rounded once
    for node, (low, high) in zip(nodes, ranges, strict=True):
        source = node.input_value(0)
        name = _named(source)
        if name not in rounded:
            rounded[name] = _rounded(source, *_steps(low, high), READ)
        node.input(0).replace_source_output(rounded[name].output(0))
        most = _most(node.input_value(1), node.get_type_name())
        weights = _rounded(node.input_value(1), -most, most, WEIGHED)
        node.input(1).replace_source_output(weights.output(0))
    model.validate_nodes_and_infer_types()


def _named(source: Any) -> tuple[str, int]:
    """Return what tells one output of a graph's nodes from all others."""
    return source.get_node().get_friendly_name(), source.get_index()


def _span(numbers: Floats) -> tuple[float, float]:
    """Return between what numbers lie, but for the few that are farthest out."""
    low, high = np.percentile(numbers, [100 - SHARE, SHARE])
    return float(low), float(high)


def _steps(low: float, high: float) -> tuple[Floats, Floats]:
    """Return the first and last of 256 steps that hold a range, with zero on one of them.

    >>> [float(step) for step in _steps(0.0, 6.0)], [float(step) for step in _steps(-64, 50)]
    ([0.0, 6.0], [-64.0, 63.5])
    """
    first, last = 0.0, max(high, TINY)
    if low < 0:
        step = max(-low / 128, high / 127, TINY)
        first, last = -128 * step, 127 * step
    return np.array(first, np.float32), np.array(last, np.float32)


def _most(weights: Any, kind: str) -> Floats:
    """Return the largest of the weights of each filter, with axes to spread it over them."""
    node, shape = weights.get_node(), tuple(weights.get_shape())
    while node.get_type_name() != "Constant":  # groups are a reshape of what torch had
        node = node.input_value(0).get_node()
    values = np.abs(node.data.reshape(shape))
    axes = tuple(range(1 if kind == "Convolution" else 2, len(shape)))
    most: Floats = np.maximum(values.max(axis=axes, keepdims=True), TINY).astype(np.float32)
    return most


def _rounded(source: Any, low: Floats, high: Floats, levels: int) -> Any:
    """Return a node that rounds what it reads to so many levels between two numbers."""
    from openvino import opset13

    bounds = [opset13.constant(np.asarray(bound, np.float32)) for bound in (low, high)]
    return opset13.fake_quantize(source, *bounds, *bounds, levels)
