"""Settings as points, their score over the milliseconds of a picture on a log axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from opsin.report.axis import Axis, decades, fit, ticks, width
from opsin.report.labels import Box, beside
from opsin.report.markup import safe
from opsin.report.study_scale import MINUS, Scale, brief
from opsin.report.study_story import Cell, Setting
from opsin.report.svg import LETTER
from opsin.report.words import term

WIDE, TALL = 620, 340
TOP = 24.0  # above the highest line: the name of the score
KNOB, HAIR = 5.0, 2.0  # units around a point and a line that names keep off
BOLD = 1.12  # how much wider bold letters are
ROOM = 1.2  # times the fastest and the slowest that the axis reaches beyond them

Spot = tuple[float, float, float, float]  # x, and y of the mean and of both ends of the interval


def scatter(
    cells: Sequence[Cell], front: Sequence[Cell], scale: Scale, sign: int
) -> tuple[str, int]:
    """Draw a point a setting with its interval, the ``front`` joined; return it and how many
    settings found no room for their name.

    Better is always higher: the axis is turned where less is better.
    """
    unit = 100.0 if scale.share else 1.0
    ends = [unit * value for cell in cells for value in _reach(cell, scale)]
    labels = list(ticks(ends))
    foot = TOP + TALL
    up = Axis(tuple(labels), *((foot, TOP) if sign > 0 else (TOP, foot)))
    left = 10 + LETTER * max(len(text) for text in up.labels())
    steps = _steps(cells)
    across = Axis(tuple(map(math.log10, steps)), left, WIDE - 12)
    spots: dict[Setting, Spot] = {}
    for cell in cells:
        mean, low, high = (up(unit * value) for value in _reach(cell, scale))
        spots[cell.setting] = across(math.log10(cell.milliseconds)), mean, low, high
    ordered = [*front, *(cell for cell in cells if cell not in front)]
    kinds = ["s0"] * len(front) + ["s2"] * (len(ordered) - len(front))
    line = _stairs([spots[cell.setting][:2] for cell in front])
    shown = [fit(cell.name, 38) for cell in ordered]
    names = _names(ordered, shown, len(front), spots, line, (left, TOP, WIDE, foot))
    parts = [_frame(across, up, steps, scale, sign), _joined(line)]
    parts += [_leader(spots[cell.setting], box) for cell, box in zip(ordered, names, strict=True)]
    for cell, kind in reversed(list(zip(ordered, kinds, strict=True))):
        parts.append(_point(cell, kind, spots[cell.setting], scale))
    parts += [_name(*each) for each in zip(shown, kinds, names, strict=True)]
    told = "; ".join(
        f"{cell.name} {scale.score(cell.score.value)} in {brief(cell.milliseconds)} ms"
        for cell in ordered
    )
    about = f"{term(scale.metric).title} over milliseconds a picture: {told}"
    drawing = (
        f'<svg class="chart scatter" role="img" aria-label="{safe(about)}" '
        f'viewBox="0 0 {WIDE} {foot + 40:g}">{"".join(parts)}</svg>'
    )
    return drawing, names.count(None)


def _reach(cell: Cell, scale: Scale) -> tuple[float, float, float]:
    """Return a mean and the ends of its interval; no share is beyond 0 and 1."""
    found = cell.score
    low, high = (
        (found.low, found.high)
        if math.isfinite(found.low) and math.isfinite(found.high)
        else (found.value, found.value)
    )
    return (found.value, max(low, 0.0), min(high, 1.0)) if scale.share else (found.value, low, high)


def _steps(cells: Sequence[Cell]) -> list[float]:
    """Return the ticks of the milliseconds: 1, 2 and 5, or powers of ten alone where those are
    many."""
    found = [cell.milliseconds for cell in cells]
    steps = decades(min(found) / ROOM, max(found) * ROOM)
    if len(steps) <= 13:
        return steps
    tens = [step for step in steps if math.log10(step) % 1 in (0.0, 1.0)]
    return sorted({steps[0], *tens, steps[-1]})


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the front: what is reached holds until a slower one is better."""
    corners = list(points[:1])
    for (_, before), point in itertools.pairwise(points):
        corners += [(point[0], before), point]
    return corners


def _names(
    cells: Sequence[Cell],
    shown: Sequence[str],
    bold: int,
    spots: dict[Setting, Spot],
    line: Sequence[tuple[float, float]],
    frame: Box,
) -> list[Box | None]:
    """Return where names stand: off points, intervals, the front's line and each other."""
    taken: list[Box] = []
    for x, y, one, other in spots.values():
        taken.append((x - KNOB, y - KNOB, x + KNOB, y + KNOB))
        taken.append((x - HAIR, min(one, other), x + HAIR, max(one, other)))
    for (x1, y1), (x2, y2) in itertools.pairwise(line):
        taken.append(
            (min(x1, x2) - HAIR, min(y1, y2) - HAIR, max(x1, x2) + HAIR, max(y1, y2) + HAIR)
        )
    wide = [
        LETTER * width(text) * (BOLD if index < bold else 1.0) for index, text in enumerate(shown)
    ]
    return beside([spots[cell.setting][:2] for cell in cells], wide, taken, frame)


def _frame(across: Axis, up: Axis, steps: Sequence[float], scale: Scale, sign: int) -> str:
    """Draw hairlines at the ticks of both axes, their labels and their names."""
    foot = TOP + TALL
    about = f"{term(scale.metric).title}, mean over seeds with 95 % interval"
    about += ", per cent" if scale.share else ""
    about += "" if sign > 0 else "; less is better, and higher up"
    parts = [f'<text class="name" x="0" y="10">{safe(about)}</text>']
    for tick, label in zip(up.ticks, up.labels(), strict=True):
        y = up(tick)
        parts.append(
            f'<path class="grid" d="M{across.start:.1f} {y:.1f}H{across.end:.1f}"/>'
            f'<text class="tick end" x="{across.start - 6:.1f}" y="{y + 3.5:.1f}">'
            f"{label.replace('-', MINUS)}</text>"
        )
    for step in steps:
        x = across(math.log10(step))
        parts.append(
            f'<path class="grid" d="M{x:.1f} {TOP}V{foot}"/>'
            f'<text class="tick mid" x="{x:.1f}" y="{foot + 16}">{_tick(step)}</text>'
        )
    middle = (across.start + across.end) / 2
    parts.append(
        f'<text class="name mid" x="{middle:.1f}" y="{foot + 33}">'
        "milliseconds a picture, one at a time (log axis): left is faster</text>"
    )
    return "".join(parts)


def _tick(step: float) -> str:
    """Return a step of the axis in digits.

    >>> _tick(0.5), _tick(2000.0)
    ('0.5', '2,000')
    """
    return f"{step:,.0f}" if step >= 1 else f"{step:g}"


def _joined(line: Sequence[tuple[float, float]]) -> str:
    """Draw the line of the front."""
    return f'<path class="guide" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in line)}"/>'


def _point(cell: Cell, kind: str, spot: Spot, scale: Scale) -> str:
    """Draw a setting: its interval upright, its mean; a title says it in words."""
    x, y, one, other = spot
    told = f"{cell.name}: {scale.score(cell.score.value)}, {brief(cell.milliseconds)} ms"
    return (
        f"<g><title>{safe(told)}</title>"
        f'<path class="thin {kind}" d="M{x:.1f} {one:.1f}V{other:.1f}"/>'
        f'<path class="knob {kind}" d="M{x:.1f} {y:.1f}h0"/></g>'
    )


def _leader(spot: Spot, box: Box | None) -> str:
    """Draw a line from a point to its name where they are not side by side."""
    if box is None:
        return ""
    x, y = spot[:2]
    near = (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3]))
    if math.dist((x, y), near) < 2 * KNOB:
        return ""
    return f'<path class="leader" d="M{x:.1f} {y:.1f}L{near[0]:.1f} {near[1]:.1f}"/>'


def _name(text: str, kind: str, box: Box | None) -> str:
    """Write a setting's name where there is room for it."""
    if box is None:
        return ""
    return f'<text class="spot {kind}" x="{box[0]:.1f}" y="{box[3] - 3:.1f}">{safe(text)}</text>'
