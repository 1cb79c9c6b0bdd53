"""What a trained net sees in one picture: its first kernels, and the maps of its stages.

Shapes: C channels, h and w of a map, K kernels of k×k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from opsin import nets, plugins
from opsin.data.decode import centre, prepare
from opsin.data.preprocess import Preprocessing
from opsin.errors import InputError, ModelError
from opsin.lessons.described import is_model
from opsin.model import Model
from opsin.nets.weights import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

Shapes = Sequence[tuple[str, tuple[int, ...]]]  # of modules: name, (C, h, w)
STAGES = 12  # a net of more shapes than this shows one stage a size


@dataclass(frozen=True)
class Trained:
    """Is a net with weights, how pictures are made ready for it, and how it says what it sees."""

    name: str
    net: nn.Module
    pre: Preprocessing
    says: Callable[[Numbers], str]


@dataclass(frozen=True)
class Looked:
    """Is what a net saw: the picture (C, h, w) as it came in, kernels (K, C, k, k), maps (C, h, w).

    ``first`` is the name of the layer of the kernels, ``says`` what the net makes of the picture.
    """

    name: str
    picture: Pixels
    says: str
    first: str
    kernels: Numbers
    maps: dict[str, Numbers]


def trained(net: str) -> Trained:
    """Return a model file or the folder of a run, or a net by name whose weights lie here.

    Raises ``ModelError`` for a file that is none, and ``InputError`` for a net without weights.
    """
    if is_model(net):
        model = Model.load(net)
        return Trained(
            model.net_name, model.net, model.preprocessing, lambda o: model.decode(o)[0].words()
        )
    name = nets.canonical(net)
    nets.described(net)  # an unknown name is said to be one
    weights = locate(name)
    if weights is None:
        raise InputError(
            f"maps of {net!r}, which is not trained",
            expected="a model file, the folder of a run, or a net whose weights lie here",
            remedy="Train it first: opsin train DATA --net NAME --out RUN",
        )
    made = nets.build(name, outputs=1000, size=weights.preprocessing.size)
    weights.load(made)
    return Trained(
        name, made.eval(), weights.preprocessing, lambda o: f"class {int(o[0].argmax())}"
    )


def look(seeing: Trained, image: str | Path, layer: str | None = None) -> Looked:
    """Return what a net sees in a picture file: all stages, or the maps of one ``layer``.

    Raises ``PictureError`` for what is no picture and ``InputError`` for a layer without maps.
    """
    pixels = centre(prepare(Path(image).expanduser(), seeing.pre)[None], seeing.pre)
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (seeing.pre.mean, seeing.pre.std))
    ready = torch.from_numpy((pixels.astype(np.float32) / 255 - mean) / std)
    shapes = _shapes(seeing.net, ready)
    chosen = stages(seeing.net, shapes)
    if layer is not None:
        chosen = [_named(layer, seeing.net, shapes)]
    outputs, maps = _run(seeing.net, ready, chosen)
    first, kernels = first_kernels(seeing.net)
    return Looked(seeing.name, pixels[0, :3], seeing.says(outputs), first, kernels, maps)


def stages(net: nn.Module, shapes: Shapes) -> list[str]:
    """Return the layers that are worth a look, of all (name, (C, h, w)) in the order they work.

    These are the last of each shape; where shapes are many, the stages that the net declares, or
    the last of each size.

    >>> found = [("a", (8, 9, 9)), ("b", (8, 9, 9)), ("c", (8, 4, 4)), ("d", (16, 4, 4))]
    >>> stages(nn.Identity(), found)
    ['b', 'c', 'd']
    """
    by_shape = _last(shapes, lambda shape: shape)
    if len(by_shape) <= STAGES:
        return by_shape
    names = {name for name, _ in shapes}
    told = [level["module"] for level in getattr(net, "feature_info", None) or ()]
    declared = [name for name in told if name in names]
    return declared or _last(shapes, lambda shape: shape[1:])


def _last(shapes: Shapes, what: Callable[[tuple[int, ...]], object]) -> list[str]:
    """Return the last name before ``what`` of the shape changes."""
    following = [*shapes[1:], ("", (0, 0, 0))]
    return [a for (a, x), (_, y) in zip(shapes, following, strict=True) if what(x) != what(y)]


def _named(layer: str, net: nn.Module, shapes: Shapes) -> str:
    names = [name for name, _ in shapes]
    if layer not in names:
        raise InputError(
            f"the layer {layer!r}",
            expected=f"one with maps: {', '.join(stages(net, shapes))}, or another inside the net",
            remedy=plugins.meant(layer, names),
        )
    return layer


def first_kernels(net: nn.Module) -> tuple[str, Numbers]:
    """Return the first convolution's name and its kernels (K, C, k, k)."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module.weight.detach().numpy().astype(np.float32)
    raise ModelError(f"{type(net).__name__} without a convolution", expected="a convolutional net")


def _shapes(net: nn.Module, ready: Tensor) -> Shapes:
    """Return the modules that give maps, after the first convolution, in the order they finish."""
    found: list[tuple[str, tuple[int, ...]]] = []
    begun = False

    def note(name: str, module: nn.Module, output: Any) -> None:
        nonlocal begun
        begun = begun or isinstance(module, nn.Conv2d)
        maps = isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1
        if begun and maps and name:
            found.append((name, tuple(output.shape[1:])))

    with _noting(net, note), torch.inference_mode():
        net(ready)
    return found


def _run(
    net: nn.Module, ready: Tensor, chosen: Sequence[str]
) -> tuple[Numbers, dict[str, Numbers]]:
    """Return the outputs (1, K) and the maps of the chosen modules."""
    kept: dict[str, Numbers] = {}

    def note(name: str, _: nn.Module, output: Any) -> None:
        if name in chosen:  # what comes next may work in place
            kept[name] = output[0].float().numpy().copy()

    with _noting(net, note), torch.inference_mode():
        outputs = net(ready)
    return outputs.float().numpy(), {name: kept[name] for name in chosen}


@contextmanager
def _noting(net: nn.Module, note: Callable[[str, nn.Module, Any], None]) -> Iterator[None]:
    """Let ``note`` hear of each module that has finished, with its name and what it gave."""

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, _, output: note(name, module, output)

    hooks = [m.register_forward_hook(hook(name)) for name, m in net.named_modules()]
    try:
        yield
    finally:
        for each in hooks:
            each.remove()
