"""What a study allows to be said, computed from its tests: never more than they show.

``lead`` is one sentence, ``findings`` what else was found, ``limits`` what it does not say. A
setting is called better only where other trainings on other pictures are shown to be better, after
correction; what is shown on other pictures alone is said of the nets that were trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from opsin.figures import count
from opsin.report.study_scale import Scale, listed, probability, quoted
from opsin.report.study_story import LEVEL, Cell, Difference, Family, Ranked, StudyStory
from opsin.report.words import NARROW, inside, opened, term

FEW = 6  # seeds from which flipping signs alone can show a difference
RANGE = f"95{NARROW}% interval"


def lead(story: StudyStory) -> str:
    """Say in one sentence which setting is best, if that can be said."""
    best, others = story.best, story.against.differences
    if best is None:
        return "No training was finished, so nothing can be said."
    name, reached = quoted(best.name), _reached(story, best)
    if not others:
        return f"One setting alone has a result, so there is nothing to compare: {name}, {reached}."
    if all(each.pairs < 2 for each in others):
        return (
            f"Nothing can be said of settings: each was trained once, and a second training may "
            f"turn the order round. The best came from {name}: {reached}."
        )
    shown = _beaten(story)
    level = [each.second for each in others if each.second not in shown]
    if not level:
        other = "the other setting" if len(others) == 1 else f"each of the other {len(others)}"
        return f"The best is {name}: {reached}, and better than {other}."
    if len(level) == len(others):
        other = "the other" if len(others) == 1 else "any other"
        return (
            f"No setting is shown to be best. The best mean is that of {name}: {reached}. It is "
            f"not told apart from {other}."
        )
    return (
        f"The best mean is that of {name}: {reached}. It is better than "
        f"{len(others) - len(level)} of the other {len(others)}, and not told apart from "
        f"{listed(level)}."
    )


def findings(story: StudyStory) -> tuple[str, ...]:
    """Say what else was found, the most asked for first."""
    told = [
        *_next(story),
        *_trainings(story),
        *_gained(story),
        *_ranked(story),
        *_chosen(story),
        *_agrees(story),
        *_votes(story),
        *_holes(story),
    ]
    return tuple(told)


def limits(story: StudyStory, remark: str = "") -> tuple[str, ...]:
    """Say what the numbers do not: ``remark`` is why answers on pictures could not be compared."""
    told = []
    seeds = max((len(cell.seeds) for cell in story.cells), default=0)
    if 1 < seeds < FEW:
        least = 2.0 ** (1 - seeds)
        told.append(
            f"With {seeds} seeds, a comparison over seeds alone cannot give a p below "
            f"{least:g}, whatever they show. Settings called better rest on a test over trainings "
            "and pictures, which takes it that seeds differ about normally."
        )
    if remark:
        told.append(f"Answers to single pictures were not all compared: {remark}.")
    if len(story.cells) > 1:
        told.append(
            f"The best setting was found by looking at {story.split} scores, so its own score is a "
            "little too good; its lead is corrected for that, its mean is not."
        )
    if story.cells and story.split != "test":
        told.append(
            "There was no test split: scores come from validation pictures, which may also have "
            "helped to choose the epoch."
        )
    if story.cells:
        told.append(
            "All was measured on one data set with one split. Other pictures of another kind may "
            "order the settings differently."
        )
    return tuple(told)


def _scale(story: StudyStory) -> Scale:
    """Return how this study writes its scores."""
    return Scale(story.metric, max((cell.pictures for cell in story.cells), default=0))


def _reached(story: StudyStory, cell: Cell) -> str:
    """Say what a setting reached, on average over how many seeds and how surely."""
    scale, score = _scale(story), cell.score
    what = inside(term(story.metric).title)
    if score.n == 1:
        return f"{what} {scale.score(score.value)}"
    return (
        f"{what} {scale.score(score.value)} on average over {count(score.n, 'seed')} "
        f"({RANGE} {scale.range(score)})"
    )


def _better(each: Difference) -> bool:
    """Return whether the first setting is shown to be better, or the second to be worse."""
    return each.settled and each.gain > 0


def _beaten(story: StudyStory) -> set[str]:
    """Return what the best setting is shown to be better than, by either family of comparisons.

    That with its own baseline was meant from the start, so it is corrected for fewer.
    """
    planned = [
        each for each in story.gained.differences if story.best and each.first == story.best.name
    ]
    return {each.second for each in (*story.against.differences, *planned) if _better(each)}


def _next(story: StudyStory) -> list[str]:
    """Say how far the best is ahead of the next, and how sure each of the tests is."""
    if not story.against.differences:
        return []
    each, scale = story.against.differences[0], _scale(story)
    place = "lead over" if each.gain > 0 else "distance from"
    told = f"Its {place} the next, {quoted(each.second)}, is {scale.gain(each.gain)}"
    if math.isfinite(each.interval.low):
        nets = "" if each.both or each.seeds else " over pictures, of these two nets alone:"
        told += f" ({RANGE}{nets} {scale.bounds(each.interval)})"
    return [f"{told}. {_tests(each, story.against)}".strip()]


def _tests(each: Difference, family: Family) -> str:
    """Say what each of the tests of a difference gives."""
    parts = []
    of = (
        f"corrected for {count(family.made, 'comparison')}" if family.made > 1 else "one comparison"
    )
    if each.pictures:
        n = f"{each.pictures.gain.n:,}"
        parts.append(f"over {n} pictures {probability(each.pictures.corrected)}")
    if each.both:
        parts.append(f"over trainings and pictures {probability(each.both.corrected)}")
    told = f"{opened('; '.join(parts))}, {of}. " if parts else ""
    if each.seeds:
        least = each.seeds.smallest
        end = ", the least they can give" if each.seeds.p <= least * 1.0001 else ""
        uncorrected = " uncorrected" if family.made > 1 else ""
        told += (
            f"Ahead in {each.ahead} of {each.pairs} seeds: {probability(each.seeds.p)}"
            f"{uncorrected}{end}."
        )
    return told.strip()


def _trainings(story: StudyStory) -> list[str]:
    """Name the settings whose nets are shown to be worse, though the settings are not."""
    nets = [
        each.second
        for each in story.against.differences
        if each.nets_differ and each.gain > 0 and each.second not in _beaten(story)
    ]
    if not nets:
        return []
    return [
        f"The nets that were trained are better than those of {listed(nets)} on other pictures, "
        "too; another training may turn that round."
    ]


def _gained(story: StudyStory) -> list[str]:
    """Say what the settings gained over the baseline of their own kind."""
    family, scale = story.gained, _scale(story)
    if not family.differences:
        return []
    if all(each.pairs < 2 for each in family.differences):
        return [f"What was gained over {quoted(story.baseline)} cannot be said from one training."]
    up = [each for each in family.differences if _better(each)]
    down = [each for each in family.differences if each.settled and each.gain < 0]
    told = f"Of {count(family.made, 'comparison')} with {quoted(story.baseline)}, "
    told += f"{len(up)} {_is(len(up))} better"
    told += f", {len(down)} {_is(len(down))} worse and "
    level = family.made - len(up) - len(down)
    told += f"{level} {_is(level)} not told apart."
    if up:
        most = max(up, key=lambda each: each.gain)
        told += (
            f" The most was gained by {quoted(most.first)}: {scale.gain(most.gain)} "
            f"({RANGE} {scale.bounds(most.interval)})."
        )
    if down:
        least = min(down, key=lambda each: each.gain)
        told += f" The most was lost by {quoted(least.first)}: {scale.gain(least.gain)}."
    return [told]


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _ranked(story: StudyStory) -> list[str]:
    """Say which value of a field ranks first and which are not told apart from it."""
    found = story.ranked
    if found is None:
        return []
    rest = [name for name in story.fields if name != found.field]
    over = " and ".join([*(_plural(name) for name in rest), "seeds"])
    less = f", {count(found.left_out, 'block')} with gaps left out" if found.left_out else ""
    told = f"Over {count(found.blocks, 'block')} ({over}{less}), "
    if not found.p < LEVEL:
        return [
            f"{told}ranks of {_plural(found.field)} do not differ more than chance would have it "
            f"(Friedman {probability(found.p)})."
        ]
    level = _level(found)
    told += (
        f"{quoted(found.names[0])} ranks first, at {found.ranks[0]:.1f} of {len(found.names)} on "
        f"average (Friedman {probability(found.p)}); "
    )
    if not level:
        return [told + f"every other is told apart (critical difference {found.critical:.1f})."]
    return [told + f"not told apart: {listed(level)} (critical difference {found.critical:.1f})."]


def _level(found: Ranked) -> list[str]:
    """Return what is ranked so close to the first that it is not told apart."""
    reach = found.ranks[0] + found.critical
    return [
        name for name, rank in zip(found.names[1:], found.ranks[1:], strict=True) if rank < reach
    ]


def _plural(name: str) -> str:
    """Return the name of a field for several of its values.

    >>> _plural("augment"), _plural("batch_size")
    ('values of augment', 'values of batch size')
    """
    return "nets" if name == "net" else f"values of {name.replace('_', ' ')}"


def _chosen(story: StudyStory) -> list[str]:
    """Say which setting validation pictures would have chosen, where others were measured on."""
    found = [cell for cell in story.cells if math.isfinite(cell.validation)]
    if story.split != "test" or story.best is None or len(found) < 2:
        return []
    chosen = max(found, key=lambda cell: story.sign * cell.validation)
    if chosen is story.best:
        return ["Validation pictures, which had no part in this table, choose the same setting."]
    return [
        f"Validation pictures would have chosen {quoted(chosen.name)}, with "
        f"{_scale(story).score(chosen.score.value)} on the test pictures."
    ]


def _agrees(story: StudyStory) -> list[str]:
    """Say how order and height agree with the published table."""
    told = []
    parts = []
    for each in story.agreements:
        place = f" ({quoted(each.name)})" if each.name else ""
        bounds = ""
        if math.isfinite(each.rho.low):
            bounds = f", {RANGE} {each.rho.low:.2f} to {each.rho.high:.2f}".replace("-", "−")
        value = f"{each.rho.value:.2f}".replace("-", "−")
        tested = f", {probability(each.p)}" if math.isfinite(each.p) else ""
        parts.append(f"{value}{place}{bounds}{tested}, {count(each.rho.n, 'setting')}")
    if parts:
        source = story.source or "the published table"
        told.append(f"Rank agreement (Spearman) with {source}: {'; '.join(parts)}.")
    pairs = [(cell, story.published_of(cell.setting)) for cell in story.cells]
    known = [(cell, each.mean) for cell, each in pairs if each and math.isfinite(cell.score.low)]
    if known:
        inside = sum(cell.score.low <= mean <= cell.score.high for cell, mean in known)
        above = sum(story.sign * (cell.score.value - mean) > 0 for cell, mean in known)
        told.append(
            f"Of {count(len(known), 'published mean')}, {inside} lie within our intervals; ours "
            f"{_is(above)} better in {above} and no better in {len(known) - above}. Theirs have "
            "no interval, so these differences are not tested."
        )
    return told


def _votes(story: StudyStory) -> list[str]:
    """Say what the best ensemble reaches beside the best setting."""
    if not story.ensembles or story.best is None:
        return []
    scale, best = _scale(story), max(story.ensembles, key=lambda each: each.accuracy.value)
    return [
        f"The best ensemble, {quoted(best.name)} ({best.how}, {len(best.members)} members), "
        "reaches "
        f"{scale.score(best.accuracy.value)} ({RANGE} {scale.range(best.accuracy)}), beside "
        f"{scale.score(story.best.score.value)} of a single net of the best setting on average; "
        "the difference was not tested."
    ]


def _holes(story: StudyStory) -> list[str]:
    """Say what failed and what was not run."""
    told = []
    if story.failures:
        reasons = list(dict.fromkeys(reason for _, _, reason in story.failures))
        told.append(f"{count(len(story.failures), 'training')} failed: {'; '.join(reasons[:3])}.")
    if story.missing.count:
        named = list(story.missing.settings)
        where = f": {listed(named, most=4)}" if named else ""
        told.append(
            f"{story.missing.count:,} of {count(story.missing.asked, 'training')} were not run"
            f"{where}."
        )
    if (story.failures or story.missing.count) and story.cells:
        uneven = {len(cell.seeds) for cell in story.cells}
        if len(uneven) > 1:
            told.append(
                f"Settings have from {min(uneven)} to {max(uneven)} seeds; two are compared on the "
                "seeds they share."
            )
    return told


def conclusion(story: StudyStory) -> Sequence[str]:
    """Return lead, findings and limits of a story that has them, a line each."""
    return (story.lead, *story.findings, *story.limits)
