"""The whole page of a study: its order, its comparisons and curves, and how it comes on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opsin.figures import count
from opsin.files import write_text
from opsin.report import study_cells, study_cost, study_speed, study_votes
from opsin.report.markup import folded, name, paragraph, safe, table
from opsin.report.page import framed
from opsin.report.study_cells import scale
from opsin.report.study_charts import critical, forest, learning, panel
from opsin.report.study_scale import chance, probability, quoted
from opsin.report.study_story import Curve, Difference, Evidence, Family, StudyStory
from opsin.report.words import NARROW

DRAWN = 40  # comparisons that are drawn
PANELS = 6  # panels of curves

HOW = (
    "Blue: shown to differ for other trainings on other pictures. The thick line is the "
    f"95{NARROW}% interval over pictures, for the nets that were trained; the thin one is over "
    "trainings as well."
)


def differences(story: StudyStory) -> str:
    """Return by how much the best setting leads each other one."""
    if not story.against.differences or story.best is None:
        return ""
    told = f"How much better {quoted(story.best.name)} is than each other setting, corrected for "
    told += f"{count(story.against.made, 'comparison')}: any pair might have been looked at."
    return paragraph(told) + _family(story, story.against, "second", f"lead of {story.best.name}")


def gained(story: StudyStory) -> str:
    """Return by how much each setting differs from the baseline of its own kind."""
    if not story.gained.differences:
        return ""
    told = (
        f"Each setting beside {quoted(story.baseline)} with everything else equal, corrected for "
    )
    told += f"{count(story.gained.made, 'comparison')}."
    return paragraph(told) + _family(story, story.gained, "first", f"gain over {story.baseline}")


def _family(story: StudyStory, family: Family, named: str, about: str) -> str:
    """Return comparisons as a chart, and as a folded table with every p value."""
    written = scale(story)

    def called(each: Difference) -> str:
        return str(getattr(each, named))

    shown = family.differences[:DRAWN]
    unit = ", points" if written.share else ""
    chart = forest(shown, written, called, f"{about}{unit}")
    rest = len(family.differences) - len(shown)
    more = paragraph(f"The closest {DRAWN} are drawn; {rest:,} more are below.", "soft")
    rows = [
        [
            name(called(each)),
            safe(written.signed(each.gain)),
            safe(written.bounds(each.interval)),
            _tested(each.both, corrected=True),
            _tested(each.pictures, corrected=True),
            _tested(each.seeds, corrected=False),
            f"{each.ahead} of {each.pairs}",
        ]
        for each in family.differences
    ]
    heads = ["Setting", f"Gain{unit}", f"95{NARROW}% interval", "p, both", "p, pictures"]
    heads += ["p, seeds", "Seeds ahead"]
    least = [each.seeds.smallest for each in family.differences if each.seeds]
    note = "p over trainings and pictures, and over pictures alone, are corrected (Holm); p over "
    note += "seeds alone is not"
    note += f", and cannot be below {min(least):g} with so few." if least else "."
    inside = table("Paired differences", heads, rows) + paragraph(note, "soft")
    return (
        f'<figure><div class="wide">{chart}</div></figure>{paragraph(HOW, "soft")}'
        + (more if rest > 0 else "")
        + folded(f"All {len(rows)} differences in numbers", inside)
    )


def _tested(evidence: Evidence | None, *, corrected: bool) -> str:
    """Write the p value of one question, in bold where it shows a difference."""
    if evidence is None:
        return "–"
    shown = chance(evidence.corrected if corrected else evidence.p)
    return f"<b>{safe(shown)}</b>" if corrected and evidence.shown else safe(shown)


def ranks(story: StudyStory) -> str:
    """Return average ranks with their critical difference."""
    found = story.ranked
    if found is None:
        return ""
    told = (
        f"Average rank of each {found.field.replace('_', ' ')} over "
        f"{count(found.blocks, 'block')}: one seed with everything else equal. Friedman's test "
        f"that all are alike gives {probability(found.p)}; two are told apart where their ranks "
        "differ by more than the critical difference (Nemenyi)."
    )
    left = f" {count(found.left_out, 'block')} without every value left out."
    return (
        paragraph(told + (left if found.left_out else ""))
        + f'<figure><div class="wide">{critical(found)}</div></figure>'
    )


def curves(story: StudyStory) -> str:
    """Return learning curves, a panel for each setting of all but the field that is ranked."""
    groups = _groups(story)
    if not groups:
        return ""
    panels = []
    for label, group in groups:
        kinds, names = _marked(story, group)
        for by_time, x in ((False, "epoch"), (True, "seconds of training")):
            drawn = learning(panel(group, kinds, by_time, names), x, scale(story))
            title = f"{label}, over {x}" if label else f"Over {x}"
            panels.append(f"<figure><figcaption>{name(title)}</figcaption>{drawn}</figure>")
    told = (
        "Means over seeds; the bands reach from the lowest seed to the highest. Grey: the others."
    )
    return paragraph(told, "soft") + f'<div class="panels">{"".join(panels)}</div>'


def _groups(story: StudyStory) -> list[tuple[str, list[Curve]]]:
    """Return the curves by all fields but the ranked one; the best few groups of many."""
    main = story.ranked.field if story.ranked else ["", *story.fields][-1]
    groups: dict[str, list[Curve]] = {}
    for curve in story.curves:
        if curve.points:
            rest = ", ".join(value for field, value in curve.setting if field != main)
            groups.setdefault(rest, []).append(curve)
    reached = {cell.setting: story.sign * cell.score.value for cell in story.cells}
    order = sorted(groups, key=lambda key: -max(reached[c.setting] for c in groups[key]))
    kept = set(order[:PANELS])
    return [(key, group) for key, group in groups.items() if key in kept]


def _marked(story: StudyStory, group: Sequence[Curve]) -> tuple[dict[str, str], dict[str, str]]:
    """Return which curves of a panel are coloured, and what they are called there."""
    reached = {cell.setting: story.sign * cell.score.value for cell in story.cells}
    best = max(group, key=lambda curve: reached[curve.setting])
    plain = [c for c in group if story.baseline in dict(c.setting).values() and c is not best]
    kinds, names = {best.name: "s0"}, {best.name: f"{best.name} (best here)"}
    for curve in plain[:1]:
        kinds[curve.name], names[curve.name] = "s2", curve.name
    return kinds, names


SECTIONS = (
    ("limits", "Limits", study_cells.limits),
    ("settings", "Every setting", study_cells.settings),
    ("grid", "The grid", study_cells.grid),
    ("beside", "Beside others", study_cells.beside),
    ("speed", "Score against speed", study_speed.speed),
    ("differences", "The best against the rest", differences),
    ("gained", "Against the baseline", gained),
    ("ranks", "Ranks", ranks),
    ("ensembles", "Ensembles", study_votes.ensembles),
    ("missed", "Missed by all", study_votes.missed),
    ("curves", "Learning", curves),
    ("cost", "Cost", study_cost.cost),
    ("holes", "Not in the table", study_cost.holes),
    ("repeat", "How to repeat it", study_cost.repeat),
)


def page(story: StudyStory) -> str:
    """Return the page of a study as one HTML file that needs nothing else."""
    return framed(
        story.title,
        study_cells.headline(story),
        [(key, title, make(story)) for key, title, make in SECTIONS],
        kind="study",
        when=story.when,
        foot="Made by Opsin. All numbers but those of others were measured in this study.",
    )


def write(story: StudyStory, path: str | Path) -> Path:
    """Write the page to ``path``, beside it first and then renamed, so that it is never torn."""
    write_text(Path(path), page(story))
    return Path(path)
