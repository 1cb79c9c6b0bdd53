"""Ensembles from the rows of a study: nothing is run again, and test pictures choose nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from opsin import verbs
from opsin.data.dataset import Dataset
from opsin.ensemble import choose, rows
from opsin.errors import ModelError, OpsinError
from opsin.model import Model

Run = Callable[..., Path]


def write_study(folder: Path, runs: list[Path], *, quick: bool = True) -> Path:
    """Write the folder of a study with a row for each run, as studies do."""
    data = Dataset.read("samples:digits")
    labels = [int(sample.truth.words()) for sample in data.samples if sample.truth]
    test = [place for place, sample in enumerate(data.samples) if sample.split == "test"]
    held = [place for place, sample in enumerate(data.samples) if sample.split == "train"][::8]
    lines = []
    for number, run in enumerate(runs):
        place = folder / "rows" / f"{number:012x}"
        place.mkdir(parents=True)
        shutil.copy(run / "model.safetensors", place)
        model = Model.load(run)
        tensors: dict[str, torch.Tensor] = {}
        for name, chosen in (("validation", held), ("test", test)):
            said = model.predict([data.samples[at].image for at in chosen])
            scores = [[*each.result.scores.values()] for each in said if each.result]
            tensors[name] = torch.tensor(scores, dtype=torch.float32)
            tensors[f"{name}_index"] = torch.tensor(chosen)
        save_file(tensors, place / "outputs.safetensors")
        row = {"id": f"{number:012x}", "cell": {"augment": "none"}, "seed": number, "state": "done"}
        lines.append(json.dumps(row | {"folder": f"rows/{number:012x}"}))
    failed = {"id": "f" * 12, "cell": {}, "seed": 9, "state": "failed", "folder": "rows/f"}
    text = "\n".join([*lines, lines[0], json.dumps(failed), '{"id": "cut'])
    (folder / "rows.jsonl").write_text(text)
    plan: dict[str, Any] = {"name": "tiny", "data": "samples:digits", "root": None}
    plan["classes"] = [*data.classes] if quick else None
    (folder / "study.json").write_text(json.dumps(plan))
    if quick:
        save_file({"label": torch.tensor(labels)}, folder / "truths.safetensors")
    return folder


@pytest.fixture(scope="module")
def study(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), runs)


def test_rows_are_read_once_each(study: Path) -> None:
    plan, found = rows.read(study)
    assert [row.seed for row in found] == [0, 1, 2]
    asked = rows.asked(study, plan, found)
    assert asked["test"].opinions.shape == (3, 359, 10)
    assert len(asked["validation"].truths) == asked["validation"].opinions.shape[1]
    slow = rows.asked(study, plan | {"classes": None}, found)
    assert [t.words() for t in slow["test"].truths] == [t.words() for t in asked["test"].truths]


def test_a_greedy_choice_becomes_a_model(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "five.safetensors"
    one = verbs.ensemble([str(study)], size=5, select="greedy", out=out)
    plan, found = rows.read(study)
    asked = rows.asked(study, plan, found)["validation"]
    wanted = choose.greedy(one.model.task, asked.opinions, asked.truths, 5)
    votes = {seat.seed: seat.votes for seat in one.seats}
    assert [votes.get(seed, 0) for seed in range(3)] == wanted
    told = one.judged["test"].measures.metrics["accuracy"]
    measured = verbs.evaluate(out, "samples:digits").metrics["accuracy"]
    assert measured.value == pytest.approx(told.value, abs=1.1 / 359)
    assert Model.load(out).about["members"][0]["name"].startswith("00000000000")


def test_test_pictures_choose_nothing(study: Path, tmp_path: Path, runs: list[Path]) -> None:
    other = tmp_path / "study"
    shutil.copytree(study, other)
    for path in other.glob("rows/*/outputs.safetensors"):
        tensors = load_file(path)
        tensors["test"] = tensors["test"].flip(1).contiguous()
        save_file(tensors, path)
    one, two = (
        verbs.ensemble([str(folder)], vote=vote, select="greedy", out=tmp_path / "a.safetensors")
        for folder, vote in ((study, "weighted"), (other, "weighted"))
    )
    assert [seat.votes for seat in one.seats] == [seat.votes for seat in two.seats]
    scores = [each.judged["test"].measures.metrics["accuracy"].value for each in (one, two)]
    assert scores[0] > scores[1]


def test_rows_on_other_pictures_are_named(study: Path, tmp_path: Path) -> None:
    other = tmp_path / "study"
    shutil.copytree(study, other)
    path = other / "rows" / f"{1:012x}" / "outputs.safetensors"
    tensors = load_file(path)
    tensors["validation_index"] = tensors["validation_index"] + 1
    save_file(tensors, path)
    with pytest.raises(ModelError, match=r"0001 augment=none seed=1, whose validation pictures"):
        verbs.ensemble([str(other)], out=tmp_path / "a.safetensors")
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"outputs\.safetensors"):
        verbs.ensemble([str(other)], out=tmp_path / "a.safetensors")
    (other / "rows.jsonl").write_text("")
    with pytest.raises(ModelError, match="0 finished rows"):
        verbs.ensemble([str(other)], out=tmp_path / "a.safetensors")
    with pytest.raises(OpsinError, match="data beside a study"):
        verbs.ensemble([str(study)], data="samples:digits", out=tmp_path / "a.safetensors")
    assert not (tmp_path / "a.safetensors").exists()


def test_all_rows_may_vote(study: Path, tmp_path: Path) -> None:
    one = verbs.ensemble(
        [str(study)], select="all", vote="majority", out=tmp_path / "a.safetensors"
    )
    assert [seat.votes for seat in one.seats] == [1, 1, 1]
    assert np.isfinite(one.judged["test"].lead.value)
