"""A description a person can read: what works in place folded into what it follows, branches into
blocks, and alike blocks into one line.

A block is what lies between two places where a single tensor is all that the rest needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from string import digits

from opsin.nets._blueprint import Layer
from opsin.nets._describe import Description, Row, words
from opsin.nets._rules import State

SHORT = 30  # lines: a net of no more layers is shown layer by layer
WAYS = 12  # branches: a block of more is told as one row of layers
SILENT = ("flatten", "reshape", "turn", "fixed")
BEFORE = ("same", "reshape", "fixed", "merge", "join")  # how pictures are scaled, inside the net
UNSAID = ("dropout", "detach", "contiguous")


@dataclass(frozen=True, slots=True)
class Line:
    """Is a layer with what follows it in place, or a block, ``times`` alike in a row.

    ``parameters`` and ``madds`` are of all of them; ``rows`` are those of the first, ``state`` is
    what the last one gives, before it is laid out another way.
    """

    name: str
    what: str
    rows: tuple[Row, ...]
    state: State
    parameters: int
    madds: int
    times: int = 1
    last: str = ""

    @property
    def called(self) -> str:
        """Return the name, or the first and the end of the last of several."""
        if self.times == 1:
            return self.name
        return f"{self.name} – {self.last[len(shared(self.name, self.last).rstrip(digits)) :]}"

    @property
    def remarks(self) -> list[str]:
        """Return what does not come out even."""
        return [remark for row in self.rows for remark in row.remarks]

    @property
    def is_block(self) -> bool:
        """Say whether there is more than one layer, or a branch."""
        return self.rows[0].layer.op != "picture" and sum(not _quiet(row) for row in self.rows) > 1


def shared(first: str, last: str) -> str:
    """Return the letters that two names begin with.

    >>> shared("inception4a", "inception4e")
    'inception4'
    """
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in alike)


def lines(net: Description) -> list[Line]:
    """Return a net in lines: each layer of a short one, blocks of a long one.

    >>> from opsin.nets._named import described
    >>> [(line.called, line.times) for line in lines(described("resnet18"))][3:6]
    [('layer1.0 – 1', 2), ('layer2.0', 1), ('layer2.1', 1)]
    """
    units = _units(net.rows)
    if len(units) <= SHORT:
        return [_line(unit[0].layer.name, told(unit), unit) for unit in units]
    found = []
    for name, parts in _blocks(net.rows):
        inner = _units(parts)
        if name and (len(inner) > 1 or _forks(parts)):
            found.append(_line(name, ways(net.rows, parts), parts))
        else:
            found += [_line(u[0].layer.name, told(u), u) for u in inner]
    return _repeated(found)


def _line(name: str, what: str, rows: Sequence[Row]) -> Line:
    shown = [row for row in rows if not _unsaid(row)] or rows
    return Line(
        name,
        what,
        tuple(rows),
        shown[-1].state,
        sum(row.parameters for row in rows),
        sum(row.madds for row in rows),
    )


def _repeated(found: Sequence[Line]) -> list[Line]:
    """Return lines with those that follow and are alike as one."""
    kept: list[Line] = []
    for line in found:
        before = kept[-1] if kept else None
        if before and line.is_block and _alike(before, line):
            kept[-1] = replace(
                before,
                parameters=before.parameters + line.parameters,
                madds=before.madds + line.madds,
                state=line.state,
                times=before.times + 1,
                last=line.name,
            )
        else:
            kept.append(line)
    return kept


def _alike(before: Line, line: Line) -> bool:
    same = before.what == line.what and before.state.shape == line.state.shape
    return same and before.parameters == before.times * line.parameters


# ── layers and what follows them ────────────────────────────────────────────────────────────────


def _quiet(row: Row) -> bool:
    """Say whether a row is part of the layer before it: in place, or another view."""
    return row.layer.op in ("same", "norm", *SILENT) and not row.madds


def _narrows(before: Row, row: Row) -> bool:
    """Say whether a row takes some channels of the one before it, or their mean."""
    return row.layer.op == "reshape" and row.state.depth != before.state.depth


def _unsaid(row: Row) -> bool:
    """Say whether a row only lays things out another way, or does nothing in a prediction."""
    return row.layer.op in SILENT or row.layer.word.startswith(UNSAID)


def _units(rows: Sequence[Row]) -> list[list[Row]]:
    """Return rows in groups: a layer, and what is done in place with what it gives."""
    units: list[list[Row]] = []
    for row in rows:
        before = units[-1][0].layer.op if units else ""
        scales = before == "picture" and row.layer.op in BEFORE
        if before and (scales or (_quiet(row) and not _narrows(units[-1][-1], row))):
            units[-1].append(row)
        else:
            units.append([row])
    return units


def told(unit: Sequence[Row]) -> str:
    """Return a layer in words, with what follows it: "conv 3×3, 64, batch norm, ReLU"."""
    first, *rest = unit
    if first.layer.op == "picture":
        scaled = {row.layer.word for row in rest} & {"multiply", "add", "subtract", "div"}
        return "picture, colours scaled" if scaled else "picture"
    after = [words(row.layer) for row in rest if row.layer.op in ("same", "norm")]
    said = [*([] if first.layer.op in SILENT and after else [first.kind]), *after]
    return ", ".join(word for word in said if not word.startswith(UNSAID)) or first.kind


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────


def _blocks(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return the rows in blocks by name; "" stands for what is no block."""
    deep = _depths(rows)

    def block(row: Row) -> str:
        parts = row.layer.name.split(".")
        depth = deep.get(parts[0], 0)
        return ".".join(parts[:depth]) if 0 < depth < len(parts) else ""

    return [(name, list(found)) for name, found in groupby(rows, block)]


def _depths(rows: Sequence[Row]) -> dict[str, int]:
    """Return how long the names of blocks are, by their first part: 3 for "blocks.0.1".

    It is what the layers around a branch have in common, the shortest of all branches.
    """
    deep: dict[str, int] = {}
    for start, end in branches(rows):
        shared = rows[start].layer.name.split(".")
        for row in rows[start : end + 1]:
            parts = row.layer.name.split(".")
            same = [a == b for a, b in zip(shared, parts, strict=False)]
            shared = shared[: same.index(False) if False in same else len(same)]
        if shared:
            deep[shared[0]] = min(len(shared), deep.get(shared[0], len(shared)))
    return deep


def branches(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Return (first, last) of each stretch in which more than one tensor is needed later on."""
    until = list(range(len(rows)))
    for place, row in enumerate(rows):
        for given in row.layer.inputs:
            until[given] = place
    alive: set[int] = set()
    found, begun = [], None
    for place in range(len(rows)):
        alive = {i for i in alive | {place} if until[i] > place}
        if len(alive) > 1 and begun is None:
            begun = place
        elif len(alive) <= 1 and begun is not None:
            found.append((begun, place))
            begun = None
    return found


def _forks(parts: Sequence[Row]) -> bool:
    """Say whether more than one way leads through some rows."""
    return any(len(row.layer.inputs) > 1 for row in parts)


def ways(rows: Sequence[Row], parts: Sequence[Row]) -> str:
    """Return the ways through a block: "1×1 64 → 3×3 64 → 1×1 256 | skip"."""
    place = {id(row): i for i, row in enumerate(rows)}
    inside = {place[id(row)] for row in parts}
    last = max(inside)
    found = _walk(rows, last, inside)
    if found is None:
        return _in_a_row([token(row.layer) for row in parts if token(row.layer)])
    gated = any("gate" in way for way in found)
    plain = [" → ".join(way) or "skip" for way in found if "gate" not in way]
    unique = sorted(dict.fromkeys(plain), key=lambda way: way == "skip")
    return " | ".join(unique) + (" · gate" if gated else "")


def _walk(rows: Sequence[Row], last: int, inside: set[int]) -> list[list[str]] | None:
    """Return the layers along each way from what comes into a block to its last row."""
    found: list[list[str]] = []

    def back(at: int, after: list[str]) -> None:
        if len(found) > WAYS:
            return
        if at not in inside:
            found.append(after)
            return
        said = token(rows[at].layer)
        for given in rows[at].layer.inputs:
            back(given, [said, *after] if said else after)

    back(last, [])
    return None if len(found) > WAYS else [_gated(way) for way in found]


def _gated(way: list[str]) -> list[str]:
    """Return a way that pools everything to one number a map as what it is: a gate."""
    return ["gate"] if any(said.startswith("global") for said in way) else way


def token(layer: Layer) -> str:
    """Return a layer in few letters: "3×3 64 /2"; "" for what changes nothing of note."""
    if layer.window and layer.op in ("conv", "transposed", "max", "average"):
        kernel = str(layer.window).partition(",")[0]
        stride = layer.window.axes[0].stride
        kind = {"max": "max ", "average": "average ", "transposed": "up "}.get(layer.op, "")
        kind = "depthwise " if layer.word == "depthwise conv" else kind
        many = f" {layer.outputs}" if layer.outputs and not kind else ""
        groups = f" in {layer.groups}" if layer.groups > 1 and not kind else ""
        return f"{kind}{kernel}{many}{groups}{f' /{stride}' if stride > 1 else ''}"
    if layer.op in ("adaptive", "mean"):
        return "global pool" if layer.shape in ((1, 1), ()) else "pool"
    return f"dense {layer.outputs}" if layer.op == "dense" else ""


def _in_a_row(tokens: Sequence[str]) -> str:
    """Return tokens with a pattern that comes again and again as one: "(1×1 128, 3×3 32) ×6"."""
    for period in range(1, len(tokens) // 2 + 1):
        if len(tokens) % period == 0 and list(tokens) == [*tokens[:period]] * (
            len(tokens) // period
        ):
            inner = " → ".join(tokens[:period])
            return f"({inner}) ×{len(tokens) // period}, joined"
    return " → ".join(tokens)
