"""The part of a study's page about the work: cost, what failed or was not run, how to repeat it."""

from __future__ import annotations

from collections.abc import Sequence

from opsin.figures import count
from opsin.report.markup import bar, folded, name, pairs, paragraph, safe, table
from opsin.report.study_story import Cell, StudyStory
from opsin.report.words import duration, opened, quantity

FAILED = 40  # failures that are named one by one


def cost(story: StudyStory) -> str:
    """Return what training took: for each value of each field, and in all."""
    if not story.cells:
        return ""
    total = sum(cell.total for cell in story.cells)
    images = sum(cell.images for cell in story.cells)
    runs = sum(len(cell.seeds) for cell in story.cells)
    told = (
        f"{count(runs, 'training')} took {duration(total)} in all, their times added up, and saw "
        f"{images:,} pictures: {quantity(images / total) if total else 'n/a'} a second."
    )
    groups = [(f"{opened(field.replace('_', ' '))}: {v}", cells) for field, v, cells in _by(story)]
    rows = [_cost(label, cells, total) for label, cells in groups]
    heads = ["Of", "Trainings", "Median time", "In all", "Pictures", "Images/s"]
    heads += ['<span class="hidden">share</span>']
    return paragraph(told) + (
        table("What each value took", heads, rows, numbers="tnnnnnb") if rows else ""
    )


def _by(story: StudyStory) -> list[tuple[str, str, list[Cell]]]:
    """Return the settings of every value of every field that varies."""
    return [
        (field, value, cells)
        for field, values in story.fields.items()
        if len(values) > 1
        for value in values
        if (cells := [cell for cell in story.cells if dict(cell.setting)[field] == value])
    ]


def _cost(label: str, cells: Sequence[Cell], whole: float) -> list[str]:
    """Return one row of the table of costs."""
    seconds = sum(cell.total for cell in cells)
    images = sum(cell.images for cell in cells)
    middle = sorted(cell.seconds for cell in cells)[len(cells) // 2]
    return [
        name(label),
        str(sum(len(cell.seeds) for cell in cells)),
        duration(middle),
        duration(seconds),
        f"{images:,}",
        quantity(images / seconds) if seconds else "n/a",
        bar(seconds / whole if whole else 0.0, "grey"),
    ]


def holes(story: StudyStory) -> str:
    """Return what failed with its reason, and what was not run."""
    parts = []
    if story.failures:
        rows = [
            [name(setting), str(seed), safe(reason)]
            for setting, seed, reason in story.failures[:FAILED]
        ]
        parts.append(table("Failed", ["Setting", "Seed", "Reason"], rows, numbers="tnt"))
        if len(story.failures) > FAILED:
            parts.append(paragraph(f"And {len(story.failures) - FAILED:,} more.", "soft"))
    if story.missing.count:
        told = f"{story.missing.count:,} of {count(story.missing.asked, 'training')} were not run."
        parts.append(paragraph(told))
        rows = [
            [name(setting), ", ".join(map(str, seeds))]
            for setting, seeds in list(story.missing.settings.items())[:FAILED]
        ]
        if rows:
            listed = table("Not run", ["Setting", "Seeds"], rows, numbers="tt")
            parts.append(folded("Which", listed))
    return "".join(parts)


def repeat(story: StudyStory) -> str:
    """Return how to get this study again: lines to type, the grid, the machine, versions."""
    parts = []
    if story.commands:
        parts.append(f"<pre><code>{safe(chr(10).join(story.commands))}</code></pre>")
    facts = [
        (opened(field.replace("_", " ")), safe(", ".join(values)))
        for field, values in story.fields.items()
    ]
    if story.asked_seeds:
        facts.append(("Seeds", safe(", ".join(map(str, story.asked_seeds)))))
    if story.data:
        facts.append(("Data", name(story.data)))
    if story.machine:
        facts.append(("Machine", safe(story.machine)))
    parts.append(pairs(facts))
    if story.base:
        rows = [(key, safe(value)) for key, value in story.base.items()]
        parts.append(folded("Settings all have in common", pairs(rows)))
    if story.versions:
        told = pairs([(key, safe(value)) for key, value in story.versions.items()])
        parts.append(folded("Versions", told))
    return "".join(parts)
