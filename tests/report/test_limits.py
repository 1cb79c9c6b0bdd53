"""Limits are computed: each is stated where the run gives reason, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsin.events import Planned
from opsin.figures import Measures, Metric
from opsin.report import Story
from opsin.report.limits import limits


def told(story: Story) -> str:
    return " ".join(limits(story))


def with_score(story: Story, **metrics: Metric) -> Story:
    return replace(story, held_out=replace(story.held_out, metrics=metrics))


@pytest.fixture
def sound(everyday: Story) -> Story:
    return replace(everyday, problems=())


def test_a_sound_run_has_only_the_limits_of_every_model(sound: Story) -> None:
    calibrated, collection, closed = limits(sound)
    assert calibrated.startswith("Scores may be read as probabilities")
    assert collection.startswith("All pictures come from one collection")
    assert closed.startswith("The model answers with one of 3 classes")


def test_no_test_split(sound: Story) -> None:
    assert "There was no test split" in told(replace(sound, split="validation"))


def test_few_pictures(sound: Story) -> None:
    few = with_score(sound, accuracy=Metric(0.9, 0.7, 0.98, 20))
    assert "stands on 20 pictures only" in told(few) and "70.0–98.0" in told(few)


def test_classes_with_few_pictures(sound: Story) -> None:
    counts = {**sound.counts, "rare": {"train": 5, "test": 2}}
    assert "fewer than 20 pictures: rare." in told(replace(sound, counts=counts))
    assert "Fewer than 10 test pictures" in told(replace(sound, counts=counts))


@pytest.mark.parametrize(
    ("sign", "ours", "theirs", "apart"),
    [
        (1, (0.9, 0.85, 0.95), (0.6, 0.5, 0.7), True),
        (1, (0.9, 0.85, 0.95), (0.8, 0.7, 0.86), False),
        (1, (0.5, 0.45, 0.55), (0.8, 0.7, 0.86), False),
        (-1, (10.0, 9.0, 11.0), (20.0, 18.0, 22.0), True),
        (-1, (19.0, 17.0, 21.0), (20.0, 18.0, 22.0), False),
    ],
)
def test_baselines_that_are_not_beaten(
    sound: Story, sign: int, ours: tuple[float, ...], theirs: tuple[float, ...], apart: bool
) -> None:
    rival = Measures({"m": Metric(*theirs, 200)}, {}, (), ())
    story = with_score(sound, m=Metric(*ours, 200))
    story = replace(story, better="m", sign=sign, baselines={"simple": rival})
    assert ("“simple”" not in told(story)) is apart


def test_calibration(sound: Story) -> None:
    bad = with_score(sound, accuracy=sound.score, calibration_error=Metric(0.12, 0.1, 0.15, 200))
    assert "Scores are not probabilities: on average they miss the truth by 12.0" in told(bad)
    assert "was not measured" in told(with_score(sound, accuracy=sound.score))


def test_a_run_over_its_budget(sound: Story) -> None:
    late = replace(sound, plan=Planned((), 60.0), seconds=130.0)
    assert "The run took 2 min 10 s, planned were 1 min 0 s." in told(late)
