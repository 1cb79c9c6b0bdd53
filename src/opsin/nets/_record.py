"""Drawing the blueprint of a net: it runs once on a picture without memory, and is listened to.

Every function the net calls on tensors is met on its way to torch, with branches, skips and what is
written without a layer. Weights are on the meta device: they have shapes and no memory.

Shapes: N pictures, C channels, h and w of the input; here N is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from opsin.errors import SizeError, WeightsError
from opsin.nets._blueprint import Blueprint, Layer
from opsin.nets._build import quiet
from opsin.nets._calls import known, named, spoken, understood
from opsin.nets._describe import row_of
from opsin.nets._features import head
from opsin.nets._rules import RULES, State
from opsin.ops.arithmetic import Field

Pair = tuple[int, int]


def record(net: nn.Module, channels: int, size: Pair, name: str = "") -> Blueprint:
    """Return the blueprint of a net for pictures (channels, h, w), as it predicts.

    The weights of the net are not read. Raises ``SizeError`` where the net refuses such pictures.

    >>> drawn = record(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), 3, (32, 32))
    >>> [layer.op for layer in drawn.layers]
    ['picture', 'conv', 'same']
    """
    named = [*net.named_parameters(), *net.named_buffers()]
    tensors = {path: _shape_of(tensor) for path, tensor in named}
    sizes = {id(tensors[path]): p.numel() for path, p in net.named_parameters()}
    picture = torch.empty((1, channels, *size), device="meta")
    listener = _Listener(picture, sizes)
    training = net.training
    with listener.following(net), quiet(), torch.no_grad():
        try:
            functional_call(net.eval(), tensors, (picture,))
        except (RuntimeError, AssertionError, ValueError, IndexError) as error:
            raise SizeError(
                f"{size[0]}×{size[1]} pixels for {name or type(net).__name__} ({error})",
                expected="a size this net takes",
            ) from error
        finally:
            net.train(training)
    unused = sum(listener.sizes.values())
    return Blueprint(
        name or type(net).__name__,
        tuple(listener.layers),
        size,
        channels,
        listener.head_place(net, tensors),
        unused,
    )


def _shape_of(tensor: Tensor) -> Tensor:
    """Return a tensor without memory that nothing else is."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


class _Listener(TorchFunctionMode):
    """Writes down each call as a layer, and checks that our rules give the shape torch gave."""

    def __init__(self, picture: Tensor, sizes: dict[int, int]) -> None:
        super().__init__()
        self.layers = [Layer("picture", "picture")]
        self.states = [State(tuple(picture.shape[1:]), (1, 2), Field())]
        self.places: dict[int, int] = {id(picture): 0}
        self.sizes = sizes  # parameters nothing has asked for yet
        self.weights: dict[int, list[int]] = {each: [each] for each in sizes}
        self.asked: dict[int, int] = {}  # of each parameter, the place of the layer that asked
        self.alive: list[Any] = [picture]  # the id of a tensor that is gone would be used again
        self.path: list[tuple[str, nn.Module]] = []

    @contextmanager
    def following(self, net: nn.Module) -> Iterator[None]:
        """Listen to a net, knowing at every moment which of its modules is at work."""

        def enter(name: str) -> Callable[..., None]:
            return lambda module, _: self.path.append((name, module))

        def leave(*_: Any) -> None:
            self.path.pop()

        hooks = []
        for name, module in net.named_modules():
            hooks.append(module.register_forward_pre_hook(enter(name)))
            hooks.append(module.register_forward_hook(leave))
        try:
            with self:
                yield
        finally:
            for hook in hooks:
                hook.remove()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = list(_tensors((args, kwargs)))
        came = [self.places[id(t)] for t in tensors if id(t) in self.places]
        weights = [w for t in tensors for w in self.weights.get(id(t), ())]
        name = named(func)
        result = func(*args, **kwargs)
        given = list(_tensors(result))
        self.alive.append((tensors, given))
        if name == "pad" and came and _pads_itself(self.module):
            self.places[id(given[0])] = came[0]  # its window says so: padding "same"
        elif came and given:
            # Windows of a picture may lie side by side where pictures do: no rule holds for those.
            met = [t for t in tensors if id(t) in self.places]
            single = all(t.shape[:1] == (1,) for t in [*met, *given])
            inputs = tuple(self.states[i] for i in came)
            madds = 0 if single and known(name) else _counted(func, args, kwargs)
            for index, tensor in enumerate(given):
                shape = tuple(tensor.shape[1:])
                layer = Layer("", "fixed", shape=shape, word=spoken(name))
                if single and not madds:
                    layer = understood(name, args, kwargs, inputs, shape, self.module)
                if layer.op == "fixed":
                    missed = 0 if index else madds or _counted(func, args, kwargs)
                    layer = replace(layer, madds=missed)
                self._write(replace(layer, inputs=tuple(came)), [] if index else weights)
                self.places[id(tensor)] = len(self.layers) - 1
        else:  # a weight made of weights: who takes it takes them
            for tensor in given if weights else ():
                self.weights.setdefault(id(tensor), weights)
        return result

    @property
    def module(self) -> nn.Module | None:
        """Return the module that is at work."""
        return self.path[-1][1] if self.path else None

    def _write(self, layer: Layer, weights: list[int]) -> None:
        """Add a layer that takes ``weights``, those that nothing has asked for before."""
        inputs = tuple(self.states[i] for i in layer.inputs)
        fresh = dict.fromkeys(w for w in weights if w in self.sizes)
        self.asked |= dict.fromkeys(fresh, len(self.layers))
        own = sum(self.sizes.pop(w) for w in fresh)
        ruled = row_of(layer, inputs, RULES[layer.op](layer, inputs)).parameters
        path = self.path[-1][0] if self.path else ""
        inner = self.module is None or next(self.module.children(), None) is not None
        word = (layer.word or layer.op).replace(" ", "_")
        name = f"{path}.{word}".strip(".") if inner else path
        layer = replace(layer, name=name, parameters=own - ruled)
        self.layers.append(layer)
        self.states.append(RULES[layer.op](layer, inputs))

    def head_place(self, net: nn.Module, tensors: dict[str, Tensor]) -> int | None:
        """Return the place of the layer that a head of other classes replaces."""
        try:
            last = head(net)
        except WeightsError:
            return None
        path = next(name for name, module in net.named_modules() if module is last)
        return self.asked.get(id(tensors[f"{path}.weight"]))


def _pads_itself(module: nn.Module | None) -> bool:
    """Say whether a module pads as much as its window needs, as timm's Conv2dSame."""
    return type(module).__name__.endswith("Same")


def _tensors(thing: Any) -> Iterator[Tensor]:
    """Yield the tensors in arguments, however nested."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, Sequence) and not isinstance(thing, str):
        for each in thing:
            yield from _tensors(each)
    elif isinstance(thing, dict):
        yield from _tensors(list(thing.values()))


def _counted(func: Any, args: Any, kwargs: dict[str, Any]) -> int:
    """Return the multiply-adds that torch counts in a call: for what no rule of ours knows."""
    with FlopCounterMode(display=False) as counter:
        func(*args, **kwargs)
    return int(counter.get_total_flops()) // 2
