"""Rows are read as they were written, whatever a kill left, and averaged by hand."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from drawn_study import write_study
from opsin.errors import DataError
from opsin.study import rows as room
from opsin.study import tables
from opsin.study.curves import curves


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def test_a_cell_by_hand(drawn):
    study = room.read(drawn)
    cell = tables.cells(study)[0]
    mine = [r for r in rows(drawn) if r["cell"] == {"net": "lenet", "augment": "original"}]
    scores = [r["scores"]["test"] for r in mine]
    assert cell.name == "lenet, original" and cell.seeds == (0, 1, 2, 3, 4)
    assert cell.score.value == pytest.approx(np.mean(scores))
    assert cell.deviation == pytest.approx(stats.tstd(scores))
    bounds = stats.ttest_1samp(scores, 0).confidence_interval()
    assert (cell.score.low, cell.score.high) == pytest.approx((bounds.low, bounds.high))
    assert cell.best == max(scores) and cell.pictures == 4000
    seconds = [r["seconds"] for r in mine]
    assert cell.seconds == np.median(seconds)
    assert cell.rate == pytest.approx(sum(r["images"] for r in mine) / sum(seconds))


def test_order_of_rows_changes_nothing(drawn, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(drawn, other)
    lines = (other / "rows.jsonl").read_text().splitlines()
    np.random.default_rng(0).shuffle(lines)
    (other / "rows.jsonl").write_text("\n".join(lines) + "\n")
    assert tables.cells(room.read(other)) == tables.cells(room.read(drawn))


def test_what_a_kill_cut_off_was_not_finished(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    text = (folder / "rows.jsonl").read_text()
    first = text.splitlines()[0]
    (folder / "rows.jsonl").write_text(first[:80] + "\n" + text)
    assert len(room.read(folder).rows) == 60


def test_a_row_that_failed_first_and_was_done_later_is_done(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    good = rows(folder)[0]
    bad = good | {"state": "failed", "reason": "killed"}
    for first, second in ((bad, good), (good, bad)):
        (folder / "rows.jsonl").write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
        study = room.read(folder)
        assert [row.reason for row in study.rows] == [""]


def test_failed_and_missing_are_told_apart(tmp_path):
    failed = [(("lenet", "rotation"), 2)]
    left = [(("network3", "elastic"), seed) for seed in range(5)] + [(("lenet", "original"), 4)]
    folder = write_study(tmp_path / "s", failed=failed, left_out=left, outputs=False)
    study = room.read(folder)
    assert [(r.setting, r.seed, r.reason) for r in study.failed] == [
        ((("net", "lenet"), ("augment", "rotation")), 2, "killed (out of memory)")
    ]
    lacking = tables.missing(study)
    assert (lacking.asked, lacking.count) == (60, 6)
    assert lacking.settings == {"lenet, original": (4,), "network3, elastic": (0, 1, 2, 3, 4)}
    found = {cell.name: cell for cell in tables.cells(study)}
    assert len(found) == 11 and "network3, elastic" not in found
    assert found["lenet, rotation"].seeds == (0, 1, 3, 4) and found["lenet, rotation"].failed == 1


def test_a_score_that_is_no_number_is_a_failure(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    first, *rest = rows(folder)
    first["scores"] = {"validation": math.nan, "test": math.nan}
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, [first, *rest])))
    study = room.read(folder)
    assert study.split == "test" and [r.reason for r in study.failed] == [
        "its score is not a number"
    ]


def test_without_a_test_split_validation_is_told(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    plain = rows(folder)
    for row in plain:
        row["scores"]["test"] = None
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, plain)))
    assert room.read(folder).split == "validation"


def test_settings_picked_by_hand_are_asked_for_beside_the_grid(tmp_path):
    about = {
        "grid": {"net": ["lenet5", "network3"]},
        "picked": [{"net": "resnet18", "epochs": 2}],
        "fields": {"net": ["lenet5", "network3", "resnet18"], "epochs": [8, 2]},
        "base": {"epochs": 8},
    }
    folder = write_study(
        tmp_path / "s", {"net": {"lenet5": 0.0}}, left_out=[], about=about, seeds=()
    )
    study = room.read(folder)
    assert [room.named(s) for s, _ in study.settings()] == [
        "lenet5, epochs 8", "network3, epochs 8", "resnet18, epochs 2",
    ]  # fmt: skip
    assert study.asked == 0


def test_of_a_setting_with_fewer_seeds_the_others_are_not_missed(tmp_path):
    about = {
        "grid": {},
        "picked": [{"net": "lenet5", "seeds": 2}, {"net": "network3"}],
        "fields": {"net": ["lenet5", "network3"]},
    }
    left = [(("lenet5",), 2), (("network3",), 1)]
    nets = {"net": {"lenet5": 0.0, "network3": 0.0}}
    folder = write_study(tmp_path / "s", nets, left_out=left, about=about, seeds=(0, 1, 2))
    study = room.read(folder)
    assert study.asked == 5
    assert tables.missing(study).settings == {"network3": (1,)}


def test_marginal_means_are_those_of_whole_blocks(drawn):
    study = room.read(drawn)
    found = {cell.name: cell for cell in tables.marginal(study, "augment")}
    mine = [r for r in rows(drawn) if r["cell"]["augment"] == "elastic"]
    by_seed = [np.mean([r["scores"]["test"] for r in mine if r["seed"] == s]) for s in range(5)]
    assert found["elastic"].score.value == pytest.approx(np.mean(by_seed))
    assert found["elastic"].deviation == pytest.approx(stats.tstd(by_seed))


def test_a_setting_that_lacks_a_value_does_not_tilt_its_mean(tmp_path):
    """Without the weakest net, a policy would look better than it is."""
    left = [(("lenet", "original"), seed) for seed in range(5)]
    study = room.read(write_study(tmp_path / "s", left_out=left, outputs=False))
    side = tables.blocks(study, "augment")
    assert side.left_out == 5 and len(side.scores) == 10
    values = [cell.score.value for cell in tables.marginal(study, "augment")]
    assert values == sorted(values)


def test_curves_average_the_epochs_that_all_seeds_reached(tmp_path):
    folder = write_study(tmp_path / "s", {"net": {"lenet": 0.0}}, outputs=False, epochs=6)
    plain = rows(folder)
    plain[2]["curve"] = plain[2]["curve"][:4]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, plain)))
    (curve,) = curves(room.read(folder))
    assert [point[0] for point in curve.points] == [1, 2, 3, 4]
    scores = [row["curve"][3][2] for row in plain]
    assert curve.points[3][2:] == pytest.approx((np.mean(scores), min(scores), max(scores)))
    assert curve.points[3][1] == pytest.approx(np.mean([row["curve"][3][1] for row in plain]))


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"study\.json.*expected the folder of a study"):
        room.read(tmp_path)
    (tmp_path / "study.json").write_text("[]")
    with pytest.raises(DataError, match="expected a JSON object"):
        room.read(tmp_path)


@pytest.mark.parametrize("odd", ['{"id": 1}', "[]", '{"cell": {"net": "a"}, "state": "done"}'])
def test_an_odd_line_is_named(tmp_path, odd):
    folder = write_study(tmp_path / "s", outputs=False)
    text = (folder / "rows.jsonl").read_text()
    (folder / "rows.jsonl").write_text(f"{text}{odd}\n")
    with pytest.raises(DataError, match=re.escape("rows.jsonl, line 61")):
        room.read(folder)


def test_a_study_before_its_first_row_is_read(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    (folder / "rows.jsonl").unlink()
    study = room.read(folder)
    assert tables.cells(study) == () and tables.missing(study).count == 60
