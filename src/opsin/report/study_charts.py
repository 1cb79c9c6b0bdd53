"""Charts of a study: means and gains with their intervals, ranks, and how settings learnt.

They are drawn in a fixed number of units, as those of ``svg``, and coloured by style.css.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opsin.figures import Metric
from opsin.report.axis import Axis, decades, fit, ticks, width
from opsin.report.markup import safe
from opsin.report.study_scale import MINUS, Scale
from opsin.report.study_story import Cell, Curve, Difference, Ranked
from opsin.report.svg import LETTER
from opsin.report.words import term

NARROW, WIDE = 360, 620
ROW = 22


def means(cells: Sequence[Cell], scale: Scale) -> str:
    """Draw the mean of a few settings with their intervals on an axis as tight as they are."""
    unit = 100.0 if scale.share else 1.0
    ends = [unit * v for c in cells for v in (c.score.value, *_bounds(c.score))]
    across = Axis(ticks(ends, 5), 8, NARROW - 12)
    tall = 44 * len(cells)
    parts = [_upright(across, 4, tall + 2)]
    for index, cell in enumerate(cells):
        kind, top = ("s0" if index == 0 else "s2"), 44 * index
        parts.append(
            f'<text class="label {kind}" x="8" y="{top + 17}">{safe(fit(cell.name, 38))}</text>'
            f'<text class="label end {kind}" x="{NARROW - 12}" y="{top + 17}">'
            f"{safe(scale.score(cell.score.value))}</text>"
        )
        y = top + 31
        low, high = _bounds(cell.score)
        span = f"M{across(unit * low):.1f} {y}H{across(unit * high):.1f}"
        spot = f"M{across(unit * cell.score.value):.1f} {y}h0"
        parts.append(
            f'<path class="span {kind}" d="{span}"/><path class="knob {kind}" d="{spot}"/>'
        )
    about = f"{term(scale.metric).title}, mean over seeds with 95 % interval"
    about += ", per cent" if scale.share else ""
    parts.append(f'<text class="name" x="8" y="{tall + 35}">{safe(about)}</text>')
    told = "; ".join(f"{cell.name} {scale.score(cell.score.value)}" for cell in cells)
    return _svg(f"{about}: {told}", NARROW, tall + 40, "".join(parts), "")


def forest(
    differences: Sequence[Difference], scale: Scale, named: Callable[[Difference], str], about: str
) -> str:
    """Draw gains, a row each: thick the interval over pictures, thin that over trainings, too."""
    unit = 100.0 if scale.share else 1.0
    shown = [fit(named(each), 38) for each in differences]
    left = 12 + LETTER * max(map(width, shown), default=0)
    ends = [0.0]
    for each in differences:
        ends += [unit * each.gain, *(unit * v for v in _bounds(each.interval))]
    across = Axis(ticks(ends, 6), left, WIDE - 64)
    tall = ROW * len(differences) + 8
    parts = [_upright(across, 4, tall)]
    parts.append(f'<path class="zero" d="M{across(0.0):.1f} 0V{tall}"/>')
    for index, (each, name) in enumerate(zip(differences, shown, strict=True)):
        parts.append(_gain(each, name, across, ROW * index + 4 + ROW / 2, scale))
    parts.append(f'<text class="name" x="{left:.1f}" y="{tall + 34}">{safe(about)}</text>')
    told = "; ".join(f"{named(e)} {scale.signed(e.gain)}" for e in differences)
    return _svg(f"{about}: {told}", WIDE, tall + 40, "".join(parts), "forest")


def _gain(each: Difference, name: str, across: Axis, y: float, scale: Scale) -> str:
    """Draw one row of ``forest``."""
    unit = 100.0 if scale.share else 1.0
    kind = "s0" if each.settled else "s2"
    parts = [
        f'<text class="tick end" x="{across.start - 8:.1f}" y="{y + 3.5:.1f}">{safe(name)}</text>',
        f'<text class="value end" x="{WIDE - 4}" y="{y + 3.5:.1f}">'
        f"{safe(scale.signed(each.gain))}</text>",
    ]
    for evidence, stroke in ((each.both or each.seeds, "thin"), (each.pictures, "thick")):
        if evidence is not None and math.isfinite(evidence.gain.low):
            low, high = across(unit * evidence.gain.low), across(unit * evidence.gain.high)
            parts.append(f'<path class="{stroke} {kind}" d="M{low:.1f} {y:.1f}H{high:.1f}"/>')
    parts.append(f'<path class="knob {kind}" d="M{across(unit * each.gain):.1f} {y:.1f}h0"/>')
    return "".join(parts)


def critical(found: Ranked) -> str:
    """Draw average ranks, the best on top, with a bar beside all that are not told apart."""
    shown = [fit(name, 26) for name in found.names]
    left = 12 + LETTER * max(map(width, shown))
    bars = 12 * len(found.groups)
    last = float(len(found.names))
    across = Axis((1.0, last), left, WIDE - 40 - bars)
    top, tall = 40.0, ROW * len(found.names)
    parts = []
    for tick in _whole(last):
        x = across(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{top + tall:.1f}"/>')
        parts.append(
            f'<text class="tick mid" x="{x:.1f}" y="{top + tall + 16:.1f}">{tick:g}</text>'
        )
    reach = across(1.0 + found.critical) if found.critical <= last - 1 else across.end
    parts.append(
        f'<path class="ruler" d="M{left:.1f} 20V30M{left:.1f} 25H{reach:.1f}M{reach:.1f} 20V30"/>'
        f'<text class="key" x="{left:.1f}" y="12">critical difference {found.critical:.2f}</text>'
    )
    level = found.ranks[0] + found.critical
    for index, (name, rank) in enumerate(zip(shown, found.ranks, strict=True)):
        y = top + ROW * (index + 0.5)
        kind = "s0" if rank < level else "s2"
        parts.append(
            f'<text class="tick end" x="{left - 8:.1f}" y="{y + 3.5:.1f}">{safe(name)}</text>'
            f'<path class="thin {kind}" d="M{left:.1f} {y:.1f}H{across(rank):.1f}"/>'
            f'<path class="knob {kind}" d="M{across(rank):.1f} {y:.1f}h0"/>'
            f'<text class="value" x="{across(rank) + 10:.1f}" y="{y + 3.5:.1f}">{rank:.1f}</text>'
        )
    for index, (first, end) in enumerate(found.groups):
        x = WIDE - bars + 12 * index
        y1, y2 = top + ROW * (first + 0.25), top + ROW * (end + 0.75)
        parts.append(f'<path class="group" d="M{x:.1f} {y1:.1f}V{y2:.1f}"/>')
    parts.append(
        f'<text class="name" x="{left:.1f}" y="{top + tall + 34:.1f}">average rank, 1 the best; '
        "a bar on the right joins what is not told apart</text>"
    )
    told = "; ".join(f"{n} {r:.1f}" for n, r in zip(found.names, found.ranks, strict=True))
    return _svg(f"Average ranks: {told}", WIDE, top + tall + 40, "".join(parts), "forest")


def _whole(last: float) -> list[float]:
    """Return the whole ranks that are written at the axis, at most about a dozen."""
    step = max(1, math.ceil((last - 1) / 12))
    return [float(rank) for rank in range(1, int(last) + 1, step)]


@dataclass(frozen=True, slots=True)
class Line:
    """Is one curve in a panel: (x, mean, lowest, highest) of each point; grey without a name."""

    name: str
    kind: str
    points: tuple[tuple[float, float, float, float], ...]


def learning(lines: Sequence[Line], x: str, scale: Scale) -> str:
    """Draw mean scores while learning; shares as the share that is wrong, on a log axis."""
    turned = scale.share and term(scale.metric).sign > 0
    read = _wrong if turned else (lambda value: value)
    ys = [read(value) for line in lines for point in line.points for value in point[1:]]
    log = turned and min(ys) > 0 and max(ys) > 2 * min(ys)
    place: Callable[[float], float] = math.log10 if log else (lambda value: value)
    labels = decades(min(ys), max(ys)) if log else list(ticks(ys))
    ends = [place(min(labels[0], min(ys))), place(max(labels[-1], max(ys)))]
    legend, top = _keys([line for line in lines if line.name])
    left = 10 + LETTER * max(len(f"{label:g}") for label in labels)
    up = Axis((ends[0], ends[1]), top + 210, top + 24)
    across = Axis(ticks([0.0, *(p[0] for line in lines for p in line.points)]), left, NARROW - 14)
    name = (
        "wrong on validation pictures, %" if turned else f"{term(scale.metric).title}, validation"
    )
    parts = [legend, f'<text class="name" x="0" y="{top + 8:.1f}">{safe(name)}</text>']
    for label in labels:
        y = up(place(label))
        parts.append(f'<path class="grid" d="M{left:.1f} {y:.1f}H{across.end:.1f}"/>')
        shown = f"{label:g}".replace("-", MINUS)
        parts.append(f'<text class="tick end" x="{left - 6:.1f}" y="{y + 3.5:.1f}">{shown}</text>')
    for tick, shown in zip(across.ticks, across.labels(), strict=True):
        spot = f'x="{across(tick):.1f}" y="{up.start + 16:.1f}"'
        parts.append(f'<text class="tick mid" {spot}>{shown}</text>')
    middle = f'x="{(across.start + across.end) / 2:.1f}" y="{up.start + 32:.1f}"'
    parts.append(f'<text class="name mid" {middle}>{safe(x)}</text>')
    for line in sorted(lines, key=lambda each: bool(each.name)):
        spots = [(across(p[0]), *(up(place(read(value))) for value in p[1:])) for p in line.points]
        parts.append(_curve(line, spots))
    about = f"{name} over {x}: {', '.join(line.name for line in lines if line.name)}"
    return _svg(about, NARROW, top + 246, "".join(parts), "")


def _curve(line: Line, spots: Sequence[tuple[float, ...]]) -> str:
    """Draw one curve, with the band between its seeds where it has a name."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in spots)
    band = ""
    if line.name and len(spots) > 1:
        edge = [(x, low) for x, _, low, _ in spots] + [(x, high) for x, _, _, high in spots[::-1]]
        around = "L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
        band = f'<path class="band {line.kind}" d="M{around}Z"/>'
    if len(spots) == 1:
        return f'<path class="dots {line.kind}" d="{path}h0"/>'
    return f'{band}<path class="line {line.kind}" d="{path}"/>'


def _keys(lines: Sequence[Line]) -> tuple[str, float]:
    """Return the names of curves with a stroke each, one below the other, and their height."""
    parts = []
    for index, line in enumerate(lines):
        y = 12 + 18 * index
        parts.append(f'<path class="line {line.kind}" d="M0 {y - 4}h18"/>')
        parts.append(f'<text class="key" x="24" y="{y}">{safe(fit(line.name, 52))}</text>')
    return "".join(parts), 18.0 * len(lines) + 12


def _wrong(share: float) -> float:
    """Return the share that is wrong, in per cent."""
    return 100 * (1 - share)


def panel(
    curves: Sequence[Curve], kinds: dict[str, str], by_time: bool, names: dict[str, str]
) -> list[Line]:
    """Return the curves of one panel; those whose name has a kind are drawn in its colour."""
    return [
        Line(
            names.get(curve.name, ""),
            kinds.get(curve.name, "faint"),
            tuple((p[1] if by_time else p[0], *p[2:]) for p in curve.points),
        )
        for curve in curves
        if curve.points
    ]


def _bounds(metric: Metric) -> tuple[float, float]:
    """Return an interval, or the value twice where there is none."""
    if math.isfinite(metric.low) and math.isfinite(metric.high):
        return metric.low, metric.high
    return metric.value, metric.value


def _upright(across: Axis, top: float, foot: float) -> str:
    """Draw hairlines at the ticks of an axis with their labels below."""
    parts = []
    for tick, label in zip(across.ticks, across.labels(), strict=True):
        x, shown = across(tick), label.replace("-", MINUS)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{foot}"/>')
        parts.append(f'<text class="tick mid" x="{x:.1f}" y="{foot + 15}">{shown}</text>')
    return "".join(parts)


def _svg(about: str, wide: float, tall: float, inside: str, kind: str) -> str:
    """Frame a drawing; ``about`` is what a person hears who cannot see it."""
    return (
        f'<svg class="chart {kind}" role="img" aria-label="{safe(about)}" '
        f'viewBox="0 0 {wide:g} {tall:g}">{inside}</svg>'
    )
