"""Charts: pure functions from figures to inline SVG, coloured by the classes of style.css.

All charts are drawn for a width of about 360 units, which is a phone; on a desktop they stand side
by side, so that text has the same size everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from opsin.figures import Bars, Figure, Lines, Metric
from opsin.report.axis import Axis, fit, ticks, width
from opsin.report.heat import matrix
from opsin.report.markup import safe
from opsin.report.words import figure as written
from opsin.report.words import number, quantity, term

WIDE = 360
LETTER = 5.9  # mean width of a letter at 11 units


def draw(figure: Figure) -> str:
    """Draw a figure of whatever kind."""
    if isinstance(figure, Lines):
        return lines(figure)
    if isinstance(figure, Bars):
        return bars(figure)
    return matrix(figure)


def lines(chart: Lines) -> str:
    """Draw series of points as lines, or as dots, on a grid of round numbers."""
    points = [p for s in chart.series.values() for p in s if math.isfinite(p[0] + p[1])]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if not points:
        return _nothing(chart.title)
    if chart.diagonal:  # both axes alike, or the diagonal would lie
        xs = ys = xs + ys
        if min(xs) >= 0 and max(xs) <= 1:
            xs = ys = [0.0, 1.0]
    tall = 300 if chart.diagonal else 210
    legend, top = _legend(list(chart.series), chart.dots)
    up = Axis(ticks(ys), top + tall, top + 24)
    left = 8 + LETTER * max(len(label) for label in up.labels())
    across = Axis(up.ticks if chart.diagonal else _whole(xs), left, WIDE - 14)
    parts = [legend, _grid(across, up, chart.x, chart.y, top)]
    if chart.diagonal:
        ends = (max(across.ticks[0], up.ticks[0]), min(across.ticks[-1], up.ticks[-1]))
        spots = [f"{across(end):.1f},{up(end):.1f}" for end in ends]
        parts.append(f'<polyline class="guide" points="{" ".join(spots)}"/>')
    for index, series in enumerate(chart.series.values()):
        parts.append(_series(series, across, up, f"s{index % 6}", chart.dots))
    about = f"{chart.title}: {chart.y} over {chart.x}, {', '.join(chart.series)}"
    return _svg(about, WIDE, top + tall + 36, "".join(parts))


def _whole(xs: Sequence[float]) -> tuple[float, ...]:
    """Return ticks for an x axis; few whole numbers (epochs) each get their own."""
    found = sorted({x for x in xs if math.isfinite(x)})
    whole = bool(found) and all(x == int(x) for x in found)
    if whole and 2 <= found[-1] - found[0] + 1 <= 10:
        return tuple(float(x) for x in range(int(found[0]), int(found[-1]) + 1))
    return ticks(xs)


def _series(
    series: Sequence[tuple[float, float]], across: Axis, up: Axis, kind: str, dots: bool
) -> str:
    """Draw one series; what is not finite leaves a gap."""
    spots = [(across(x), up(y)) for x, y in series if math.isfinite(x + y)]
    if dots or len(spots) == 1:
        return f'<path class="dots {kind}" d="{"".join(f"M{x:.1f} {y:.1f}h0" for x, y in spots)}"/>'
    joined, pen = "", "M"
    for x, y in series:
        if not math.isfinite(x + y):
            pen = "M"
            continue
        joined += f"{pen}{across(x):.1f} {up(y):.1f}"
        pen = "L"
    marks = f'<path class="dots {kind}" d="{"".join(f"M{x:.1f} {y:.1f}h0" for x, y in spots)}"/>'
    return f'<path class="line {kind}" d="{joined}"/>' + (marks if len(spots) <= 12 else "")


def _legend(names: Sequence[str], dots: bool) -> tuple[str, float]:
    """Return the names of the series with a stroke each, and the height they take."""
    if len(names) < 2:
        return "", 4.0
    x, y, parts = 0.0, 12.0, []
    for index, name in enumerate(names):
        shown = fit(name, 40)
        room = 34 + LETTER * width(shown)
        if x and x + room > WIDE:
            x, y = 0.0, y + 18
        sign = f"M{x + 9:.1f} {y - 4}h0" if dots else f"M{x:.1f} {y - 4}h18"
        parts.append(f'<path class="{"dots" if dots else "line"} s{index % 6}" d="{sign}"/>')
        parts.append(f'<text class="key" x="{x + 24:.1f}" y="{y}">{safe(shown)}</text>')
        x += room + 10
    return "".join(parts), y + 12


def _grid(across: Axis, up: Axis, x: str, y: str, top: float) -> str:
    """Draw hairlines at the ticks of y, labels at both axes and their names."""
    parts = [f'<text class="name" x="0" y="{top + 8:.1f}">{safe(fit(y, 56))}</text>']
    for tick, label in zip(up.ticks, up.labels(), strict=True):
        place = up(tick)
        parts.append(f'<path class="grid" d="M{across.start:.1f} {place:.1f}H{across.end:.1f}"/>')
        spot = f'x="{across.start - 6:.1f}" y="{place + 3.5:.1f}"'
        parts.append(f'<text class="tick end" {spot}>{label}</text>')
    for tick, label in zip(across.ticks, across.labels(), strict=True):
        spot = f'x="{across(tick):.1f}" y="{up.start + 16:.1f}"'
        parts.append(f'<text class="tick mid" {spot}>{label}</text>')
    middle = f'x="{(across.start + across.end) / 2:.1f}" y="{up.start + 32:.1f}"'
    parts.append(f'<text class="name mid" {middle}>{safe(fit(x, 50))}</text>')
    return "".join(parts)


def bars(chart: Bars) -> str:
    """Draw one labelled bar a value, from zero, with its number at the end."""
    finite = [value for value in chart.values.values() if math.isfinite(value)]
    if not finite:
        return _nothing(chart.title)
    shown = {name: fit(name, 18) for name in chart.values}
    left = 10 + LETTER * min(18.0, max((width(text) for text in shown.values()), default=0.0))
    ends = (min([0.0, *finite]), max([0.0, *finite]))
    across = Axis(ends if any(finite) else (0.0, 1.0), left, WIDE - 52)
    wording = quantity if all(value == int(value) for value in finite) else number
    parts = []
    for index, (name, value) in enumerate(chart.values.items()):
        y = 22 * index + 4
        parts.append(
            f'<text class="tick end" x="{left - 6:.1f}" y="{y + 11}">'
            f"<title>{safe(name)}</title>{safe(shown[name])}</text>"
        )
        start, end = sorted((across(0.0), across(value))) if math.isfinite(value) else (left, left)
        parts.append(
            f'<rect class="fill" x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="14"/>'
            f'<text class="value" x="{end + 6:.1f}" y="{y + 11}">{wording(value)}</text>'
        )
    about = f"{chart.title}, {chart.unit}" if chart.unit else chart.title
    return _svg(about, WIDE, 22 * max(1, len(chart.values)) + 6, "".join(parts))


def intervals(metric: str, rows: Mapping[str, Metric]) -> str:
    """Draw the first row, the model, against the others: a dot for the value, a line for 95 %."""
    finite = [v for m in rows.values() for v in (m.value, m.low, m.high) if math.isfinite(v)]
    unit = term(metric).share
    across = Axis(ticks([0.0, 1.0] if unit else [0.0, *finite]), 8, WIDE - 12)
    tall = 44 * len(rows)
    parts = []
    for tick, label in zip(across.ticks, across.labels(), strict=True):
        x = across(tick)
        shown = f"{100 * tick:.0f}" if unit else label
        parts.append(f'<path class="grid" d="M{x:.1f} 4V{tall + 2}"/>')
        parts.append(f'<text class="tick mid" x="{x:.1f}" y="{tall + 17}">{shown}</text>')
    for index, (name, m) in enumerate(rows.items()):
        parts.append(_interval(metric, name, m, across, 44 * index, "s0" if index == 0 else "s2"))
    about = f"{term(metric).title} with 95 % intervals" + (", per cent" if unit else "")
    parts.append(f'<text class="name" x="8" y="{tall + 35}">{safe(about)}</text>')
    told = "; ".join(f"{name} {written(metric, m.value)}" for name, m in rows.items())
    return _svg(f"{about}: {told}", WIDE, tall + 40, "".join(parts))


def _interval(metric: str, name: str, m: Metric, across: Axis, top: float, kind: str) -> str:
    """Draw one row of ``intervals``: the name and the value above, the dot and its line below."""
    label = f'<text class="label {kind}" x="8" y="{top + 17}">{safe(fit(name, 42))}</text>'
    label += (
        f'<text class="label end {kind}" x="{WIDE - 12}" y="{top + 17}">'
        f"{safe(written(metric, m.value))}</text>"
    )
    if not math.isfinite(m.value):
        return label
    y = top + 31
    dot = f'<path class="knob {kind}" d="M{across(m.value):.1f} {y}h0"/>'
    if not (math.isfinite(m.low) and math.isfinite(m.high)):
        return label + dot
    span = f"M{across(m.low):.1f} {y}H{across(m.high):.1f}"
    return f'{label}<path class="span {kind}" d="{span}"/>{dot}'


def _nothing(title: str) -> str:
    """Draw the absence of any finite number."""
    return _svg(f"{title}: no data", WIDE, 24, '<text class="name" x="0" y="16">no data</text>')


def _svg(about: str, wide: float, tall: float, inside: str) -> str:
    """Frame a drawing; ``about`` is what a person hears who cannot see it."""
    return (
        f'<svg class="chart" role="img" aria-label="{safe(about)}" '
        f'viewBox="0 0 {wide:g} {tall:g}">{inside}</svg>'
    )
