"""What is said of classical pipelines: who beats whom, by how much, and what was left out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from opsin.figures import Metric
from opsin.report import Story, page
from opsin.report.rivals import rivals, verdict
from opsin.report.story import Classical, Pipeline
from opsin.report.words import NARROW

HOG = Pipeline("hog", "HoG", "Dalal & Triggs 2005", Metric(0.7, 0.62, 0.77, 200), 300, 1.4)
LBP = Pipeline("lbp", "LBP", "Ojala 2002", Metric(0.6, 0.52, 0.67, 200), 300, 0.9)


def beside(value: float, low: float, high: float, best: Pipeline = HOG) -> Classical:
    return Classical(
        subject="CNN",
        own=0.7 + value,
        best=best,
        lead=Metric(value, low, high, 200),
        pipelines=(LBP, best),
        left_out=("spatial_pyramid",),
        of=300,
        asked_of=200,
    )


def plain(text: str) -> str:
    return text.replace(NARROW, " ")


def test_a_clear_lead_is_said_with_its_interval() -> None:
    assert plain(verdict(beside(0.15, 0.1, 0.2), "accuracy")) == (
        "The CNN beats the best classical pipeline by 15.0 points (95 % interval 10.0 to 20.0): "
        "85.0 % against 70.0 % of HoG with a linear SVM on the same 200 pictures."
    )


def test_a_lead_that_may_be_chance_is_not_called_one() -> None:
    said = plain(verdict(beside(0.01, -0.02, 0.04), "accuracy"))
    assert said.startswith("That the CNN beats the best classical pipeline is not shown: ")
    assert "it is 1.0 points (95 % interval −2.0 to 4.0) ahead, which may be chance." in said
    said = plain(verdict(beside(-0.01, -0.04, 0.02), "accuracy"))
    assert "it is 1.0 points (95 % interval −4.0 to 2.0) behind, which may be chance." in said
    assert plain(verdict(beside(0.0, 0.0, 0.0), "accuracy")) == (
        "That the CNN beats the best classical pipeline is not shown: 70.0 % against 70.0 % of "
        "HoG with a linear SVM on the same 200 pictures, no more and no less."
    )


def test_a_defeat_is_called_one() -> None:
    said = plain(verdict(beside(-0.1, -0.15, -0.05), "accuracy"))
    assert said.startswith(
        "The best classical pipeline beats the CNN by 10.0 points (95 % interval 5.0 to 15.0): "
        "60.0 % against 70.0 %"
    )


def test_a_pipeline_that_saw_less_is_said_to() -> None:
    some = replace(HOG, taught=120)
    said = verdict(beside(0.15, 0.1, 0.2, some), "accuracy")
    assert "HoG with a linear SVM, which learnt from 120 of 300 pictures, on the same" in said


def test_other_metrics_are_no_points() -> None:
    said = plain(verdict(beside(1.25, 1.0, 1.5), "mae"))
    assert "by 1.250 (95 % interval 1.000 to 1.500)" in said and "points" not in said


def test_nothing_is_said_of_nothing() -> None:
    none = replace(beside(0, 0, 0), best=None, lead=None, pipelines=())
    assert verdict(none, "accuracy") == ""


def test_the_page_shows_all_pipelines_and_how_to_see_one_in_full(everyday: Story) -> None:
    story = replace(everyday, classical=beside(0.15, 0.1, 0.2))
    told = plain(page(story))
    for words in ("HoG", "Dalal &amp; Triggs 2005", "LBP", "beats the best classical pipeline"):
        assert words in told
    assert "Left out for lack of time: spatial_pyramid." in told
    assert "opsin train DATA --net spatial_pyramid" in told
    assert "held-out ones" not in rivals(story)
    fewer = replace(story, classical=replace(beside(0.15, 0.1, 0.2), asked_of=1000))
    assert "asked 200 of the 1,000 held-out ones" in rivals(fewer)


def test_no_time_is_said(everyday: Story) -> None:
    none = replace(beside(0, 0, 0), best=None, lead=None, pipelines=())
    told = rivals(replace(everyday, classical=none))
    assert "There was no time to fit any." in told and "spatial_pyramid" in told


def test_a_story_without_pipelines_has_no_such_section(everyday: Story) -> None:
    assert rivals(everyday) == ""
    assert "Against classical" not in page(everyday)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_could_not_be_measured_breaks_nothing(everyday: Story, value: float) -> None:
    odd = replace(HOG, metric=Metric(value, value, value, 0), seconds=value)
    assert page(replace(everyday, classical=beside(value, value, value, odd)))
