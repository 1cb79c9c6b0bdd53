"""A net slid over a whole picture at once, tile by tile, at each size that objects may have.

The picture is brought to the size at which objects fill the net's own window as they did in the
crops it learnt from; dense layers become convolutions (``ops.dense``), so that what neighbouring
windows share is computed once. Only a tile is ever scaled and held.

Shapes: an image (B, H, W) of the bands the net sees, three for grey; a tile (C, t, t) of the scaled
picture gives scores (K, r, r) of r × r windows of the net's input (h, w), ``stride`` pixels apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn

from opsin import runtimes
from opsin.data.arrays import from_array, to_array
from opsin.data.preprocess import Preprocessing
from opsin.data.scaling import FILTERS
from opsin.errors import ModelError, SizeError, WeightsError
from opsin.locate.frames import Floats, widening
from opsin.nets import _graph
from opsin.ops import dense
from opsin.ops.arithmetic import Window, receptive_field

if TYPE_CHECKING:
    from PIL import Image

    from opsin.model import Model
    from opsin.runtimes import Runtime

    Pixels = NDArray[np.uint8]

AHEAD = (160, 640)  # pixels that a tile has beyond one window: for small pictures, and for others
TOGETHER = 8  # tiles on their way to the net
TRIED = 8  # windows whose scores are compared one by one
_HEAD = (
    nn.Linear, nn.Flatten, nn.Dropout, nn.Identity, nn.BatchNorm1d, nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d, nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU,
)  # fmt: skip
_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


class Slid(NamedTuple):
    """Holds a net that takes larger pictures, its stride, and why scores may differ, a line each.

    ``apart`` is the largest difference between its outputs and those of windows, on noise.
    """

    net: nn.Module
    stride: tuple[int, int]
    why: tuple[str, ...]
    apart: float


def slid(net: nn.Module, size: tuple[int, int], channels: int) -> Slid:
    """Return a net for pictures of ``size`` as one that slides over larger ones.

    Raises ``ModelError`` where its layers have no counterpart that slides.
    """
    try:
        traced = _graph.trace(net.eval())
        border, head = _parted(traced)
        nodes = list(traced.graph.nodes)
        lower = _graph.part(
            traced, nodes[: nodes.index(border) + 1], returns=[border], single=True
        ).eval()
        noise = torch.from_numpy(
            np.random.default_rng(0).normal(size=(1, channels, *size)).astype(np.float32)
        )
        with torch.no_grad():
            shape = tuple(lower(noise).shape[1:])
        if len(shape) != 3:
            raise SizeError(f"{len(shape)} axes before the head", expected="maps C×h×w")
        made = nn.Sequential(lower, dense.convolved(head, (shape[0], shape[1], shape[2])))
    except (WeightsError, SizeError) as error:
        raise ModelError(
            f"{type(net).__name__}, which cannot slide ({error})",
            expected="convolutions and poolings, then a head of dense layers",
            remedy="Take --proposals sliding, which cuts every window out.",
        ) from error
    layers = _layers(traced, border)
    stride = receptive_field(layers, size).stride
    why = dense.unlike(layers, size)
    if _global(traced, nodes[: nodes.index(border)]):
        why.append("layers before the head average over all they are given, not over a window")
    return Slid(made, stride, tuple(why), _apart(net, made, size, stride, channels))


def _parted(traced: fx.GraphModule) -> tuple[fx.Node, list[nn.Module]]:
    """Return the node that the head takes, and the layers of the head in order."""
    *rest, output = traced.graph.nodes
    node: Any = output.args[0]
    head: list[nn.Module] = []
    while isinstance(node, fx.Node) and node.op != "placeholder":
        if node.op == "call_module" and isinstance(
            layer := traced.get_submodule(str(node.target)), _HEAD
        ):
            head.insert(0, layer)
        elif node.op == "call_function" and node.target is torch.flatten:
            head.insert(0, nn.Flatten())
        else:
            break
        node = node.args[0]
    if not head or not rest:
        raise SizeError("a net without a head of dense layers", expected="one")
    return node, head


def _layers(traced: fx.GraphModule, border: fx.Node) -> list[Window]:
    """Return the windows on the way to a node; where they part, on the one of most layers."""
    found: dict[fx.Node, list[Window]] = {}
    for node in traced.graph.nodes:
        before = [found[other] for other in node.all_input_nodes]
        longest = max(before, key=_reach, default=[])
        layer = traced.get_submodule(str(node.target)) if node.op == "call_module" else None
        own = [_window(layer)] if isinstance(layer, _WINDOWS) else []
        found[node] = [*longest, *own]
    return found[border]


def _reach(layers: list[Window]) -> tuple[int, int]:
    """Return what orders ways: their number of windows, then the sum of their spans."""
    return len(layers), sum(axis.span for layer in layers for axis in layer.axes)


def _window(layer: Any) -> Window:
    """Return the window of a convolution or pooling."""
    same = type(layer).__name__.endswith("Same") or layer.padding == "same"
    return Window(
        layer.kernel_size,
        layer.stride,
        "same" if same else layer.padding,
        getattr(layer, "dilation", 1),
        getattr(layer, "ceil_mode", False),
    )


def _global(traced: fx.GraphModule, nodes: Iterable[fx.Node]) -> bool:
    """Return whether some node takes a mean over a whole map, as squeezing does."""
    for node in nodes:
        if node.op == "call_module":
            kind = type(traced.get_submodule(str(node.target))).__name__
            if kind.startswith("Adaptive"):
                return True
        elif "mean" in str(node.target):
            return True
    return False


def _apart(
    net: nn.Module, made: nn.Module, size: tuple[int, int], stride: tuple[int, int], channels: int
) -> float:
    """Return how far scores are from those of windows, at most, on a strip of noise."""
    wide = size[1] + stride[1] * (TRIED - 1)
    strip = np.random.default_rng(1).normal(size=(1, channels, size[0], wide))
    noise = torch.from_numpy(strip.astype(np.float32))
    lefts = [stride[1] * place for place in range(TRIED)]
    with torch.no_grad():
        cut = torch.cat([noise[..., left : left + size[1]] for left in lefts])
        at_once = made(noise)[0, :, 0, :TRIED].T  # (n, K)
        return float((at_once - net(cut)).abs().max())


# ── over pictures ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Tiles:
    """Is one picture at one scale: ``factor`` scaled pixels a pixel, tiles of ``side``."""

    image: Pixels
    factor: float
    side: tuple[int, int]
    step: tuple[int, int]
    pre: Preprocessing

    @property
    def size(self) -> tuple[int, int]:
        """Return (height, width) of the scaled picture."""
        high, wide = self.image.shape[1:]
        return math.floor(high * self.factor + 1e-6), math.floor(wide * self.factor + 1e-6)

    def corners(self, window: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Yield (top, left) of the tiles that have at least one window in the picture."""
        high, wide = self.size
        for top in range(0, high - window[0] + 1, self.step[0]):
            for left in range(0, wide - window[1] + 1, self.step[1]):
                yield top, left

    def cut(self, top: int, left: int) -> Pixels:
        """Return a tile (C, t, t) of the scaled picture, black beyond its edges."""
        high, wide = (
            min(side, whole - start)
            for side, whole, start in zip(self.side, self.size, (top, left), strict=True)
        )
        tile = np.zeros((self.pre.channels, *self.side), np.uint8)
        if self.factor == 1 and self.pre.channels > 1:
            tile[:, :high, :wide] = self.image[:, top : top + high, left : left + wide]
        else:
            tile[:, :high, :wide] = to_array(self._scaled(top, left, high, wide))
        return tile

    def _scaled(self, top: int, left: int, high: int, wide: int) -> Image.Image:
        """Return a part of the scaled picture, grey where the net sees grey."""
        reach = 4 * math.ceil(max(1.0, 1 / self.factor))  # what the filter sees beyond the tile
        y, x = (max(0, int(start / self.factor) - reach) for start in (top, left))
        below, right = (
            math.ceil((start + length) / self.factor) + reach
            for start, length in ((top, high), (left, wide))
        )
        picture = from_array(self.image[:, y:below, x:right])
        if self.pre.channels == 1:
            picture = picture.convert("L")
        box = (
            left / self.factor - x,
            top / self.factor - y,
            min((left + wide) / self.factor - x, picture.width),
            min((top + high) / self.factor - y, picture.height),
        )
        return picture.resize((wide, high), FILTERS[self.pre.interpolation], box=box)


class SlidingNet:
    """Judges all windows of a picture with a model's net."""

    def __init__(self, model: Model, context: float) -> None:
        pre = model.preprocessing
        self.model, self.context = model, context
        self.pre = replace(pre, crop=1.0)
        self.slid = slid(model.net, pre.size, pre.channels)
        self.ready: dict[int, Runtime] = {}

    def notes(self) -> list[str]:
        """Return what there is to know of scores that are not those of windows, or nothing."""
        if not self.slid.why:
            return []
        reasons = f"{self.slid.why[0]}" + (
            f", and {len(self.slid.why) - 1} more" if len(self.slid.why) > 1 else ""
        )
        return [
            "Dense scores are not those of windows cut out, whose outputs differ by up to "
            f"{self.slid.apart:.3g} on noise: {reasons}."
        ]

    def judged(
        self, image: Pixels, scales: tuple[float, ...]
    ) -> Iterator[tuple[Floats, NDArray[np.float32]]]:
        """Yield boxes (n, 4) of windows' objects and outputs (n, K), for objects of each scale."""
        for scale in scales:
            factor = self.model.preprocessing.working[0] / (scale * widening(self.context))
            yield from self._scaled(image, factor, scale)

    def _scaled(
        self, image: Pixels, factor: float, scale: float
    ) -> Iterator[tuple[Floats, NDArray[np.float32]]]:
        window, stride = self.pre.size, self.slid.stride
        longer = max(image.shape[1:]) * factor
        ahead = AHEAD[0] if longer <= max(window) + AHEAD[0] else AHEAD[1]
        many = [max(1, ahead // each) for each in stride]  # windows beyond the first
        side = window[0] + many[0] * stride[0], window[1] + many[1] * stride[1]
        step = (many[0] + 1) * stride[0], (many[1] + 1) * stride[1]
        tiles = Tiles(image, factor, side, step, self.pre)
        corners = list(tiles.corners(window))
        batches = [corners[i : i + TOGETHER] for i in range(0, len(corners), TOGETHER)]
        cut = (np.stack([tiles.cut(*corner) for corner in batch]) for batch in batches)
        for batch, outputs in zip(batches, self._runtime(ahead, side).stream(cut), strict=True):
            for corner, maps in zip(batch, outputs, strict=True):
                yield self._windows(corner, maps, tiles, scale)

    def _runtime(self, ahead: int, side: tuple[int, int]) -> Runtime:
        """Return the net made ready for tiles of a size, the first time it is asked for."""
        if ahead not in self.ready:
            self.ready[ahead] = runtimes.fastest(
                self.slid.net, replace(self.pre, size=side), device=self.model.recipe.device
            )
        return self.ready[ahead]

    def _windows(
        self, corner: tuple[int, int], maps: NDArray[np.float32], tiles: Tiles, scale: float
    ) -> tuple[Floats, NDArray[np.float32]]:
        """Return boxes (n, 4) in the image and outputs (n, K) of the windows within it."""
        window, stride, size = self.pre.size, self.slid.stride, tiles.size
        top = corner[0] + np.arange(maps.shape[1]) * stride[0]
        left = corner[1] + np.arange(maps.shape[2]) * stride[1]
        top, left = top[top + window[0] <= size[0]], left[left + window[1] <= size[1]]
        outputs = maps[:, : len(top), : len(left)].reshape(len(maps), -1).T  # (n, K)
        y, x = (grid.ravel() for grid in np.meshgrid(top, left, indexing="ij"))
        centre = np.stack([x + window[1] / 2, y + window[0] / 2], axis=1) / tiles.factor
        half = scale / 2
        return (
            np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
            np.ascontiguousarray(outputs),
        )
