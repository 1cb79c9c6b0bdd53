"""The part of a study's page about speed: what each setting reaches, and how long it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from opsin.report.markup import folded, name, paragraph, safe, table
from opsin.report.study_cells import scale
from opsin.report.study_scale import BOUND, brief, listed, quoted
from opsin.report.study_scatter import scatter
from opsin.report.study_story import Cell, StudyStory
from opsin.report.words import NARROW

SAME = 1.05  # times as long, below which nobody would say longer


def timed(story: StudyStory) -> list[Cell]:
    """Return the settings whose speed was measured, the fastest first; [] of fewer than two."""
    found = [cell for cell in story.cells if math.isfinite(cell.milliseconds)]
    return sorted(found, key=lambda cell: cell.milliseconds) if len(found) > 1 else []


def front(story: StudyStory) -> list[Cell]:
    """Return the settings that no other beats, the fastest first: Pareto's front.

    Another beats a setting if it is at least as fast and at least as good, and one of the two is
    more. Of settings that tie in both, all stay.
    """
    found = timed(story)
    return [cell for cell in found if not any(_beats(other, cell, story.sign) for other in found)]


def _beats(one: Cell, other: Cell, sign: int) -> bool:
    """Say whether one setting makes another pointless."""
    better = sign * (one.score.value - other.score.value)
    faster = other.milliseconds - one.milliseconds
    return better >= 0 and faster >= 0 and (better > 0 or faster > 0)


def told(story: StudyStory) -> str:
    """Return in words which is the fastest, which the best, and what the best costs; or ""."""
    found, written = front(story), scale(story)
    if not found:
        return ""
    if alike := _alike(story):
        return alike
    fastest, best = found[0], max(found, key=lambda cell: story.sign * cell.score.value)
    quick = f"{brief(fastest.milliseconds)}{BOUND}ms a picture"
    reached = written.score(fastest.score.value)
    if fastest is best:
        return f"{quoted(best.name)} is both the fastest ({quick}) and the best ({reached})."
    gain = written.gain(best.score.value - fastest.score.value)
    times = best.milliseconds / fastest.milliseconds
    longer = "about the same time" if times < SAME else f"{_times(times)} times the time"
    middle = [cell.name for cell in found if cell not in (fastest, best)]
    between = f" Between them nothing beats {listed(middle)}." if middle else ""
    return (
        f"{quoted(fastest.name)} is the fastest, {quick} for {reached}; {quoted(best.name)} is the "
        f"best, {written.score(best.score.value)}: {gain} better for {longer}"
        f"{_doubt(story, fastest, best)}.{between}"
    )


def _alike(story: StudyStory) -> str:
    """Return what to say where settings differ no more in speed than seeds of one setting do."""
    cells = timed(story)
    apart = cells[-1].milliseconds / cells[0].milliseconds
    swing = median(cell.swing for cell in cells)
    if apart > swing:
        return ""
    return (
        f"No setting is told apart from another in speed: the slowest takes {apart:.2f} times what "
        f"the fastest takes, and seeds of one setting differ {swing:.2f} times."
    )


def _times(value: float) -> str:
    """Return how many times, with a decimal where it matters.

    >>> _times(1.26), _times(41.7)
    ('1.3', '42')
    """
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _doubt(story: StudyStory, one: Cell, other: Cell) -> str:
    """Return what to add where no test shows that two settings differ in their score."""
    pair = {one.name, other.name}
    shown = any({d.first, d.second} == pair and d.settled for d in story.against.differences)
    return "" if shown else ", a gain that is not shown"


def speed(story: StudyStory) -> str:
    """Return the chart of score against milliseconds a picture, with the front in words."""
    cells, best = timed(story), front(story)
    if not cells:
        return ""
    drawing, unnamed = scatter(cells, best, scale(story), story.sign)
    rest = f" {unnamed:,} found no room for their name." if unnamed else ""
    inside = table(
        "Milliseconds a picture",
        ["Setting", "ms", "Score", f"95{NARROW}% interval", "Front", "Runtime"],
        [_row(story, cell, best) for cell in cells],
        numbers="tnnntt",
    )
    return (
        paragraph(told(story))
        + f'<figure><div class="wide">{drawing}</div></figure>'
        + paragraph(_how(story) + rest, "soft")
        + folded(f"All {len(cells):,} settings in milliseconds", inside)
    )


def _how(story: StudyStory) -> str:
    """Return how it was timed, and what disturbs it."""
    many = max(story.at_once, default=0)
    beside = f" Up to {many:,} rows were in work at once, which slows each." if many > 1 else ""
    return (
        "Blue: Pareto's front, which no setting beats in both. The time is that of one picture "
        "alone, from its file or pixels to the answer: the median of held-out pictures, one after "
        f"the other, and then of seeds. Many pictures at once take less each.{beside}"
    )


def _row(story: StudyStory, cell: Cell, best: Sequence[Cell]) -> list[str]:
    """Return a setting's row in the table."""
    written = scale(story)
    return [
        name(cell.name),
        brief(cell.milliseconds),
        safe(written.score(cell.score.value)),
        safe(written.range(cell.score)),
        "yes" if cell in best else "",
        safe(", ".join(cell.runtimes)),
    ]
