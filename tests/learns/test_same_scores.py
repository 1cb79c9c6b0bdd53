"""A detector's scores are the same however they are asked for: in the run, later, in any batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import opsin
from opsin import cli, tasks
from opsin.data.dataset import Dataset
from opsin.data.formats import coco
from opsin.model import Model
from opsin.results import Boxes

pytestmark = pytest.mark.learns


def written(folder: Path) -> Path:
    """Write drawn pictures of several sizes, with their boxes as a COCO file."""
    from PIL import Image

    data = tasks.find("detect").example(120, seed=5)
    samples = []
    (folder / "images").mkdir(parents=True)
    for place, sample in enumerate(data.samples):
        path = folder / "images" / f"{place:03d}.png"
        picture = np.pad(sample.image, ((0, 0), (0, 24 * (place % 3)), (0, 0)), mode="edge")
        Image.fromarray(picture.transpose(1, 2, 0)).save(path)
        truth = sample.truth
        size = picture.shape[1:]
        samples.append(
            opsin.Sample(path, Boxes(truth.boxes, truth.names, size=size), name=path.name)
        )
    coco.write(data.keep(samples), folder / "boxes.json")
    return folder / "boxes.json"


def test_run_evaluate_and_predict_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = written(tmp_path / "data")
    out = tmp_path / "run"
    words = ["train", str(boxes), "--policy", "scratch", "--epochs", "6", "--batch", "16"]
    assert cli.run([*words, "--size", "128", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    model = Model.load(out)
    assert model.preprocessing.size == (128, 96)  # as tall as most of the pictures
    data = Dataset.read(boxes)
    answers = model.predict([sample.image for sample in data.samples], score=0.0)
    results = [answer.result for answer in answers]
    truths = [sample.truth for sample in data.samples]
    for sample, result in zip(data.samples, results, strict=True):
        assert result.size == sample.truth.size
    whole = model.evaluate(data).metrics
    mine = model.task.measure(results, truths).metrics
    assert {n: round(m.value, 4) for n, m in mine.items()} == {
        n: round(m.value, 4) for n, m in whole.items()
    }
    singly = [model.predict(sample.image, score=0.0)[0].result for sample in data.samples]
    alone = model.task.measure(singly, truths).metrics
    for name, metric in alone.items():
        assert metric.value == pytest.approx(whole[name].value, abs=5e-5), name
    # what the run measured on its own test pictures, asked again of the file it left
    names = json.loads((out / "run.json").read_text())
    assert names and said["metrics"]["ap50"]["value"] == model.about["metrics"]["ap50"]["value"]
    told = model.predict([sample.image for sample in data.samples])
    least = model.task.state["threshold"]
    for full, few in zip(results, told, strict=True):
        assert few.result == full.keep(full.scores >= least)


def test_drawn_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = written(tmp_path / "data")
    out = tmp_path / "run"
    words = ["train", str(boxes), "--net", "ssd", "--policy", "scratch", "--epochs", "2"]
    assert cli.run([*words, "--size", "64", "--out", str(out), "--json"]) == 0
    capsys.readouterr()
    drawn = tmp_path / "drawn"
    words = ["predict", str(out), str(tmp_path / "data" / "images"), "--score", "0.02"]
    assert cli.run([*words, "--draw", str(drawn), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 120 == len(list(drawn.iterdir()))
    assert all("boxes" in line for line in lines)
