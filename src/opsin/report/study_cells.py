"""The part of a study's page about how good settings are: headline, table, grid, beside others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opsin.figures import count
from opsin.report.markup import data, folded, name, pairs, paragraph, safe, table
from opsin.report.study_charts import means
from opsin.report.study_scale import Scale
from opsin.report.study_story import Cell, Setting, StudyStory
from opsin.report.words import NARROW, duration, inside, opened, quantity, term

LONG = 60  # settings from which the table is folded
SHOWN = 5  # settings in the chart beside the headline


def scale(story: StudyStory) -> Scale:
    """Return how the page writes its scores."""
    return Scale(story.metric, max((cell.pictures for cell in story.cells), default=0))


def headline(story: StudyStory) -> str:
    """Return the best mean in large figures, those next to it, and what can be said in words."""
    best, written = story.best, scale(story)
    if best is None:
        return paragraph(story.lead, "lead") + _told(story)
    large = written.bare(best.score.value)
    sign = f'<span class="unit">{NARROW}%</span>' if written.share else ""
    bounds = f"{best.name}: {_over(best, written)}"
    ordered = sorted(story.cells, key=lambda cell: -story.sign * cell.score.value)
    plot = means(ordered[:SHOWN], written)
    title = f"Best mean {inside(term(story.metric).title)}"
    return (
        f'<div class="hero"><div class="score"><p class="metric">{safe(title)}</p>'
        f'<p class="figure" style="--length:{len(large) + bool(sign)}">'
        f"{data(best.score.value, large)}{sign}</p>"
        f'<p class="bounds">{safe(bounds)}</p></div><figure class="rivals">{plot}</figure></div>'
        f"{paragraph(story.lead, 'lead')}{_told(story)}{_facts(story)}"
    )


def _over(cell: Cell, written: Scale) -> str:
    """Say on what a mean stands."""
    n = count(cell.score.n, "seed")
    if cell.score.n < 2:
        return f"{n}, so no interval"
    return f"95{NARROW}% interval {written.range(cell.score)}, {n}"


def _told(story: StudyStory) -> str:
    """Return the findings as a list."""
    items = "".join(f"<li>{safe(finding)}</li>" for finding in story.findings)
    return f'<ul class="findings">{items}</ul>' if items else ""


def _facts(story: StudyStory) -> str:
    """Return the few facts a person asks for first."""
    runs = sum(len(cell.seeds) for cell in story.cells)
    asked = story.missing.asked or runs
    facts = [
        ("Settings", str(len(story.cells))),
        ("Trainings", f"{runs:,} of {asked:,}" if runs != asked else f"{runs:,}"),
        ("Measured on", f"{max(cell.pictures for cell in story.cells):,} {story.split} pictures"),
        ("Training time", duration(sum(cell.total for cell in story.cells))),
    ]
    return pairs([(label, safe(value)) for label, value in facts], "facts")


def limits(story: StudyStory) -> str:
    """Return what the numbers do not say."""
    if not story.limits:
        return ""
    return f'<ul class="limits">{"".join(f"<li>{safe(told)}</li>" for told in story.limits)}</ul>'


def settings(story: StudyStory) -> str:
    """Return every setting with mean, spread, interval, best, cost, the best first."""
    if not story.cells:
        return ""
    written = scale(story)
    ordered = sorted(story.cells, key=lambda cell: -story.sign * cell.score.value)
    ends = [v for c in ordered for v in (c.score.low, c.score.high, c.score.value)]
    finite = [v for v in ends if math.isfinite(v)]
    low, high = min(finite), max(finite)
    unit = " (%)" if written.share else ""
    rows = [
        [
            name(cell.name),
            f"<b>{data(cell.score.value, written.bare(cell.score.value))}</b>",
            safe(_spread(cell.deviation, written)),
            safe(written.range(cell.score).replace(f"{NARROW}%", "")),
            safe(written.bare(cell.best)),
            f"{len(cell.seeds)}" + (f" of {len(cell.seeds) + cell.failed}" if cell.failed else ""),
            duration(cell.seconds),
            quantity(cell.rate),
            _span(cell, low, high),
        ]
        for cell in ordered
    ]
    heads = ["Setting", f"Mean{unit}", "SD", f"95{NARROW}% interval", "Best", "Seeds"]
    heads += ["Median time", "Images/s", '<span class="hidden">interval</span>']
    n = max(cell.pictures for cell in story.cells)
    caption = f"{term(story.metric).title} on {n:,} {story.split} pictures, the best first"
    told = table(caption, heads, rows, numbers="tnnnnnnnb")
    about = paragraph(
        "Mean, standard deviation (n − 1) and Student's interval are over the seeds of a setting. "
        "Time and images a second are those of training.",
        "soft",
    )
    whole = folded(f"Table of all {len(rows)} settings", told) if len(rows) > LONG else told
    return whole + about


def _spread(deviation: float, written: Scale) -> str:
    """Write a standard deviation; a dash where one seed has none."""
    return written.bare(deviation) if math.isfinite(deviation) else "–"


def _span(cell: Cell, low: float, high: float) -> str:
    """Return the interval of a setting on a line from the lowest bound of all to the highest."""
    room = (high - low) or 1.0
    bounds = (cell.score.low, cell.score.high, cell.score.value)
    left, right, spot = (100 * (v - low) / room if math.isfinite(v) else math.nan for v in bounds)
    if not math.isfinite(left):
        left = right = spot
    wide, middle = max(right - left, 0.5), min(max(spot - 0.6, 0.0), 98.8)
    return (
        '<svg class="bar range" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="4.5" width="100" height="1"/>'
        f'<rect class="reach" x="{left:.1f}" y="2" width="{wide:.1f}" height="6"/>'
        f'<rect class="fill" x="{middle:.1f}" width="1.2" height="10"/></svg>'
    )


def grid(story: StudyStory) -> str:
    """Return a heat map of two fields, or the means of each field where there are others."""
    varying = [field for field, values in story.fields.items() if len(values) > 1]
    if len(varying) < 2 or not story.cells:
        return ""
    heat = _heat(story, varying) if len(varying) == 2 else ""
    written, parts = scale(story), []
    for field in varying:
        rows = [
            [
                name(cell.name),
                data(cell.score.value, written.bare(cell.score.value)),
                safe(written.range(cell.score).replace(f"{NARROW}%", "")),
                str(len(cell.seeds)),
            ]
            for cell in story.marginals.get(field, ())
        ]
        if rows:
            title = opened(field.replace("_", " "))
            unit = " (%)" if written.share else ""
            heads = [safe(title), f"Mean{unit}", f"95{NARROW}% interval", "Seeds"]
            parts.append(table(f"{title}, averaged over the rest", heads, rows))
    return f'{heat}<div class="panels">{"".join(parts)}</div>'


def _heat(story: StudyStory, varying: Sequence[str]) -> str:
    """Return means of two fields as a coloured table, the longer field downwards."""
    across, down = sorted(varying, key=lambda field: len(story.fields[field]))
    if len(story.fields[across]) == len(story.fields[down]):
        across, down = varying
    found = {(dict(c.setting)[down], dict(c.setting)[across]): c for c in story.cells}
    written = scale(story)
    shades = {
        column: _shades([found.get((row, column)) for row in story.fields[down]], story.sign)
        for column in story.fields[across]
    }
    body = []
    for place, row in enumerate(story.fields[down]):
        cells = [f'<th scope="row">{name(row)}</th>']
        for column in story.fields[across]:
            cell = found.get((row, column))
            if cell is None:
                cells.append('<td class="h none">not run</td>')
                continue
            shade = shades[column][place]
            top = " best" if shade == 1 else ""
            spread = f"± {_spread(cell.deviation, written)}" if len(cell.seeds) > 1 else "one seed"
            cells.append(
                f'<td class="h{top}" style="--share:{shade:.2f}">'
                f"{data(cell.score.value, written.bare(cell.score.value))}"
                f'<span class="sense">{spread}</span></td>'
            )
        body.append(f"<tr>{''.join(cells)}</tr>")
    heads = "".join(f'<th scope="col" class="h">{name(c)}</th>' for c in story.fields[across])
    caption = f"Mean ± standard deviation: {down.replace('_', ' ')} (rows) with "
    caption += f"{across.replace('_', ' ')} (columns)" + (", per cent" if written.share else "")
    corner = safe(opened(down.replace("_", " ")))
    return (
        f'<div class="wide"><table class="heat-table"><caption>{safe(caption)}</caption>'
        f'<thead><tr><th scope="col">{corner}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
        + paragraph(
            "The stronger the colour, the better within its column; the best of each is bold. "
            "Outliers do not stretch the colours.",
            "soft",
        )
    )


def _shades(column: Sequence[Cell | None], sign: int) -> list[float]:
    """Return how strongly each cell of a column is coloured, from 0 to 1 for the best.

    What lies far below the others (Tukey's fence) counts as the lowest of them, or one bad setting
    would make all others look alike.
    """
    values = [sign * cell.score.value for cell in column if cell is not None]
    if not values:
        return [0.0] * len(column)
    ordered = sorted(values)
    first, third = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    low = max(ordered[0], first - 1.5 * (third - first))
    room = (ordered[-1] - low) or 1.0
    return [
        0.0 if cell is None else min(max((sign * cell.score.value - low) / room, 0.0), 1.0)
        for cell in column
    ]


def beside(story: StudyStory) -> str:
    """Return our means beside the published ones, setting by setting."""
    if not story.published:
        return ""
    written = scale(story)
    ours = {cell.setting: cell for cell in story.cells}
    order = [*ours, *(p.setting for p in story.published if p.setting not in ours)]
    rows = [row for setting in order if (row := _pair(story, setting, ours.get(setting), written))]
    unit = " (%)" if written.share else ""
    heads = ["Setting", f"Ours{unit}", f"95{NARROW}% interval", "Best", "n"]
    heads += [f"Theirs{unit}", "Their best", "Ours − theirs"]
    source = story.source or "published"
    told = table(f"Beside {source}", heads, rows)
    return told + paragraph(
        "n counts our seeds. The published table gives no interval; a difference in bold has our "
        "whole interval on one side of the published mean.",
        "soft",
    )


def _pair(story: StudyStory, setting: Setting, cell: Cell | None, written: Scale) -> list[str]:
    """Return one row of ``beside``; none where nobody published the setting."""
    theirs = story.published_of(setting)
    if theirs is None:
        return []
    label = cell.name if cell else ", ".join(value for _, value in setting)
    best = "–" if theirs.best is None else written.bare(theirs.best)
    if cell is None:
        return [name(label), "not run", "–", "–", "0", written.bare(theirs.mean), best, "–"]
    gap = written.signed(cell.score.value - theirs.mean)
    outside = theirs.mean < cell.score.low or theirs.mean > cell.score.high
    return [
        name(label),
        data(cell.score.value, written.bare(cell.score.value)),
        safe(written.range(cell.score).replace(f"{NARROW}%", "")),
        safe(written.bare(cell.best)),
        str(len(cell.seeds)),
        safe(written.bare(theirs.mean)),
        safe(best),
        f"<b>{safe(gap)}</b>" if outside else safe(gap),
    ]
