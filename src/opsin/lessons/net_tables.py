"""Nets in numbers, as tables for people and plain data for programs.

``table`` gives rows that fit a width, ``notes`` the lines below them, ``right`` the columns of
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opsin.nets import Description
from opsin.nets._grouped import Line, lines
from opsin.nets._rules import State
from opsin.report.axis import fit

SHOWN = 6  # remarks printed one by one; the rest is counted
LEAST = 10  # letters of a column that gives way where the terminal is narrow
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Listed:
    """Is the table of nets, the oldest first; ``rows`` are those of ``nets.catalogue``."""

    rows: list[dict[str, Any]]

    right = ("layers", "parameters", "multiply-adds", "sees", "images/s")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin nets --json`` prints."""
        return {"nets": self.rows}

    def table(self, width: int) -> Rows:
        """Return a row each net, fitted to so many letters; * stands for a remark."""
        rows = [_listed(each) for each in self.rows]
        return _fitted(rows, "paper", width, ("weights", "input", "images/s", "layers"))

    def notes(self) -> list[str]:
        """Return the remarks, and what the columns mean."""
        return [
            "",
            *(f"* {each['name']}: {each['remark']}." for each in self.rows if each["remark"]),
            "",
            "sees: pixels of the picture (a square) that one number of the last map depends on. "
            "images/s: measured here with --speed.",
            "Any other name of timm or torchvision works too. A net layer by layer: "
            "opsin nets vgg16 --input 224x224x3 --classes 9",
        ]


def _listed(net: dict[str, Any]) -> dict[str, str]:
    """Return a row of the catalogue in words."""
    seen, speed = net["receptive_field"], net["images_per_second"]
    return {
        "net": net["name"] + "*" * bool(net["remark"]),
        "year": str(net["year"]),
        "paper": net["paper"]["short"],
        "layers": str(net["layers"]),
        "parameters": f"{net['parameters']:,}",
        "multiply-adds": short(net["madds"]),
        "sees": _sides(seen) if seen else "?",
        "input": "×".join(map(str, [*net["size"], net["channels"]])),
        "weights": net["weights"].partition(" ")[0],
        "images/s": f"{speed:,.0f}" if speed else "",
    }


@dataclass(frozen=True)
class Described:
    """Is one net in numbers with its history, and the files that were written of it.

    ``about`` is its row of ``nets.catalogue``, empty for what is not there.
    """

    net: Description
    batch: int
    about: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    right = ("output", "parameters", "multiply-adds", "sees", "step")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin nets NAME --json`` prints; the layers are all told."""
        memory = {"batch": self.batch, "batch_activation_bytes": self.net.activations(self.batch)}
        return self.about | self.net.to_dict() | memory | {"files": list(self.files)}

    def table(self, width: int) -> Rows:
        """Return a row each layer, or each block of a long net, fitted to so many letters."""
        return _fitted([_told(line) for line in lines(self.net)], "what", width, ("step", "sees"))

    def notes(self) -> list[str]:
        """Return totals and remarks."""
        net, seen = self.net, self.net.field
        told = [
            "",
            f"{net.parameters:,} parameters ({memory(4 * net.parameters)} in float32), "
            f"{net.madds:,} multiply-adds for a picture, {net.depth} "
            f"layer{'s' * (net.depth > 1)} deep.",
        ]
        if seen:
            told.append(
                f"One number of the last map sees {_sides(seen.size)} pixels of the picture, its "
                f"neighbour {_sides(seen.stride)} further on; after global pooling, all of it."
            )
        told.append(
            f"Activations of a batch of {self.batch}: {memory(net.activations(self.batch))} in "
            "float32, what works in place not counted."
        )
        if net.unused:
            told.append(f"{net.unused:,} parameters have no part in a prediction.")
        return [*told, *_remarks(net), *self._history(), *self.files]

    def _history(self) -> list[str]:
        """Return the speed on this machine, the paper, and what a lecture says wrongly."""
        speed = self.about.get("images_per_second")
        told = [f"{speed:,.0f} images/s here, {self.about['runtime']}."] if speed else []
        remark = self.about.get("remark")
        return [*told, *self.paper, *([f"{remark}."] if remark else [])]

    @property
    def paper(self) -> list[str]:
        """Return where the net was published, in a line, or nothing."""
        paper = self.about.get("paper")
        if not paper:
            return []
        where = ", ".join(
            filter(None, [paper["venue"], paper["arxiv"] and f"arXiv {paper['arxiv']}"])
        )
        return [f"{paper['authors']}: {paper['title']}. {where}, {self.about['year']}."]


def _told(line: Line) -> dict[str, str]:
    """Return a layer or a block in words."""
    return {
        "layer": line.called,
        "what": line.what + (f", {line.times} times" if line.times > 1 else ""),
        "output": "×".join(map(str, line.state.hwc)),
        "parameters": f"{line.parameters:,}" if line.parameters else "",
        "multiply-adds": f"{line.madds:,}" if line.madds else "",
        "sees": _sees(line.state),
        "step": _sides(line.state.seen.stride) if line.state.seen else "",
    }


def _sees(state: State) -> str:
    if state.seen:
        return _sides(state.seen.size)
    return "all" if state.known else "?"


def _sides(pair: Sequence[int]) -> str:
    """Return "7", or "1×7" where height and width differ."""
    return "×".join(map(str, dict.fromkeys(pair)))


def _remarks(net: Description) -> list[str]:
    """Return which layers do not come out even; the same sentence once."""
    found: dict[str, list[str]] = {}
    for each in net.rows:
        for remark in each.remarks:
            found.setdefault(remark, []).append(each.layer.name)
    told = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {remark}."
        for remark, names in found.items()
    ]
    rest = len(told) - SHOWN
    return told[:SHOWN] + ([f"… and {rest} more sizes (--json tells all)."] if rest > 0 else [])


def _fitted(rows: Rows, column: str, width: int, spare: Sequence[str]) -> Rows:
    """Return rows of at most ``width`` letters: ``column`` is cut, and ``spare`` ones left out.

    >>> _fitted([{"a": "12345678", "b": "long words", "c": "1"}], "b", 20, ["c"])
    [{'a': '12345678', 'b': 'long words'}]
    """
    if not rows:
        return rows
    wide = {name: max(len(name), *(len(each[name]) for each in rows)) for name in rows[0]}
    kept, left = list(wide), list(spare)
    while left and sum(wide[n] + 2 for n in kept if n != column) + LEAST > width:
        kept.remove(left.pop(0))
    room = max(LEAST, width - sum(wide[name] + 2 for name in kept if name != column))
    return [
        {name: fit(each[name], room) if name == column else each[name] for name in kept}
        for each in rows
    ]


def short(number: float) -> str:
    """Return a number with three digits and a unit.

    >>> short(15_470_264_320), short(416_520), short(61_706_000)
    ('15.5 G', '417 k', '61.7 M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{number:.0f}"


def memory(size: int) -> str:
    """Return bytes in words.

    >>> memory(553_430_176), memory(1_800)
    ('553 MB', '1.80 kB')
    """
    return f"{short(size)}B" if size >= 1000 else f"{size} bytes"
