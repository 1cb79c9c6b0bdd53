"""The part of a page about how good it is: headline, metrics, classes, figures, mistakes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from opsin.figures import Figure, Lines, Matrix, Metric, count
from opsin.report.data import LONG, gallery
from opsin.report.limits import weakest
from opsin.report.markup import bar, data, folded, name, pairs, paragraph, safe, table
from opsin.report.rivals import verdict
from opsin.report.story import Story
from opsin.report.svg import draw, intervals
from opsin.report.words import (
    NARROW,
    Term,
    comparison,
    duration,
    figure,
    interval,
    opened,
    percent,
    quantity,
    sentence,
    term,
    weight,
)

PICTURES = dict.fromkeys(("n", "support", "images", "count", "pictures"), "Pictures")
OBJECTS = {"objects": "Objects", "right": "Right", "wrong": "Wrong", "missed": "Missed"}
COUNTS = PICTURES | OBJECTS  # columns that are counted, and what they are called
PAIRS = 12  # confusions that are listed in words
SETS = re.compile(r"\b(train|training|validation|valid|val)\b")


def headline(story: Story) -> str:
    """Return the score in large figures, its sentence, and its place among the baselines."""
    score, about = story.score, term(story.better)
    large = percent(score.value, unit=False) if about.share else figure(story.better, score.value)
    sign = f'<span class="unit">{NARROW}%</span>' if about.share and score.n else ""
    bounds = f"95{NARROW}% interval {interval(story.better, score)}, n = {score.n:,}"
    best = story.classical.best if story.classical else None
    classical = {f"{best.called}, linear SVM": best.metric} if best else {}
    plot = intervals(story.better, {"This model": score} | classical | story.rivals)
    return (
        f'<div class="hero"><div class="score"><p class="metric">{safe(about.title)}</p>'
        f'<p class="figure" style="--length:{len(large) + bool(sign)}">'
        f"{data(score.value, large)}{sign}</p>"
        f'<p class="bounds">{safe(bounds)}</p></div><figure class="rivals">{plot}</figure></div>'
        f"{paragraph(sentence(story), 'lead')}{_versus(story)}"
        f"{_more(comparison(story))}{_facts(story)}"
    )


def _versus(story: Story) -> str:
    """Return by how much the model beats classical pipelines, where any were fitted."""
    return _more(verdict(story.classical, story.better)) if story.classical else ""


def _more(text: str) -> str:
    """Return a further sentence, if there is one."""
    return paragraph(text, "soft") if text else ""


def _facts(story: Story) -> str:
    """Return the few facts a person asks for first."""
    facts = [("Task", story.task), ("Net", story.net), ("Policy", story.policy)]
    if story.held_out.classes:
        facts.append(("Classes", str(len(story.held_out.classes))))
    if story.total("train"):
        facts.append(("Learnt from", count(story.total("train"), "picture")))
    if story.seconds:
        facts.append(("Run took", duration(story.seconds)))
    if story.model_bytes:
        facts.append(("Model file", weight(story.model_bytes)))
    facts += [
        (opened(label), f"{quantity(v)} {unit}") for label, (v, unit) in [*story.speed.items()][:1]
    ]
    return pairs([(label, name(value)) for label, value in facts if value], "facts")


def metrics(story: Story) -> str:
    """Return every metric with its interval."""
    if not story.held_out.metrics:
        return ""
    shares = any(term(label).share for label in story.held_out.metrics)
    rows = []
    for label, metric in story.held_out.metrics.items():
        about = term(label)
        rows.append(
            [
                f'{safe(about.title)}<span class="sense">{safe(_sense(about))}</span>',
                data(metric.value, figure(label, metric.value)),
                safe(interval(label, metric)),
                f"{metric.n:,}",
            ]
            + ([_span(metric) if about.share else ""] if shares else [])
        )
    heads = ["Metric", "Value", f"95{NARROW}% interval", "n"]
    heads += ['<span class="hidden">bar</span>'] if shares else []
    return table(
        f"All metrics on the {story.split} split", heads, rows, numbers="tnnnb"[: len(heads)]
    )


def _sense(about: Term) -> str:
    """Say what a metric means, and where less of it is better, that too."""
    return about.meaning + ("; less is better" if about.sign < 0 else "")


def _span(metric: Metric) -> str:
    """Return the interval of a share on a line from 0 to 1."""
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return bar(metric.value)
    low, high, spot = (100 * min(max(v, 0.0), 1.0) for v in (metric.low, metric.high, metric.value))
    spot = min(max(spot - 0.6, 0.0), 98.8)  # half its width to the left, but inside
    return (
        '<svg class="bar range" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="4.5" width="100" height="1"/>'
        f'<rect class="reach" x="{low:.1f}" y="2" width="{max(high - low, 0.5):.1f}" height="6"/>'
        f'<rect class="fill" x="{spot:.1f}" width="1.2" height="10"/></svg>'
    )


def classes(story: Story) -> str:
    """Return the table of every class, folded where it is long, with the weakest named above."""
    if not (table_ := story.held_out.per_class):
        return ""
    columns = list(dict.fromkeys(column for row in table_.values() for column in row))
    shares = [c for c in columns if c not in COUNTS and _share(story, c)]
    rows = []
    for label, row in table_.items():
        cells = [name(label)]
        for column in columns:
            value = row.get(column, math.nan)
            if column in COUNTS:
                cells.append(f"{value:,.0f}" if math.isfinite(value) else "n/a")
            elif column in shares:
                shown = percent(value, unit=False)
                cells.append(data(value, shown) + bar(value))
            else:
                cells.append(data(value, figure(column, value)))
        rows.append(cells)
    heads = ["Class"]
    for column in columns:
        title = COUNTS.get(column) or term(column).title
        heads.append(safe(title + (" (%)" if column in shares else "")))
    told = table(f"Every class on the {story.split} split", heads, rows)
    whole = folded(f"Table of all {len(rows)} classes", told) if len(rows) > LONG else told
    return _more(weakest(story)) + whole


def _share(story: Story, column: str) -> bool:
    """Return whether all numbers of a column lie in 0..1."""
    found = [row.get(column, math.nan) for row in story.held_out.per_class.values()]
    return all(0 <= value <= 1 for value in found if math.isfinite(value))


def confusion(story: Story) -> str:
    """Return the confusion matrix and the commonest confusions in words."""
    cells, labels = story.held_out.confusion, story.held_out.classes
    if not cells:
        return ""
    chart = Matrix("Confusion: labelled (rows), said (columns)", labels, labels, cells)
    told = (
        f'<figure><figcaption>{safe(chart.title)}</figcaption><div class="wide">{draw(chart)}'
        "</div></figure>"
        + paragraph(
            "Blue is right, grey is wrong; the stronger, the larger its share of its row.", "soft"
        )
    )
    mixed = [
        (value, labels[i], labels[j], sum(row))
        for i, row in enumerate(cells)
        for j, value in enumerate(row)
        if i != j and value
    ]
    if not mixed:
        return told + paragraph("Nothing was confused.", "soft")
    mixed.sort(key=lambda found: -found[0])
    rows = [
        [name(truth), name(said), f"{value:,}", f"{total:,}", percent(value / total)]
        for value, truth, said, total in mixed[:PAIRS]
    ]
    heads = ["Labelled", "Said", "Pictures", "Of", "Share"]
    return told + table("The commonest confusions", heads, rows, numbers="ttnnn")


def figures(story: Story) -> str:
    """Return the other figures of the task, side by side."""
    return _panels(
        [
            chart
            for chart in story.held_out.figures
            if not (isinstance(chart, Matrix) and chart.cells == story.held_out.confusion)
        ]
    )


def _panels(charts: Sequence[Figure]) -> str:
    """Return charts with their titles in a grid."""
    told = (
        f'<figure><figcaption>{safe(chart.title)}</figcaption><div class="wide">{draw(chart)}'
        "</div></figure>"
        for chart in charts
    )
    return f'<div class="panels">{"".join(told)}</div>' if charts else ""


def curves(story: Story) -> str:
    """Return loss and error over the epochs of every policy that learnt in epochs."""
    series: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = {}
    for epoch in story.epochs:
        for label, value in epoch.terms.items():
            plain = label.replace("_", " ").replace("/", " ").replace(".", " ")
            what = " ".join(SETS.sub("", plain).split()) or plain
            lines = series.setdefault((epoch.policy, what), {})
            lines.setdefault("validation" if "val" in plain else "training", []).append(
                (float(epoch.epoch), value)
            )
    charts = [
        Lines(
            f"{policy}: {what}" if policy else what,
            "epoch",
            what,
            {label: tuple(points) for label, points in sorted(lines.items(), reverse=True)},
        )
        for (policy, what), lines in series.items()
    ]
    if not charts:
        told = "Nothing was learnt in epochs in this run, so there is no curve to show."
        return paragraph(told) if story.parts else ""
    best = [e for e in story.epochs if e.best]
    told = f"The best epoch was {best[-1].epoch} of {best[-1].epochs} ({best[-1].policy})."
    return _panels(charts) + (paragraph(told, "soft") if best else "")


def mistakes(story: Story) -> str:
    """Return the worst mistakes as pictures."""
    if not story.mistakes:
        cells = story.held_out.confusion
        right = sum(row[i] for i, row in enumerate(cells))
        flawless = bool(cells) and right == sum(map(sum, cells))
        return paragraph("None: every answer was right.") if flawless else ""
    pairs_ = any(picture.pair for picture in story.mistakes)
    told = "The worst first." + (" Left the truth, right what was said." if pairs_ else "")
    return paragraph(told, "soft") + gallery(story.mistakes)


def suspects(story: Story) -> str:
    """Return pictures whose label is likely to be wrong."""
    if not story.suspects:
        return ""
    told = "Here the label is more likely wrong than the model. Look at these first when cleaning."
    return paragraph(told, "soft") + gallery(story.suspects)
