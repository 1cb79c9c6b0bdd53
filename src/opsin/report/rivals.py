"""What a page says of classical pipelines: by how much the model beats the best of them, or not."""

from __future__ import annotations

from opsin.figures import Metric, count
from opsin.report.markup import data, paragraph, safe, table
from opsin.report.story import Classical, Pipeline, Story
from opsin.report.svg import intervals
from opsin.report.words import (
    NARROW,
    duration,
    figure,
    interval,
    number,
    opened,
    percent,
    term,
)


def verdict(classical: Classical, better: str) -> str:
    """Say whether the model beats the best classical pipeline, and by how much; "" without one.

    >>> hog = Pipeline("hog", "HoG", "", Metric(0.7, 0.6, 0.8, 90), 500, 1.0)
    >>> shown = Classical(
    ...     subject="CNN",
    ...     own=0.8,
    ...     best=hog,
    ...     lead=Metric(0.1, 0.05, 0.15, 90),
    ...     pipelines=(hog,),
    ...     left_out=(),
    ...     of=500,
    ...     asked_of=90,
    ... )
    >>> print(verdict(shown, "accuracy").split(":")[0].replace(NARROW, " "))
    The CNN beats the best classical pipeline by 10.0 points (95 % interval 5.0 to 15.0)
    """
    best, lead = classical.best, classical.lead
    if best is None or lead is None:
        return ""
    who, whom = f"the {classical.subject}", "the best classical pipeline"
    values = f"{figure(better, classical.own)} against {figure(better, best.metric.value)}"
    fewer = "" if best.taught == classical.of else f", which learnt from {_share(best, classical)},"
    on = f"{values} of {best.called} with a linear SVM{fewer} on the same {_pictures(lead)}"
    if lead.low > 0:
        return f"{opened(who)} beats {whom} by {_by(better, lead)}: {on}."
    if lead.high < 0:
        turned = Metric(-lead.value, -lead.high, -lead.low, lead.n)
        return f"{opened(whom)} beats {who} by {_by(better, turned)}: {on}."
    if lead.value == 0:
        return f"That {who} beats {whom} is not shown: {on}, no more and no less."
    place = "ahead" if lead.value > 0 else "behind"
    gap = f"it is {_by(better, lead, size=True)} {place}, which may be chance"
    return f"That {who} beats {whom} is not shown: {gap}. It is {on}."


def _by(better: str, lead: Metric, *, size: bool = False) -> str:
    """Write a lead with its interval, in points where the metric is a share.

    With ``size``, how large it is, whichever way; the interval keeps its signs.
    """
    points = term(better).share
    value, low, high = (
        (percent(v, unit=False) if points else number(v)).replace("-", "\N{MINUS SIGN}")
        for v in (abs(lead.value) if size else lead.value, lead.low, lead.high)
    )
    return f"{value}{' points' if points else ''} (95{NARROW}% interval {low} to {high})"


def _share(pipeline: Pipeline, classical: Classical) -> str:
    return f"{pipeline.taught:,} of {count(classical.of, 'picture')}"


def _pictures(lead: Metric) -> str:
    return count(lead.n, "picture")


def rivals(story: Story) -> str:
    """Return the chart and the table of all classical pipelines, and how to fit one in full."""
    classical = story.classical
    if classical is None or not (classical.pipelines or classical.left_out):
        return ""
    if not classical.pipelines:
        return paragraph(f"There was no time to fit any. {_in_full(classical)}")
    asked = classical.pipelines[0].metric.n
    rows = [
        [
            f'{safe(each.called)}<span class="sense">{safe(each.paper)}</span>',
            data(each.metric.value, figure(story.better, each.metric.value)),
            safe(interval(story.better, each.metric)),
            _taught(each, classical),
            duration(each.seconds),
        ]
        for each in classical.pipelines
    ]
    heads = ["Description", safe(term(story.better).title), f"95{NARROW}% interval"]
    told = table(
        "Each with a linear support vector machine",
        [*heads, "Learnt from", "Took"],
        rows,
    )
    chart = intervals(
        story.better,
        {"This model": story.score} | {each.called: each.metric for each in classical.pipelines},
    )
    about = "Before nets learnt to see, pictures were described by rules like these. They learnt "
    about += "from the same training pictures as the model"
    if asked < classical.asked_of:
        about += f", and were asked {asked:,} of the {classical.asked_of:,} held-out ones"
    return (
        paragraph(verdict(classical, story.better))
        + paragraph(f"{about}.", "soft")
        + f'<div class="panels"><figure>{chart}</figure></div>{told}'
        + paragraph(_in_full(classical), "soft")
    )


def _taught(each: Pipeline, classical: Classical) -> str:
    """Say how many pictures a pipeline learnt from, of how many where not of all."""
    whole = each.taught == classical.of
    return f"{each.taught:,}" if whole else f"{each.taught:,} of {classical.of:,}"


def _in_full(classical: Classical) -> str:
    """Say which pipelines saw less than all pictures, and what to type to change that."""
    fewer = [each.net for each in classical.pipelines if each.taught < classical.of]
    told = []
    if classical.left_out:
        told.append(f"Left out for lack of time: {', '.join(classical.left_out)}.")
    if fewer:
        told.append(f"With more time, these would have learnt from more: {', '.join(fewer)}.")
    if told:
        name = (*classical.left_out, *fewer)[0]
        told.append(f"To see one in full: opsin train DATA --net {name}")
    return " ".join(told)
