"""What is said follows from the tests: a winner, a tie, one seed, holes; never more than shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from drawn_study import write_study
from opsin.report.study_story import StudyStory
from opsin.study.page import tell


def plain(*lines: str) -> str:
    return re.sub(r"[\s\u202f\u00a0]+", " ", " ".join(lines))


def said(folder: Path) -> tuple[StudyStory, str, str]:
    story = tell(folder)
    return story, plain(story.lead), plain(*story.findings)


def test_a_clear_winner_is_called_the_best(tmp_path):
    fields = {"augment": {"original": 0.0, "rotation": 0.3, "elastic": 1.2}}
    story, lead, found = said(write_study(tmp_path / "s", fields, pictures=4000))
    assert re.fullmatch(
        r"The best is “elastic”: accuracy 9\d\.\d\d % on average over 5 seeds \(95 % interval "
        r"9\d\.\d\d–9\d\.\d\d %\), and better than each of the other 2\.",
        lead,
    )
    assert all(each.settled for each in story.against.differences)
    assert "Its lead over the next, “rotation”, is 1." in found
    assert "corrected for 3 comparisons" in found
    assert "Ahead in 5 of 5 seeds: p = 0.062 uncorrected, the least they can give." in found
    assert "Of 2 comparisons with “original”, 2 are better, 0 are worse and 0 are not told" in found
    assert "The most was gained by “elastic”: " in found


def test_a_tie_has_no_winner(tmp_path):
    fields = {"augment": {"original": 0.3, "rotation": 0.3, "elastic": 0.3}}
    story, lead, found = said(write_study(tmp_path / "s", fields))
    assert lead.startswith("No setting is shown to be best. The best mean is that of “")
    assert lead.endswith("It is not told apart from any other.")
    assert "0 are better, 0 are worse and 2 are not told apart." in found
    assert "do not differ more than chance would have it (Friedman p = " in found
    assert not any(each.settled for each in story.against.differences)


def test_some_are_told_apart_and_some_are_not(tmp_path):
    fields = {"augment": {"original": -0.8, "rotation": 0.5, "elastic": 0.5}}
    _, lead, _ = said(write_study(tmp_path / "s", fields, pictures=4000))
    assert re.search(
        r"It is better than 1 of the other 2, and not told apart from “(rotation|elastic)”\.$", lead
    )


def test_one_seed_says_nothing_of_settings(tmp_path):
    fields = {"augment": {"original": 0.0, "rotation": 0.3, "elastic": 2.0}}
    story, lead, found = said(write_study(tmp_path / "s", fields, seeds=(0,)))
    assert lead.startswith("Nothing can be said of settings: each was trained once")
    assert "interval" not in lead and " is best" not in lead
    assert "cannot be said from one training" in found
    assert not any(each.settled for each in story.against.differences)
    assert "of these two nets alone" in found
    nets = "The nets that were trained are better than those of"
    assert not re.search(r"\bis better\b|\bare better\b", found.replace(nets, ""))


def test_nets_may_differ_where_settings_are_not_shown_to(tmp_path):
    """Much luck between seeds: the trained nets differ for sure, the settings do not."""
    fields = {"augment": {"original": 0.3, "elastic": 0.35}}
    folder = write_study(tmp_path / "s", fields, pictures=20_000, seeds=(0, 1), luck=0.5)
    story, lead, found = said(folder)
    (each,) = story.against.differences
    assert each.nets_differ and not each.settled
    assert lead.startswith("No setting is shown to be best.")
    assert "The nets that were trained are better than those of" in found
    assert "another training may turn that round" in found


def test_failures_and_holes_are_told(tmp_path):
    failed = [(("lenet", "rotation"), 2)]
    left = [(("network3", "elastic"), seed) for seed in range(5)]
    story, _, found = said(write_study(tmp_path / "s", failed=failed, left_out=left))
    assert "1 training failed: killed (out of memory)." in found
    assert "5 of 60 trainings were not run: “network3, elastic”." in found
    assert "Settings have from 4 to 5 seeds; two are compared on the seeds they share." in found
    assert "blocks with gaps left out" in found
    assert story.failures == (("lenet, rotation", 2, "killed (out of memory)"),)


def test_nothing_finished_says_nothing(tmp_path):
    fields = {"augment": {"original": 0.0}}
    failed = [(("original",), seed) for seed in range(5)]
    story, lead, found = said(write_study(tmp_path / "s", fields, failed=failed))
    assert lead == "No training was finished, so nothing can be said."
    assert found == "5 trainings failed: killed (out of memory)." and story.limits == ()


def test_one_setting_is_compared_with_nothing(tmp_path):
    _, lead, _ = said(write_study(tmp_path / "s", {"augment": {"elastic": 0.3}}))
    assert lead.startswith("One setting alone has a result, so there is nothing to compare")


def test_limits_say_what_few_seeds_cannot_do(tmp_path, drawn):
    told = plain(*tell(drawn).limits)
    assert "With 5 seeds, a comparison over seeds alone cannot give a p below 0.0625" in told
    assert "found by looking at test scores" in told
    bare = plain(*tell(write_study(tmp_path / "s", outputs=False)).limits)
    assert "Answers to single pictures were not all compared: rows without usable" in bare


def test_agreement_with_a_published_table(tmp_path):
    folder = write_study(tmp_path / "s", pictures=4000)
    cells = tell(folder).cells
    table = [{"cell": dict(c.setting), "mean": c.score.value - 0.01, "best": None} for c in cells]
    (folder / "published.json").write_text(json.dumps({"source": "Them, 2017", "cells": table}))
    _, _, found = said(folder)
    assert "Rank agreement (Spearman) with Them, 2017: 1.00 (“lenet”), p = 0.083, 4 setti" in found
    assert "Of 12 published means, 0 lie within our intervals; ours are better in 12" in found
    assert "these differences are not tested" in found


def test_an_ensemble_is_told_beside_the_best_setting_and_not_tested(tmp_path):
    folder = write_study(tmp_path / "s")
    row = {"name": "five", "how": "mean", "members": ["a", "b"], "n": 2000}
    row["accuracy"] = {"value": 0.99, "low": 0.985, "high": 0.994, "n": 2000}
    (folder / "ensembles.json").write_text(json.dumps({"rows": [row]}))
    _, _, found = said(folder)
    assert "The best ensemble, “five” (mean, 2 members), reaches 99.00 % (95 % interval" in found
    assert "the difference was not tested" in found


def test_words_are_the_same_every_time(drawn):
    first, second = tell(drawn), tell(drawn)
    assert (first.lead, first.findings, first.limits) == (
        second.lead,
        second.findings,
        second.limits,
    )


@pytest.mark.parametrize("seed", range(3))
def test_no_setting_is_called_better_without_its_test(tmp_path, seed):
    """Whatever comes out, the count of what is called better is that of what is shown."""
    fields = {"augment": {"original": 0.1 * seed, "rotation": 0.4, "elastic": 0.5, "shear": 0.45}}
    folder = write_study(tmp_path / "s", fields, seeds=range(seed + 2), luck=0.1)
    story, lead, _ = said(folder)
    planned = {(d.first, d.second) for d in story.gained.differences if d.settled and d.gain > 0}
    shown = sum(
        (each.settled and each.gain > 0) or (each.first, each.second) in planned
        for each in story.against.differences
    )
    if "No setting is shown" in lead:
        assert shown == 0
    elif lead.startswith("The best is"):
        assert shown == 3
    else:
        assert f"better than {shown} of the other 3" in lead
