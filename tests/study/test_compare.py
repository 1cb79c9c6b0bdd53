"""Comparisons by hand and against scipy; what is wrong with outputs is left out, not believed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy import stats

from drawn_study import write_study
from opsin.errors import DataError
from opsin.study import compare, rows, tables
from opsin.study.pictures import answers

ONE = {"augment": {"original": 0.0, "elastic": 0.5, "rotation": 0.45}}


def families(folder: Path):
    study = rows.read(folder)
    found, said = tables.cells(study), answers(study)
    against = compare.against_best(study, found, said)
    return study, found, said, against, compare.against_baseline(study, found, said)


def right(folder: Path, study, name: str) -> np.ndarray:
    """Return right (1) or wrong (0) of every seed and picture, (S, N), read independently."""
    truth = load_file(folder / "truths.safetensors")["label"]
    tables_ = []
    for row in study.rows:
        if rows.named(row.setting) == name:
            kept = load_file(folder / row.folder / "outputs.safetensors")
            tables_.append(kept["test"].argmax(1) == truth[kept["test_index"]])
    return np.array(tables_, np.int64)


def test_three_questions_by_hand(tmp_path):
    folder = write_study(tmp_path / "s", ONE, pictures=3000)
    study, _, _, against, _ = families(folder)
    each = against.differences[-1]
    gains = right(folder, study, each.first) - right(folder, study, each.second)  # (S, N)
    assert each.gain == pytest.approx(gains.mean()) and each.pairs == 5
    assert each.ahead == (gains.mean(1) > 0).sum()
    exact = stats.permutation_test(
        (gains.mean(1),), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert each.seeds.p == pytest.approx(exact.pvalue) and each.seeds.smallest == 0.0625
    t = stats.ttest_1samp(gains.mean(1), 0).confidence_interval()
    assert (each.seeds.gain.low, each.seeds.gain.high) == pytest.approx((t.low, t.high))
    parts = gains.sum(0)
    drawn = stats.permutation_test(
        (parts[parts != 0],), np.mean, permutation_type="samples", n_resamples=9999,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert each.pictures.p == pytest.approx(drawn.pvalue, abs=0.01)
    assert each.pictures.gain.n == 3000
    variance = gains.mean(1).var(ddof=1) / 5 + gains.mean(0).var(ddof=1) / 3000
    wide = each.both.gain.high - each.both.gain.value
    assert wide > stats.norm.ppf(0.975) * np.sqrt(variance)
    assert wide >= each.pictures.gain.high - each.pictures.gain.value


def test_one_seed_over_pictures_is_mcnemar(tmp_path):
    folder = write_study(tmp_path / "s", ONE, pictures=3000, seeds=(4,))
    study, _, _, against, _ = families(folder)
    each = against.differences[0]
    ours, theirs = right(folder, study, each.first)[0], right(folder, study, each.second)[0]
    won, lost = int((ours > theirs).sum()), int((ours < theirs).sum())
    assert each.pictures.p == pytest.approx(stats.binomtest(won, won + lost).pvalue)
    assert each.seeds is None and each.both is None and not each.settled


def test_the_lead_is_corrected_for_all_pairs_and_the_gain_for_those_made(drawn):
    _, found, _, against, (plain, gained) = families(drawn)
    assert len(against.differences) == len(found) - 1 == 11 and against.made == 66
    assert plain == "original" and gained.made == len(gained.differences) == 9
    assert (
        min(e.pictures.corrected / e.pictures.p for e in against.differences if e.pictures.p) >= 50
    )
    assert all(e.second.endswith("original") for e in gained.differences)
    assert all(e.first.split(",")[0] == e.second.split(",")[0] for e in gained.differences)


def test_the_closest_come_first(drawn):
    _, _, _, against, _ = families(drawn)
    means = [each.gain for each in against.differences]
    assert means == sorted(means) and means[0] >= 0


def test_less_is_better_where_the_sign_says_so(tmp_path):
    """A regression: means of absolute errors, the lower the better, compared over pictures."""
    folder = tmp_path / "s"
    draws = np.random.default_rng(0)
    truth = draws.normal(50, 10, 400)
    folder.mkdir()
    about = {"name": "prices", "task": "regress", "metric": "mae", "sign": -1, "seeds": [0, 1, 2]}
    about["fields"] = {"net": ["rough", "fine"]}
    (folder / "study.json").write_text(json.dumps(about))
    save_file({"value": truth}, folder / "truths.safetensors")
    lines = []
    for net, spread in (("rough", 8.0), ("fine", 3.0)):
        for seed in range(3):
            said = (truth + draws.normal(0, spread, 400)).astype(np.float32)[:, None]
            key = f"{net}{seed}"
            (folder / "rows" / key).mkdir(parents=True)
            index = np.arange(400, dtype=np.int64)
            kept = {
                "validation": said,
                "validation_index": index,
                "test": said,
                "test_index": index,
            }
            save_file(kept, folder / "rows" / key / "outputs.safetensors")
            score = float(np.abs(said[:, 0].astype(np.float64) - truth).mean())
            lines.append(
                {
                    "id": key, "cell": {"net": net}, "seed": seed, "state": "done",
                    "scores": {"validation": score, "test": score}, "n": {"test": 400},
                    "seconds": 1.0, "images": 10, "folder": f"rows/{key}",
                }
            )  # fmt: skip
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    _, found, said, against, _ = families(folder)
    (each,) = against.differences
    assert said.remark == "" and (each.first, each.second) == ("fine", "rough")
    assert each.gain > 3 and each.settled and each.pictures.p == 0.0001  # of 9,999 drawn: never 0
    assert found[0].best == min(
        row["scores"]["test"] for row in lines if row["cell"]["net"] == "rough"
    )


def test_nothing_is_claimed_of_pictures_without_outputs(tmp_path):
    folder = write_study(tmp_path / "s", ONE, outputs=False)
    _, _, said, against, _ = families(folder)
    assert said.remark.startswith("rows without usable outputs: ")
    assert all(each.pictures is None and each.both is None for each in against.differences)
    assert not any(each.settled for each in against.differences)  # five seeds alone cannot
    (folder / "truths.safetensors").unlink()
    assert families(folder)[2].remark == "the study keeps no truths.safetensors"


def test_a_metric_that_is_no_mean_is_compared_over_seeds_alone(tmp_path):
    folder = write_study(tmp_path / "s", ONE, about={"metric": "macro_f1"})
    assert families(folder)[2].remark == "macro_f1 is not a mean over pictures"


def test_outputs_that_do_not_give_the_score_are_left_out(tmp_path):
    folder = write_study(tmp_path / "s", ONE)
    study = rows.read(folder)
    row = study.rows[0]
    path = folder / row.folder / "outputs.safetensors"
    kept = load_file(path)
    kept["test"] = kept["test"][::-1].copy()
    save_file(kept, path)
    said = answers(study)
    assert row.id not in said.parts and row.id in said.remark and len(said.parts) == 14


def test_order_of_pictures_in_outputs_does_not_matter(tmp_path):
    folder = write_study(tmp_path / "s", ONE)
    study = rows.read(folder)
    before, row = answers(study), study.rows[3]
    path = folder / row.folder / "outputs.safetensors"
    kept, order = load_file(path), np.random.default_rng(0).permutation(2000)
    save_file(kept | {k: kept[k][order] for k in ("test", "test_index")}, path)
    assert (answers(study).parts[row.id] == before.parts[row.id]).all()


def test_damaged_outputs_are_named(tmp_path):
    folder = write_study(tmp_path / "s", ONE)
    study = rows.read(folder)
    (folder / study.rows[0].folder / "outputs.safetensors").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"outputs\.safetensors.*--resume"):
        answers(study)


def test_seeds_that_only_one_has_are_not_paired(tmp_path):
    folder = write_study(tmp_path / "s", ONE, failed=[(("elastic",), 1)])
    _, _, _, against, _ = families(folder)
    assert {each.pairs for each in against.differences} <= {4, 5}
    assert any(each.pairs == 4 for each in against.differences)


def test_alike_settings_are_seldom_called_different():
    """With luck between seeds, pictures alone tell apart what is alike; both together do not."""
    draws, alone, both = np.random.default_rng(2), 0, 0
    for _ in range(200):
        hard = draws.gumbel(-1.2, 1.0, 3000)

        def nets(hard=hard):
            luck = 0.12 * draws.normal(size=(5, 1))
            return (hard + 0.5 * draws.normal(size=(5, 3000)) <= 3.2 + luck).astype(np.int64)

        gains = nets() - nets()
        alone += compare._pictures(gains.sum(0), 5).p < 0.05
        both += compare._both(gains.mean(1), gains.mean(0)).p < 0.05
    assert alone / 200 > 0.15 and both / 200 < 0.07
