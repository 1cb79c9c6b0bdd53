"""The command line as a person and a program meet it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from opsin import cli


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command line; return the exit code and what it printed."""
    code = cli.run([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_train_prints_the_keys_that_must_exist(
    capsys: pytest.CaptureFixture[str], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    code, printed, _ = ask(
        capsys, "train", photos, "--net", "lenet5", "--epochs", "1", "--out", out, "--json"
    )
    assert code == 0
    told: dict[str, Any] = json.loads(printed)
    keys = "model report task net policy classes images seconds metrics split"
    assert set(keys.split()) <= set(told)
    assert Path(told["model"]).is_file()
    assert "<html" in Path(told["report"]).read_text(encoding="utf-8").lower()
    for metric in told["metrics"].values():
        assert {"value", "low", "high", "n"} <= set(metric)
    assert told["policy"] == "scratch"
    assert not (out / "cache").exists()
    assert not (out / "checkpoints").exists()
    assert list((out / "tensorboard").iterdir())


def test_evaluate_predict_and_report_agree(
    capsys: pytest.CaptureFixture[str], photos: Path, trained: Path
) -> None:
    _, printed, _ = ask(capsys, "evaluate", trained, photos, "--json")
    told = json.loads(printed)
    assert {"metrics", "per_class", "confusion"} <= set(told)
    _, lines, _ = ask(capsys, "predict", trained, photos, "--json")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert all({"path", "label", "score", "scores"} <= set(row) for row in rows)
    right = [Path(row["path"]).parent.name == row["label"] for row in rows]
    assert told["metrics"]["accuracy"]["value"] == pytest.approx(sum(right) / len(right), abs=1e-12)
    assert told["metrics"]["accuracy"]["n"] == len(rows)


def test_predict_names_the_bad_file_and_answers_the_rest(
    capsys: pytest.CaptureFixture[str], photos: Path, trained: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 cut")
    good = next(photos.glob("*/*.png"))
    code, lines, _ = ask(capsys, "predict", trained, good, bad, good, "--json")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert code == 0
    assert [set(row) >= {"path", "error"} for row in rows] == [False, True, False]
    code, table, _ = ask(capsys, "predict", trained, good, bad, "--csv")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["path"] for row in rows] == [str(good), str(bad)]
    assert rows[1]["error"]
    code, text, _ = ask(capsys, "predict", trained, good)
    assert code == 0
    assert str(good) in text


def test_check_prints_the_keys_that_must_exist(
    capsys: pytest.CaptureFixture[str], photos: Path
) -> None:
    code, printed, _ = ask(capsys, "check", photos, "--json")
    told = json.loads(printed)
    assert code == 0
    assert {"images", "classes", "problems"} <= set(told)
    assert told["images"] == 120
    assert all({"kind", "path", "message"} <= set(problem) for problem in told["problems"])


def test_names_with_markup_and_control_characters_are_shown_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("[bold]hat", "[red]shoe"):
        (tmp_path / name).mkdir()
        for index in range(2):
            picture = np.full((40, 40, 3), 90 * index + len(name), np.uint8)
            Image.fromarray(picture).save(tmp_path / name / f"{index}\x1b.png")
    code, printed, _ = ask(capsys, "check", tmp_path)
    assert code == 0
    assert "[bold]hat" in printed
    assert "[red]shoe" in printed
    assert "blank" in printed  # a problem is told in text, too
    assert "\x1b" not in printed


def test_nets_lists_what_can_be_trained(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = ask(capsys, "nets", "--json")
    assert code == 0
    rows = json.loads(printed)["nets"]
    assert {"lenet5", "tf_efficientnet_lite0"} <= {row["name"] for row in rows}
    code, text, _ = ask(capsys, "nets")
    assert "lenet5" in text


WRONG = {
    "no such folder": ["check", "/nowhere/at/all"],
    "no data": ["train"],
    "nothing to resume": ["train", "--resume", "/nowhere"],
    "unknown net": ["train", "PHOTOS", "--net", "vgg61", "--out", "OUT"],
    "unknown policy": ["train", "PHOTOS", "--policy", "magic", "--net", "lenet5", "--out", "OUT"],
    "unknown task": ["train", "PHOTOS", "--task", "smell", "--out", "OUT"],
    "both limits": ["train", "PHOTOS", "--minutes", "1", "--epochs", "1", "--out", "OUT"],
    "not a number": ["train", "PHOTOS", "--minutes", "soon", "--out", "OUT"],
    "out of range": ["train", "PHOTOS", "--batch", "0", "--out", "OUT"],
    "bad augmentation": [
        "train", "PHOTOS", "--augment", "twirl 3", "--net", "lenet5", "--out", "OUT"],
    "probe without weights": [
        "train", "PHOTOS", "--policy", "probe", "--weights", "none", "--out", "OUT"],
    "unknown verb": ["transmogrify"],
    "unknown option": ["check", "PHOTOS", "--fast"],
    "no model": ["predict", "/nowhere.safetensors", "PHOTOS"],
    "no pictures": ["predict", "MODEL", "EMPTY"],
    "model for data": ["evaluate", "PHOTOS", "MODEL"],
    "resume with settings": ["train", "--resume", "MODEL", "--minutes", "3"],
    "snapshots of what counts": [
        "train", "PHOTOS", "--net", "hog", "--snapshots", "3", "--out", "OUT"],
    "cycles without number": ["train", "PHOTOS", "--schedule", "cyclic", "--out", "OUT"],
    "one alone": ["ensemble", "MODEL", "--out", "OUT"],
    "no file to write": ["ensemble", "MODEL", "MODEL"],
    "a vote there is not": ["ensemble", "MODEL", "MODEL", "--vote", "lot", "--out", "OUT"],
    "folder in use": ["train", "PHOTOS", "--out", "MODEL"],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_said_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], photos: Path, trained: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {
        "PHOTOS": photos, "MODEL": trained, "EMPTY": tmp_path / "empty", "OUT": tmp_path / "out",
    }  # fmt: skip
    code, out, err = ask(capsys, *(str(places.get(word, word)) for word in WRONG[name]))
    assert code == 2, err
    assert out.startswith("error") or not out  # predict names each file it could not answer
    assert err.strip()
    assert "Traceback" not in err
