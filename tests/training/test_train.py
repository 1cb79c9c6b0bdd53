"""Training from what people really have: tables of numbers, broken files, one class, no room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import opsin
from opsin import cli
from opsin.data.samples import discs
from opsin.engine.store import Store
from opsin.errors import DataError, InputError


def quick(**settings: object) -> opsin.Recipe:
    return opsin.Recipe.from_dict({"net": "lenet5", "epochs": 2} | settings)


def test_a_table_of_numbers_trains_a_regression(tmp_path: Path) -> None:
    rows = ["path,price"]
    for index, sample in enumerate(discs.read(60).samples):
        assert isinstance(sample.image, np.ndarray)
        assert isinstance(sample.truth, opsin.Value)
        picture = Image.fromarray(np.ascontiguousarray(sample.image.transpose(1, 2, 0)))
        picture.save(tmp_path / f"{index}.png")
        rows.append(f"{index}.png,{sample.truth.value}")
    (tmp_path / "prices.csv").write_text("\n".join(rows), encoding="utf-8")
    out = tmp_path / "run"
    words = ["train", str(tmp_path / "prices.csv"), "--net", "lenet5", "--epochs", "3"]
    assert cli.run([*words, "--out", str(out), "--json"]) == 0
    model = opsin.Model.load(out)
    assert model.to_dict()["task"] == "regress"
    assert set(model.about["metrics"]) >= {"mae", "rmse", "r2"}
    said = model.predict(tmp_path / "0.png")[0].result
    assert isinstance(said, opsin.Value)
    measured = model.evaluate(tmp_path / "prices.csv")
    assert measured.metrics["mae"].n == 60


def test_broken_files_are_left_out_and_named(photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    first = next(data.glob("*/*.png"))
    (first.parent / "cut.png").write_bytes(first.read_bytes()[:100])
    (first.parent / "text.jpg").write_text("no picture", encoding="utf-8")
    model = opsin.train(data, quick(), out=tmp_path / "run")
    assert model.about["data"]["images"] == 120
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "cut.png" in page
    assert "text.jpg" in page


def test_only_broken_files_end_in_one_sentence_and_leave_nothing(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError):
        opsin.train(tmp_path / "data", quick(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("names", [["only"], ["a b", "日本", "🐕 'dog' <b>"]])
def test_class_names_are_anything(tmp_path: Path, names: list[str]) -> None:
    draws = np.random.default_rng(0)
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(8):
            pixels = draws.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{index}.png")
    try:
        model = opsin.train(tmp_path / "data", quick(epochs=1), out=tmp_path / "run")
    except InputError:
        assert len(names) == 1  # one class is nothing to tell apart
        return
    assert set(model.classes) == set(names)


def test_a_folder_that_cannot_be_written_to(photos: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match="written to"):
        opsin.train(photos, quick(), out=blocked / "run")
    assert blocked.read_text(encoding="utf-8") == "in the way"


def test_data_that_changed_is_not_resumed(photos: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "photos", tmp_path / "run"
    shutil.copytree(photos, data)
    words = [str(data), "--net", "lenet5", "--epochs", "4000", "--batch", "8", "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-m", "opsin", "train", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not list((out / "checkpoints").glob("*.safetensors")):
            assert child.poll() is None
            os.sched_yield()
    finally:
        child.kill()
        child.wait()
    first = next(data.glob("*/*.png"))
    other = next(p for p in data.glob("*/*.png") if p.parent != first.parent)
    whole = first.read_bytes()
    first.write_bytes(other.read_bytes())
    with pytest.raises(DataError, match="other pictures, labels or splits"):
        opsin.train(resume=out)
    first.unlink()
    with pytest.raises(DataError, match="other pictures, labels or splits"):
        opsin.train(resume=out)
    data.rename(tmp_path / "gone")
    with pytest.raises(InputError, match=str(data)):
        opsin.train(resume=out)
    data.mkdir()
    with pytest.raises(InputError, match=str(data)):
        opsin.train(resume=out)
    data.rmdir()
    (tmp_path / "gone").rename(data)  # all is back, with other times: the run goes on
    first.write_bytes(whole)
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    facts["recipe"]["patience"] = 1  # it need not learn for 4,000 epochs
    (out / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert opsin.train(resume=out).about["data"]["images"] == 120


def test_a_run_on_an_object_says_why_it_cannot_be_resumed(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(
        json.dumps({"data": None, "root": None, "recipe": quick().to_dict(), "spent": 0.0}),
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="object"):
        opsin.train(resume=tmp_path)


def test_a_run_killed_while_it_swept_is_swept_when_it_is_taken_up(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Store) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "clean", killed)
        opsin.train(photos, quick(), out=tmp_path)
    assert (tmp_path / "checkpoints").exists()
    opsin.train(resume=tmp_path)
    assert not {path.name for path in tmp_path.iterdir()} & {"checkpoints", "cache"}


def noise(path: Path, seed: int) -> None:
    """Write a picture of noise, unlike any other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_copies_across_given_splits_stay_with_the_test(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for split, n in (("train", 8), ("validation", 3), ("test", 3)):
        for index in range(n):
            seed = 100 * len(split) + index
            noise(data / split / "ab"[index % 2] / f"{index}.png", seed)
    for split in ("train", "validation"):
        shutil.copy(data / "test" / "a" / "0.png", data / split / "a" / "copy.png")
    shutil.copy(data / "validation" / "b" / "1.png", data / "train" / "b" / "copy.png")
    model = opsin.train(data, quick(), out=tmp_path / "run")
    sizes = {"held_out": "test", "train": 8, "validation": 3, "test": 3}
    assert model.about["split"] == sizes
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.count("copy.png") >= 3


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_pictures_train_or_end_in_a_sentence(tmp_path: Path, n: int) -> None:
    for index in range(n):
        noise(tmp_path / "data" / "abc"[index] / "0.png", index)
        noise(tmp_path / "data" / "abc"[index] / "1.png", 10 + index)
    try:
        model = opsin.train(tmp_path / "data", quick(), out=tmp_path / "run")
    except InputError as error:
        assert error.remedy
        assert not (tmp_path / "run").exists()
    else:
        assert len(model.classes) == n


def test_two_pictures_are_too_few(tmp_path: Path) -> None:
    for name in "ab":
        noise(tmp_path / "data" / name / "0.png", ord(name))
    with pytest.raises(InputError, match="expected at least"):
        opsin.train(tmp_path / "data", quick(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
