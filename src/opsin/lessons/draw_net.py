"""A net as papers draw it: maps as boxes in perspective, dense layers as bars, windows between.

Height and width of maps are to scale; channels and features are drawn by their square root, so
that 64 and 2,048 go on one page. Written by hand as SVG, one file that needs no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from opsin.errors import InputError
from opsin.files import write_text
from opsin.lessons.net_columns import Column, Slab, columns
from opsin.lessons.net_tables import short
from opsin.nets import Description
from opsin.ops.arithmetic import Window
from opsin.report.axis import fit, width
from opsin.report.markup import safe

TALL = 190.0  # units: the largest map
BACK = (0.34, 0.22)  # how far a map goes right and up for each unit of its width
DEEP = 2.1  # units for the square root of a channel
LETTER, LINE = 5.6, 14.0  # mean width of a letter, height of a line of text
GAP, STACKED = 34.0, 7.0  # between columns, between the maps of one
SMALLEST = 2.0  # units: the side of a window that is drawn
TOLD = 7  # lines under a column
SHADES = {  # front, top, side
    "picture": ("#e9ecef", "#f6f7f8", "#ced4da"),
    "conv": ("#8fb4e8", "#c3d7f4", "#6a94d4"),
    "pool": ("#e99a7c", "#f5c7b5", "#d57b58"),
    "block": ("#79bfae", "#b4dcd2", "#559f8d"),
    "dense": ("#c3a3dc", "#dfcdec", "#a681c6"),
}
STYLE = (
    "text{font:11px 'Helvetica Neue',Helvetica,Arial,sans-serif;fill:#3c4650}"
    ".title{font-size:19px;font-weight:600;fill:#14181c}.soft{fill:#6b757e}"
    ".name{font-weight:600;fill:#14181c}.m{text-anchor:middle}"
    ".edge{stroke:#2f3942;stroke-width:.6;stroke-linejoin:round}"
    ".cut{stroke:#2f3942;stroke-width:.4;stroke-opacity:.55;fill:none}"
    ".arrow{stroke:#6b757e;stroke-width:1.1;fill:none;marker-end:url(#tip)}"
    ".skip{stroke:#b0442b;stroke-width:1.2;fill:none;marker-end:url(#hot)}"
    ".window{fill:#fff;fill-opacity:.55;stroke:#b0442b;stroke-width:.9}"
    ".ray{fill:#b0442b;fill-opacity:.07;stroke:#b0442b;stroke-width:.5;stroke-opacity:.6}"
    ".fan{fill:#a681c6;fill-opacity:.13}"
)


@dataclass(frozen=True)
class Placed:
    """Is a map on the page: ``x`` its left edge, ``y`` the middle of its front, sizes in units."""

    slab: Slab
    x: float
    y: float
    high: float
    deep: float
    back: tuple[float, float]

    @property
    def right(self) -> float:
        """Return the right edge of the front."""
        return self.x + self.deep

    @property
    def far(self) -> float:
        """Return the right edge of all of it."""
        return self.right + self.back[0]

    def face(self, across: float, down: float) -> tuple[float, float]:
        """Return a point of the side, each coordinate from 0 to 1."""
        x = self.right + across * self.back[0]
        return x, self.y - self.high / 2 + down * self.high - across * self.back[1]


def draw_file(net: Description, out: str | Path, about: Sequence[str] = ()) -> Path:
    """Write a net to an SVG file, whole or not at all; raise ``InputError`` for another suffix."""
    path = Path(out).expanduser()
    if path.suffix.lower() != ".svg":
        raise InputError(f"draw {str(out)!r}", expected="a file name ending in .svg")
    write_text(path, draw(net, about))
    return path


def draw(net: Description, about: Sequence[str] = ()) -> str:
    """Return a net as an SVG page; ``about`` stands under its title, a line each."""
    found = columns(net)
    scale = TALL / max(max(slab.h, slab.w) for column in found for slab in column.slabs)
    top = 62 + LINE * len(about) + TALL * BACK[1] + 22
    placed = _placed(found, scale, top + TALL / 2)
    wide = max(placed[-1][-1].far + 24, 40 + LETTER * 1.75 * width(net.name), 640)
    under = top + TALL * (1 + BACK[1] / 2) + 26
    parts = [_under(placed, found), _boxes(placed, found), _texts(placed, found, under)]
    most = max(_lines(column) for column in found)
    tall = under + LINE * (most + 3)
    return _page(net, about, wide, tall, "".join(parts))


def _page(net: Description, about: Sequence[str], wide: float, tall: float, inside: str) -> str:
    """Return the page around a drawing."""
    size = f"{net.size[0]}×{net.size[1]}×{net.channels}"
    counts = (
        f"{net.parameters:,} parameters · {short(net.madds)} multiply-adds for a picture of {size} "
        f"· {net.depth} layers deep"
    )
    lines = "".join(
        f'<text class="soft" x="20" y="{52 + LINE * i:.0f}">{safe(text)}</text>'
        for i, text in enumerate([counts, *about])
    )
    scale = "Height and width of maps to scale, channels and features by their square root."
    tips = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path d="M0 .8 8 4 0 7.2z" fill="{colour}"/></marker>'
        for name, colour in (("tip", "#6b757e"), ("hot", "#b0442b"))
    )
    title = safe(fit(net.name, int(wide / 11)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{tall:.0f}" '
        f'viewBox="0 0 {wide:.0f} {tall:.0f}" role="img" aria-label="{safe(net.name)}: '
        f'{safe(counts)}"><style>{STYLE}</style><defs>{tips}</defs>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="title" x="20" y="32">{title}</text>{lines}{inside}'
        f'<text class="soft" x="20" y="{tall - 12:.0f}">{scale}</text></svg>\n'
    )


# ── where things stand ──────────────────────────────────────────────────────────────────────────


def _placed(found: Sequence[Column], scale: float, middle: float) -> list[list[Placed]]:
    """Return the maps of each column on the page, left to right."""
    x, placed = 20.0, []
    for index, column in enumerate(found):
        text = LETTER * max(width(line) for line in _told(column))
        shapes = [_shape(slab, scale) for slab in column.slabs]
        wide = sum(deep for _, deep, _ in shapes) + STACKED * (len(shapes) - 1) + shapes[-1][2][0]
        at = x + max(0.0, (text - wide) / 2)
        row = []
        for slab, (high, deep, back) in zip(column.slabs, shapes, strict=True):
            row.append(Placed(slab, at, middle + back[1] / 2, high, deep, back))
            at += deep + STACKED
        placed.append(row)
        end = max(row[-1].far, row[0].x - (text - wide) / 2 + text)
        bars = column.kind == "dense" and found[min(index + 1, len(found) - 1)].kind == "dense"
        x = end + (GAP + 10 if bars else GAP)
    return placed


def _shape(slab: Slab, scale: float) -> tuple[float, float, tuple[float, float]]:
    """Return height, depth and the way back of a map; a vector is a bar."""
    if not slab.h:
        return min(TALL, max(6.0, 2 * sqrt(slab.c))), 9.0, (4.0, 3.0)
    back = max(2.0, slab.w * scale)
    high, deep = max(2.0, slab.h * scale), 2 + DEEP * sqrt(slab.c)
    return high, deep, (back * BACK[0], back * BACK[1])


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────


def _boxes(placed: Sequence[Sequence[Placed]], found: Sequence[Column]) -> str:
    """Return the boxes of all columns with what is said of each when pointed at."""
    parts = []
    for row, column in zip(placed, found, strict=True):
        inside = "".join(_box(each, column.kind) for each in row)
        told = f"{column.called}: {column.parameters:,} parameters, {column.madds:,} multiply-adds"
        arcs = "".join(_arc(each) for each in row) if column.skip else ""
        parts.append(f"<g><title>{safe(told)}</title>{inside}{arcs}</g>")
    return "".join(parts)


def _box(box: Placed, kind: str) -> str:
    """Return a box in perspective: front, top, side, and the borders of its branches."""
    front, roof, side = SHADES[kind]
    x, y, right, (dx, dy) = box.x, box.y - box.high / 2, box.right, box.back
    low = y + box.high
    faces = [
        (front, [(x, y), (right, y), (right, low), (x, low)]),
        (roof, [(x, y), (right, y), (right + dx, y - dy), (x + dx, y - dy)]),
        (side, [(right, y), (right + dx, y - dy), (right + dx, low - dy), (right, low)]),
    ]
    drawn = "".join(_polygon(points, "edge", colour) for colour, points in faces)
    at, total = x, sum(box.slab.stripes)
    for part in box.slab.stripes[:-1]:
        at += box.deep * part / total
        drawn += f'<path class="cut" d="M{at:.1f} {low:.1f}V{y:.1f}l{dx:.1f} {-dy:.1f}"/>'
    return drawn


def _polygon(points: Sequence[tuple[float, float]], kind: str, colour: str = "") -> str:
    spots = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    fill = f' fill="{colour}"' if colour else ""
    return f'<polygon class="{kind}"{fill} points="{spots}"/>'


def _arc(box: Placed) -> str:
    """Return a way over a box: what skips its layers."""
    top = box.y - box.high / 2 - box.back[1]
    begin, end = box.x - 3, box.far + 2
    rise = 13.0
    return (
        f'<path class="skip" d="M{begin:.1f} {box.y - box.high / 2 + 4:.1f}'
        f'C{begin:.1f} {top - rise:.1f} {end:.1f} {top - rise:.1f} {end:.1f} {top + 5:.1f}"/>'
    )


def _under(placed: Sequence[Sequence[Placed]], found: Sequence[Column]) -> str:
    """Return what stands behind the boxes: arrows, windows with their rays, and fans."""
    parts = []
    for index in range(1, len(found)):
        before, after = placed[index - 1][-1], placed[index][0]
        both = (found[index - 1].kind, found[index].kind)
        if both[1] == "dense":
            parts.append(_fan(before, after))
        elif not _seen(found[index].window, before):
            parts.append(_arrow(before, after))
    return "".join(parts)


def _arrow(before: Placed, after: Placed) -> str:
    y = before.y - before.back[1] / 2
    return f'<path class="arrow" d="M{before.far + 4:.1f} {y:.1f}H{after.x - 4:.1f}"/>'


def _fan(before: Placed, after: Placed) -> str:
    """Return how every number of one layer meets every number of the next."""
    begin, end = before.far if before.slab.h else before.right, after.x
    ends = [(begin, _ends(before)), (end, _ends(after))]
    (x, (a, b)), (z, (c, d)) = ends
    return _polygon([(x, a), (z, c), (z, d), (x, b)], "fan")


def _ends(box: Placed) -> tuple[float, float]:
    """Return top and bottom of what is seen of a box from the right."""
    lift = box.back[1] if box.slab.h else 0.0
    return box.y - box.high / 2 - lift, box.y + box.high / 2 - lift


def _seen(window: Window | None, before: Placed) -> bool:
    """Say whether a window on a map is large enough to be drawn."""
    if window is None or not before.slab.h:
        return False
    return max(axis.span for axis in window.axes) / before.slab.h * before.high >= SMALLEST


def _windows(placed: Sequence[Sequence[Placed]], found: Sequence[Column]) -> str:
    """Return the window of each layer on the map before it, with rays to where it leads."""
    parts = []
    for index in range(1, len(found)):
        before, after, window = placed[index - 1][-1], placed[index][0], found[index].window
        if window is None or not _seen(window, before):
            continue
        high, wide = (axis.span for axis in window.axes)
        down, across = min(1.0, high / before.slab.h), min(1.0, wide / before.slab.w)
        corners = [
            before.face(0.5 + u * across / 2, 0.5 + v * down / 2)
            for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        tip = (after.x, after.y)
        parts.append(_polygon([corners[1], tip, corners[2]], "ray"))
        parts.append(_polygon([corners[0], tip, corners[3]], "ray"))
        parts.append(_polygon(corners, "window"))
    return "".join(parts)


# ── text ────────────────────────────────────────────────────────────────────────────────────────


def _told(column: Column) -> list[str]:
    """Return what stands under a column: its size, its name, what it does."""
    several = column.kind == "block" and column.count > 1
    words = [*([f"{column.count} blocks of"] if several else []), *column.told]
    if len(words) > TOLD:
        words = [*words[: TOLD - 1], f"… {len(words) - TOLD + 1} more"]
    gate = ["with a gate"] if column.gate else []
    return [column.size, *(fit(word, 26) for word in words), *gate, fit(column.called, 20)]


def _lines(column: Column) -> int:
    return len(_told(column))


def _texts(placed: Sequence[Sequence[Placed]], found: Sequence[Column], y: float) -> str:
    """Return the words under all columns, and the windows over all boxes."""
    parts = [_windows(placed, found)]
    for row, column in zip(placed, found, strict=True):
        middle = (row[0].x + row[-1].far) / 2
        told = _told(column)
        for index, line in enumerate(told):
            kind = "name" if index == 0 else "soft" if index == len(told) - 1 else ""
            spot = f'x="{middle:.1f}" y="{y + LINE * index:.1f}"'
            parts.append(f'<text class="m {kind}" {spot}>{safe(line)}</text>')
    return "".join(parts)
