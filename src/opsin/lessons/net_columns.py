"""A net in few columns, as papers draw it: maps of one size side by side, blocks as stages.

Shapes: a map is (h, w, c), a vector (c,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod
from string import digits

from opsin.nets import Description
from opsin.nets._grouped import Line, lines, shared, token
from opsin.ops.arithmetic import Window

MOST = 15  # columns a drawing holds
DRAWN = 5  # maps drawn of a block that comes again and again
KINDS = {
    "picture": "picture", "conv": "conv", "transposed": "conv", "max": "pool", "average": "pool",
    "dense": "dense", "adaptive": "pool", "mean": "pool",
}  # fmt: skip


@dataclass(frozen=True)
class Slab:
    """Is one map, or a vector with h = w = 0; ``stripes`` are the channels of joined branches."""

    h: int
    w: int
    c: int
    stripes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Column:
    """Is what is drawn above one text: the maps that one or several layers give.

    ``kind`` is picture, conv, pool, dense or block, ``count`` how many layers or blocks, ``size``
    what the last of them gives. ``window`` is what slides over the map before, where it is one;
    ``skip`` says that something goes past the layers, ``gate`` that maps are weighed; ``token`` is
    a layer in few letters.
    """

    kind: str
    name: str
    size: str
    told: tuple[str, ...]
    slabs: tuple[Slab, ...]
    count: int
    parameters: int
    madds: int
    window: Window | None = None
    token: str = ""
    skip: bool = False
    gate: bool = False
    last: str = ""

    @property
    def end(self) -> Slab:
        """Return the map it gives."""
        return self.slabs[-1]

    @property
    def called(self) -> str:
        """Return the name, or what the first and the last of several have in common."""
        if not self.last:
            return self.name
        same = shared(self.name, self.last)
        path = same.rpartition(".")[0]
        return path or f"{self.name} – {self.last[len(same.rstrip(digits)) :]}"


def columns(net: Description) -> list[Column]:
    """Return a net in columns, at most about ``MOST``.

    >>> from opsin.nets import described
    >>> [(column.called, column.size) for column in columns(described("lenet5"))][:3]
    [('picture', '28×28×1'), ('c1', '28×28×6'), ('s2.0', '14×14×6')]
    """
    found = [_column(line, net) for line in lines(net) if _drawn(line, net)]
    found = _merged(found, lambda column: (column.kind, column.told, column.end))
    for alike in (_blocks_of_a_map, _blocks_of_a_size, _layers_of_a_size):
        if alike is _blocks_of_a_map or len(found) > MOST:
            found = _merged(found, alike)
    return found


def _drawn(line: Line, net: Description) -> bool:
    """Say whether a line is worth a column: pooling to the size that came in is not."""
    layer = line.rows[0].layer
    if line.is_block or layer.op not in KINDS:
        return line.is_block
    kept = layer.op in ("adaptive", "mean") and net.rows[layer.inputs[0]].state
    return not kept or kept.size != line.state.size


def _column(line: Line, net: Description) -> Column:
    """Return one line of a description as a column."""
    layer = line.rows[0].layer
    kind = "block" if line.is_block else KINDS[layer.op]
    high, wide = line.state.size
    if (high, wide) == (1, 1):  # a filter over all there is, or over nothing, is a dense layer
        kind, high, wide = "dense" if kind == "conv" else kind, 0, 0
    deep = line.state.depth if line.state.space else line.state.shape[-1]
    slab = Slab(high, wide, deep, _stripes(line, net))
    size = f"{deep:,}" if prod(line.state.shape) == deep else "×".join(map(str, line.state.hwc))
    ways, _, gate = line.what.partition(" · ")
    told = _ways(ways) if kind == "block" else _words(line)
    return Column(
        kind,
        line.name,
        size,
        told,
        (slab,) * min(line.times, DRAWN),
        line.times,
        line.parameters,
        line.madds,
        layer.window if high and kind in ("conv", "pool") else None,
        token(layer),
        "skip" in ways.split(" | ") or _adds(line),
        bool(gate),
        line.last,
    )


def _adds(line: Line) -> bool:
    return any(row.layer.word == "add" and len(row.layer.inputs) > 1 for row in line.rows)


def _stripes(line: Line, net: Description) -> tuple[int, ...]:
    """Return the channels of the branches that a block lays side by side at its end."""
    joins = [row for row in line.rows if row.layer.op == "join"]
    if not joins or not line.is_block:
        return ()
    parts = tuple(net.rows[i].state.depth for i in joins[-1].layer.inputs)
    return parts if sum(parts) == line.state.depth else ()


def _words(line: Line) -> tuple[str, ...]:
    """Return a layer in short lines; its size is told already."""
    first = line.rows[0]
    if first.layer.op == "picture":
        return ()
    name, *rest = first.kind.split(", ")
    less = [part for part in rest if part != str(first.layer.outputs)]
    return (name.removesuffix(f" {first.layer.outputs}"), *less)


def _ways(ways: str) -> tuple[str, ...]:
    """Return the branches of a block, a line each; one way with a skip, a line each layer."""
    first, *others = ways.split(" | ")
    if len(others) > 1 or any(" → " in other for other in others):
        return (first, *others)
    return (*first.split(" → "), *(f"+ {other}" for other in others))


def _blocks_of_a_map(column: Column) -> object:
    return column.end if column.kind == "block" else object()


def _blocks_of_a_size(column: Column) -> object:
    return (column.end.h, column.end.w) if column.kind == "block" else object()


def _layers_of_a_size(column: Column) -> object:
    joined = column.kind in ("block", "conv") and column.end.h
    return (column.end.h, column.end.w) if joined else object()


def _merged(found: Sequence[Column], alike: Callable[[Column], object]) -> list[Column]:
    """Return columns with those that follow each other and are ``alike`` as one."""
    kept = []
    for _, group in groupby(found, alike):
        first, *rest = group
        kept.append(_as_one([first, *rest]) if rest else first)
    return kept


def _as_one(group: Sequence[Column]) -> Column:
    """Return several columns as one: all their maps, and what they say in few lines."""
    slabs = [slab for column in group for slab in column.slabs]
    told = list(dict.fromkeys(column.told for column in group))
    many = sum(column.count for column in group)
    if len(told) == 1 and group[0].kind != "block":
        words = (f"{many} × {told[0][0]}", *told[0][1:])
    elif group[0].kind == "block":
        words = group[-1].told
    else:
        words = (f"{many} layers", *dict.fromkeys(column.token for column in group))
    return replace(
        group[0],
        kind="block" if any(column.kind == "block" for column in group) else group[0].kind,
        size=group[-1].size,
        told=words,
        slabs=tuple(slabs),
        count=many,
        parameters=sum(column.parameters for column in group),
        madds=sum(column.madds for column in group),
        skip=any(column.skip for column in group),
        gate=any(column.gate for column in group),
        last=group[-1].last or group[-1].name,
    )
