"""The part of a page about the run: time against plan, speed and file, recipe, how to repeat it."""

from __future__ import annotations

from opsin.report.limits import limits as stated
from opsin.report.markup import bar, folded, name, pairs, paragraph, safe, table
from opsin.report.story import Story
from opsin.report.words import duration, opened, quantity, weight


def timeline(story: Story) -> str:
    """Return how long every part took against its plan, and what was decided on the way."""
    planned = dict(story.plan.parts) if story.plan else {}
    took = {part.part: part for part in story.parts}
    longest = max([*planned.values(), *(p.seconds for p in story.parts)], default=0.0) or 1.0
    rows = []
    for label in dict.fromkeys([*took, *planned]):
        part = took.get(label)
        rows.append(
            [
                f'{name(label)}<span class="sense">{safe(part.text if part else "")}</span>',
                *([duration(planned[label]) if label in planned else "–"] if planned else []),
                duration(part.seconds) if part else "not run",
                bar(part.seconds / longest if part else 0.0),
            ]
        )
    parts = []
    if rows:
        heads = [
            "Part",
            *(["Planned"] if planned else []),
            "Took",
            '<span class="hidden">bar</span>',
        ]
        about = "Parts of the run" + (" against the plan" if planned else "")
        parts.append(table(about, heads, rows, numbers="t" + "n" * (len(heads) - 2) + "b"))
    if story.plan and story.plan.budget:
        told = f"Budget {duration(story.plan.budget)}, whole run {duration(story.seconds)}."
        parts.append(paragraph(told, "soft"))
    if story.notes:
        told = "".join(f"<li>{safe(note)}</li>" for note in story.notes)
        parts.append(f'<h3>Decided on the way</h3><ol class="notes">{told}</ol>')
    return "".join(parts)


def product(story: Story) -> str:
    """Return what a person ships: the file, its speed, and where its weights come from."""
    facts = [
        (opened(label), f"{quantity(v)} {safe(unit)}") for label, (v, unit) in story.speed.items()
    ]
    if story.model:
        facts.append(("Model file", f'<code class="long">{name(story.model)}</code>'))
    if story.model_bytes:
        facts.append(("Size", weight(story.model_bytes)))
    if story.sha256:
        facts.append(("SHA-256", f'<code class="long">{safe(story.sha256)}</code>'))
    if story.weights:
        facts.append(("Pretrained weights", name(story.weights)))
    if story.licence:
        facts.append(("Licence of the weights", name(story.licence)))
    return pairs(facts) if facts else ""


def recipe(story: Story) -> str:
    """Return every setting, folded, those that differ from the default marked."""
    parts = []
    if story.recipe:
        usual = type(story.recipe)().to_dict()
        rows = [
            [
                f"<code>{safe(key)}</code>",
                f"<b>{safe(value)}</b>" if value != usual[key] else _plain(value),
                _plain(usual[key]),
            ]
            for key, value in story.recipe.to_dict().items()
        ]
        told = table("Settings of the run", ["Setting", "Value", "Default"], rows, numbers="ttt")
        parts.append(folded("All settings", told))
    if story.preprocessing:
        told_pairs = [
            (key, safe(_list(value))) for key, value in story.preprocessing.to_dict().items()
        ]
        parts.append(folded("Preprocessing", pairs(told_pairs)))
    if story.versions:
        parts.append(folded("Versions", pairs([(k, safe(v)) for k, v in story.versions.items()])))
    return "".join(parts)


def _plain(value: object) -> str:
    """Return a setting in soft writing; None is a dash."""
    return f'<span class="soft">{"–" if value is None else safe(value)}</span>'


def _list(value: object) -> str:
    """Return a value, a list without its brackets."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def reproduce(story: Story) -> str:
    """Return the command lines that lead to this model again."""
    if not story.commands:
        return ""
    return f"<pre><code>{safe(chr(10).join(story.commands))}</code></pre>"


def limits(story: Story) -> str:
    """Return what the score does not say."""
    return f'<ul class="limits">{"".join(f"<li>{safe(told)}</li>" for told in stated(story))}</ul>'
