"""A net as a graph of its own layers: tracing it, taking parts of it, finding where it narrows.

Traced by torch.fx (Reed et al., torch.fx: Practical Program Capture and Transformation for Deep
Learning in Python, MLSys 2022), with the layers left whole that timm asks for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, cast

from torch import fx, nn

from opsin.errors import WeightsError
from opsin.nets._build import quiet


class _Tracer(fx.Tracer):
    """Records the layers of a net, and leaves whole what behaves differently while training."""

    def __init__(self, leaves: tuple[type[nn.Module], ...], functions: tuple[Any, ...]) -> None:
        super().__init__(autowrap_functions=functions)
        self.leaves = leaves

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self.leaves) or super().is_leaf_module(m, module_qualified_name)


def trace(net: nn.Module) -> fx.GraphModule:
    """Return the net as a graph over its own layers; raise ``WeightsError`` where that fails."""
    with quiet():
        from timm.layers import DropBlock2d, DropPath
        from timm.models._features_fx import get_notrace_functions, get_notrace_modules
        from torchvision.ops import StochasticDepth

        leaves = (*get_notrace_modules(), DropPath, DropBlock2d, StochasticDepth)
        tracer = _Tracer(leaves, tuple(get_notrace_functions()))
        try:
            graph = tracer.trace(net)
        except Exception as error:  # a net may refuse in any words of its own
            raise WeightsError(
                f"{type(net).__name__}, which cannot be traced ({error})",
                expected="a net whose path does not depend on the picture",
                remedy="Use a policy that trains or freezes the net as a whole.",
            ) from error
    traced = fx.GraphModule(tracer.root, graph)
    _keep_dropout_alive(traced)
    return traced


def _keep_dropout_alive(traced: fx.GraphModule) -> None:
    """Turn calls of ``dropout`` into layers: tracing would fix whether the net is training."""
    for node in list(traced.graph.nodes):
        if node.op != "call_function" or node.target is not nn.functional.dropout:
            continue
        given = dict(zip(("input", "p"), node.args, strict=False)) | dict(node.kwargs)
        name = f"traced_{node.name}"
        dropout = nn.Dropout(cast("float", given.get("p", 0.5)))
        traced.add_submodule(name, dropout.train(traced.training))
        with traced.graph.inserting_after(node):
            layer = traced.graph.call_module(name, (given["input"],))
        layer.meta = dict(node.meta)
        node.replace_all_uses_with(layer)
        traced.graph.erase_node(node)


def part(
    traced: fx.GraphModule,
    nodes: Sequence[fx.Node],
    *,
    takes: fx.Node | None = None,
    returns: Sequence[fx.Node] = (),
    single: bool = False,
) -> fx.GraphModule:
    """Return the net of some nodes, in order.

    ``takes`` becomes its input; ``returns`` are its outputs where they are not those of the net, a
    tuple unless it is to be a ``single`` tensor.
    """
    graph = fx.Graph()
    known: dict[fx.Node, fx.Node] = {}
    if takes is not None:
        known[takes] = graph.placeholder("x")

    def copied(node: fx.Node) -> fx.Node:
        if node not in known:  # a parameter read outside a layer goes into every part that uses it
            known[node] = graph.node_copy(node, copied)
        return known[node]

    for node in nodes:
        if node.op != "get_attr":
            copied(node)
    if returns:
        found = tuple(known[node] for node in returns)
        graph.output(found[0] if single else found)
    graph.lint()
    # A new module would start in training mode; its layers are in the mode of the net.
    made = fx.GraphModule(traced, graph)
    made.training = traced.training
    return made


def places(traced: fx.GraphModule) -> dict[str, fx.Node]:
    """Return every place to cut at by its name, in order: see ``nets.stages``."""
    nodes = list(traced.graph.nodes)
    narrow = _narrow(nodes)
    blocks = _blocks(nodes, narrow)
    found = [i for i in sorted(narrow) if not _within(nodes, i, blocks)]
    named: dict[str, fx.Node] = {}
    for i, following in zip(found, [*found[1:], len(nodes) - 1], strict=True):
        # With nothing to learn between two places the later one is kept: pooling makes maps small.
        if learns(traced, nodes[i + 1 : following + 1]) and learns(traced, nodes[: i + 1]):
            named.setdefault(_name(nodes, i), nodes[i])
    return named


def ends(traced: fx.GraphModule) -> dict[str, fx.Node]:
    """Return the last node of every layer that ends where the net can be cut."""
    nodes = list(traced.graph.nodes)
    narrow = _narrow(nodes)
    last = {path: i for i, node in enumerate(nodes) for path, _ in _scopes(node)}
    return {path: nodes[i] for path, i in last.items() if i in narrow}


def _narrow(nodes: Sequence[fx.Node]) -> set[int]:
    """Return the positions after which a single tensor is all that the rest needs."""
    position = {node: i for i, node in enumerate(nodes)}
    until = {node: max((position[u] for u in node.users), default=-1) for node in nodes}
    alive: set[fx.Node] = set()
    found = set()
    for i, node in enumerate(nodes):
        alive = {other for other in alive | {node} if until[other] > i and other.op != "get_attr"}
        if alive == {node} and node.op != "placeholder":
            found.add(i)
    return found


def _scopes(node: fx.Node) -> list[tuple[str, type[nn.Module]]]:
    """Return (path, class) of the layers that computed a node, outermost first."""
    stack = node.meta.get("nn_module_stack") or {}
    return [(path, kind) for path, kind in stack.values() if path]


def _blocks(nodes: Sequence[fx.Node], narrow: set[int]) -> set[type[nn.Module]]:
    """Return the classes with a branch among their children (residual, dense, inception blocks).

    Of nested ones only the outermost counts: what lies beside a branch is broken by it too.
    """
    branching: dict[str, type[nn.Module]] = {}
    for i, (node, following) in enumerate(itertools.pairwise(nodes)):
        if i in narrow or node.op in ("get_attr", "placeholder"):
            continue
        after = {path for path, _ in _scopes(following)}
        shared = [(path, kind) for path, kind in _scopes(node) if path in after]
        branching |= dict(shared[-1:])
    paths = [path for path in branching if not _has_ancestor(path, branching)]
    return {branching[path] for path in paths} - {nn.Sequential}


def _has_ancestor(path: str, among: Iterable[str]) -> bool:
    return any(path.startswith(f"{other}.") for other in among)


def _within(nodes: Sequence[fx.Node], i: int, blocks: set[type[nn.Module]]) -> bool:
    """Say whether a place lies inside a block: the node and the next one are parts of it."""
    after = {path for path, _ in _scopes(nodes[i + 1])}
    return any(kind in blocks and path in after for path, kind in _scopes(nodes[i]))


def _name(nodes: Sequence[fx.Node], i: int) -> str:
    """Return the outermost layer that ends at a position, or what is computed there."""
    after = {path for path, _ in _scopes(nodes[i + 1])}
    ended = [path for path, _ in _scopes(nodes[i]) if path not in after]
    return ended[0] if ended else nodes[i].name


def learns(traced: fx.GraphModule, nodes: Iterable[fx.Node]) -> bool:
    """Say whether a convolution or a linear layer is among some nodes."""
    return any(parameter.ndim > 1 for parameter in owned(traced, nodes))


def owned(traced: fx.GraphModule, nodes: Iterable[fx.Node]) -> list[nn.Parameter]:
    """Return the parameters that some nodes use."""
    found: list[nn.Parameter] = []
    for node in nodes:
        path = cast("str", node.target)
        if node.op == "call_module":
            found += traced.get_submodule(path).parameters()
        elif node.op == "get_attr":
            owner, _, name = path.rpartition(".")
            value = getattr(traced.get_submodule(owner), name)
            found += [value] if isinstance(value, nn.Parameter) else []
    return found
