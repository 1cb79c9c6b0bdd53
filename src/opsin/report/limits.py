"""What a model's score does not say: sentences computed from the story, none of them by heart."""

from __future__ import annotations

import math

from opsin.figures import count
from opsin.report.story import Story
from opsin.report.words import NARROW, called, duration, figure, interval, key, percent, term

FEW_TEST = 100  # held-out pictures below which an interval is too wide to choose by
FEW_TAUGHT = 20  # pictures of a class below which it can hardly be learnt
FEW_ASKED = 10  # held-out pictures of a class below which its row is an anecdote
HONEST = 0.05  # calibration error up to which a score may be read as a probability


def limits(story: Story) -> list[str]:
    """Return every limit that this run gives reason to state, the gravest first."""
    return [
        *_where(story),
        *_few(story),
        *_classes(story),
        *_rivals(story),
        *_scores(story),
        *_data(story),
        *_always(story),
    ]


def _where(story: Story) -> list[str]:
    """State that nothing was measured, or not on pictures kept apart for it."""
    if not math.isfinite(story.score.value):
        return ["The headline could not be measured: how good this model is remains unknown."]
    if story.split != "test":
        return [
            f"There was no test split. The score comes from the {story.split} split, which may "
            "also have helped to choose the model: expect a little less on new pictures."
        ]
    return []


def _few(story: Story) -> list[str]:
    """State how much chance is left in the headline when it stands on few pictures."""
    score = story.score
    if not 0 < score.n < FEW_TEST:
        return []
    return [
        f"The score stands on {count(score.n, 'picture')} only; the true value may well lie "
        f"anywhere in {interval(story.better, score)}. Differences smaller than that mean nothing."
    ]


def _classes(story: Story) -> list[str]:
    """Name the classes that were taught or asked too seldom."""
    if len(story.counts) < 2:
        return []
    taught = [name for name, row in story.counts.items() if row.get("train", 0) < FEW_TAUGHT]
    asked = [name for name, row in story.counts.items() if row.get(story.split, 0) < FEW_ASKED]
    told = []
    if taught and story.total("train"):
        told.append(f"Taught with fewer than {FEW_TAUGHT} pictures: {_list(taught)}.")
    if asked and story.total(story.split):
        told.append(
            f"Fewer than {FEW_ASKED} {story.split} pictures, so that their own rows say little: "
            f"{_list(asked)}."
        )
    return told


def _list(names: list[str], most: int = 8) -> str:
    """Join names, counting those beyond ``most``."""
    rest = len(names) - most
    return ", ".join(called(name) for name in names[:most]) + (
        f" and {count(rest, 'more class')}" if rest > 0 else ""
    )


def _rivals(story: Story) -> list[str]:
    """State where the interval of the model overlaps that of a baseline, or lies below it."""
    told = []
    for name, rival in story.rivals.items():
        apart = story.score.low > rival.high if story.sign > 0 else story.score.high < rival.low
        if not apart:
            told.append(
                f"The baseline “{called(name)}” reaches "
                f"{figure(story.better, rival.value)}, and the two intervals are "
                "not apart: a gain over it is not shown."
            )
    return told


def _scores(story: Story) -> list[str]:
    """State whether a score may be read as a probability."""
    if not story.held_out.classes:
        return []
    for name, metric in story.held_out.metrics.items():
        if key(name) == "ece" and math.isfinite(metric.value):
            gap = percent(metric.value)
            if metric.value <= HONEST:
                return [
                    f"Scores may be read as probabilities: on average they miss by {gap}. Single "
                    "classes and unusual pictures can be further off."
                ]
            return [f"Scores are not probabilities: on average they miss the truth by {gap}."]
    return ["Whether scores can be read as probabilities was not measured."]


def _data(story: Story) -> list[str]:
    """State that the data had faults and that time ran out, where so."""
    told = []
    if story.problems:
        told.append(f"{count(len(story.problems), 'problem')} in the data, listed below.")
    planned = story.plan.budget if story.plan else None
    if planned and story.seconds > 1.1 * planned:
        told.append(f"The run took {duration(story.seconds)}, planned were {duration(planned)}.")
    return told


def _always(story: Story) -> list[str]:
    """State what is true of every such model."""
    told = [
        "All pictures come from one collection. Another camera, place or season may do worse than "
        f"the 95{NARROW}% interval, which only covers the luck of which pictures were drawn."
    ]
    if len(story.held_out.classes) == 1:
        told.append("The model knows one class only and gives it whatever a picture shows.")
    elif story.held_out.classes:
        told.append(
            f"The model answers with one of {count(len(story.held_out.classes), 'class')}, also "
            "where a picture shows none of them."
        )
    return told


def weakest(story: Story, most: int = 3) -> str:
    """Name the classes with the lowest recall in one sentence, or nothing."""
    rows = [
        (row["recall"], name)
        for name, row in story.held_out.per_class.items()
        if math.isfinite(row.get("recall", math.nan))
    ]
    worst = sorted(rows)[:most] if len(rows) > most else []
    told = ", ".join(f"{called(name)} ({figure('recall', value)})" for value, name in worst)
    return f"Least often found ({term('recall').title.lower()}): {told}." if told else ""
