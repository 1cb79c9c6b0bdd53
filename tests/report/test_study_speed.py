"""Score against speed: the front by hand, with ties, either way a metric counts; and its words."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

import pytest

from opsin.figures import Metric
from opsin.report import study_speed
from opsin.report.study_story import Cell, Difference, Evidence, Family, StudyStory


def cell(name: str, ms: float, score: float, swing: float = 1.1) -> Cell:
    return Cell(
        setting=(("net", name),), name=name, score=Metric(score, score - 0.02, score + 0.02, 3),
        deviation=0.01, best=score, validation=score, seeds=(0, 1, 2), failed=0, pictures=500,
        seconds=60.0, total=180.0, images=1000, milliseconds=ms, swing=swing,
        runtimes=("torch on cpu in float32",),
    )  # fmt: skip


def told(cells: Sequence[Cell], *, sign: int = 1, metric: str = "ap50", shown: bool = False):
    gain = Evidence(Metric(0.1, 0.05, 0.15, 3), 0.01, 0.01 if shown else 0.5)
    pair = Difference(
        first="slow", second="quick", gain=0.1, pairs=3, ahead=3, behind=0,
        seeds=gain, pictures=None, both=None,
    )  # fmt: skip
    return StudyStory(
        title="t", metric=metric, sign=sign, split="test",
        fields={"net": tuple(c.name for c in cells)}, lead="", cells=tuple(cells),
        against=Family((pair,), 1), at_once=(1, 2),
    )  # fmt: skip


def names(story: StudyStory) -> list[str]:
    return [each.name for each in study_speed.front(story)]


def words(text: str) -> str:
    return re.sub(r"[\s\u202f\u00a0]+", " ", text)


def test_the_front_by_hand() -> None:
    some = [
        cell("quick", 4, 0.5),
        cell("mid", 8, 0.6),
        cell("lost", 9, 0.55),
        cell("slow", 40, 0.7),
    ]
    assert names(told(some[::-1])) == ["quick", "mid", "slow"]
    assert names(told(some, sign=-1, metric="mean absolute error")) == ["quick"]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([("a", 4, 0.5), ("b", 4, 0.5)], ["a", "b"]),  # alike in both: both stay
        ([("a", 4, 0.5), ("b", 4, 0.6)], ["b"]),  # as fast, and worse
        ([("a", 4, 0.5), ("b", 5, 0.5)], ["a"]),  # as good, and slower
        ([("a", 4, 0.5), ("b", math.nan, 0.9), ("c", 5, 0.6)], ["a", "c"]),  # not timed
        ([("a", 4, 0.5), ("b", math.nan, 0.9)], []),  # one alone is no chart
    ],
)
def test_ties_and_holes(rows: list[tuple[str, float, float]], wanted: list[str]) -> None:
    assert names(told([cell(*row) for row in rows])) == wanted


def test_the_sentence_says_what_the_best_costs() -> None:
    some = [cell("quick", 4, 0.5), cell("mid", 8, 0.6), cell("slow", 40, 0.7)]
    assert words(study_speed.told(told(some))) == (
        "“quick” is the fastest, 4 ms a picture for 50.0 %; “slow” is the best, 70.0 %: 20.0 "
        "points better for 10 times the time, a gain that is not shown. Between them nothing beats "
        "“mid”."
    )
    assert "not shown" not in study_speed.told(told(some, shown=True))
    both = study_speed.told(told([cell("quick", 4, 0.8), cell("slow", 40, 0.7)]))
    assert words(both) == "“quick” is both the fastest (4 ms a picture) and the best (80.0 %)."


def test_speeds_no_further_apart_than_seeds_are_not_told_apart() -> None:
    alike = study_speed.told(told([cell("a", 4, 0.5, 1.3), cell("b", 5, 0.6, 1.3)]))
    assert alike.startswith(
        "No setting is told apart from another in speed: the slowest takes 1.25"
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_the_chart_stands_with_units_and_every_name(sign: int) -> None:
    metric = "ap50" if sign > 0 else "mean absolute error"
    some = [cell(f"net {i}", 2.0**i, 0.5 + 0.03 * sign * i) for i in range(10)]
    tree = ElementTree.fromstring(
        f"<div>{study_speed.speed(told(some, sign=sign, metric=metric))}</div>"
    )
    drawing = next(tree.iter("svg"))
    shown = [element.text or "" for element in drawing.iter("text")]
    assert {each.name for each in some} <= set(shown)
    assert any("milliseconds a picture" in text and "log axis" in text for text in shown)
    places = [
        float(str(path.get("d")).split()[1].split("h")[0])
        for path in drawing.iter("path") if path.get("class") == "knob s0"
    ]  # fmt: skip
    assert len(places) == 10 and places == sorted(places)  # the best, drawn first, is the highest
    assert "Up to 2 rows were in work at once" in " ".join(tree.itertext())


def test_there_is_no_section_without_times() -> None:
    assert study_speed.speed(told([cell("a", math.nan, 0.5), cell("b", math.nan, 0.6)])) == ""
