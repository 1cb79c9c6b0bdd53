"""Runs on pictures whose fourth band alone says what they show: learnt, kept, asked and drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import opsin
from banded import field, folder, noise, tiff
from opsin import cli
from opsin.data.dataset import Dataset
from opsin.data.decode import decode
from opsin.data.sample import Sample
from opsin.recipe import Recipe
from opsin.training import choice, frame

LINE = "conv 3x3x8 stride 2 pad 1, bn, relu, conv 3x3x16 stride 2 pad 1, bn, relu, dense 10"

TRUNK = ", ".join(f"conv 3x3x{c} stride 2 pad 1, bn" for c in (16, 24, 32, 64)) + ", dense 10"


def chosen(root: Path, **settings: object) -> choice.Choice:
    data, recipe = Dataset.read(root), Recipe.from_dict(settings)
    return choice.choose_net(choice.choose_task(data, recipe), data, recipe)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, opsin.Model]:
    """Give a folder of class folders and a model that was trained on it."""
    root = folder(tmp_path_factory.mktemp("banded") / "land", 60)
    recipe = Recipe(net=LINE, epochs=8, augment="flip, color 0.1")
    return root, opsin.train(root, recipe, out=root.parent / "run")


@pytest.mark.learns
def test_classes_that_only_the_fourth_band_tells_apart(learnt: tuple[Path, opsin.Model]) -> None:
    root, model = learnt
    assert model.preprocessing.channels == 4
    new = folder(root.parent / "new", 40, seed=1000)
    assert model.evaluate(new).metrics["accuracy"].value >= 0.95
    again = opsin.Model.load(root.parent / "run")
    assert [said.result for said in again.predict(new)] == [
        said.result for said in model.predict(new)
    ]
    assert "data:image/jpeg" in (root.parent / "run" / "report.html").read_text(encoding="utf-8")


def test_three_bands_are_an_error_line(
    learnt: tuple[Path, opsin.Model], capsys: pytest.CaptureFixture[str]
) -> None:
    root, model = learnt
    three = root.parent / "three.tif"
    three.write_bytes(tiff(noise(0, 3, 32, 32)))
    bad, array, good = model.predict([three, noise(0, 3, 32, 32), noise(0)])
    assert "of 3 bands; expected 4 bands" in str(bad.error)
    assert "of 3 bands; expected 4 bands" in str(array.error)
    assert good.error is None
    assert cli.run(["predict", str(root.parent / "run"), str(three), "--json"]) == 2
    assert "of 3 bands" in capsys.readouterr().out


def test_mixed_pictures_are_learnt_from_their_three_bands(tmp_path: Path) -> None:
    root = folder(folder(tmp_path / "mixed", 20), 20, bands=3, seed=500)
    model = opsin.train(root, Recipe(net=LINE, epochs=1), out=tmp_path / "run")
    assert model.preprocessing.channels == 3
    assert not [said.error for said in model.predict(root) if said.error]


def test_which_channels_a_run_sees(tmp_path: Path) -> None:
    root = folder(tmp_path / "all", 8)
    assert chosen(root, net="lenet5", policy="scratch").pre.channels == 4
    pre = chosen(root, net="mobilenet_v2").pre
    assert pre.mean[:3] == (0.485, 0.456, 0.406)
    measured = np.stack([decode(s.image)[3] for s in Dataset.read(root).samples]) / 255
    assert np.allclose((pre.mean[3], pre.std[3]), (measured.mean(), measured.std()), atol=1e-3)
    assert chosen(root, net="hog").pre.channels == 3
    (root / "bare" / "broken.tif").write_bytes(tiff(noise(0))[:7])
    assert frame.bands(Dataset.read(root).samples) == 4
    assert chosen(folder(root, 2, bands=3, seed=90), net="mobilenet_v2").pre.channels == 3


@pytest.mark.parametrize("policy", ["probe", "upper"])
def test_pretrained_nets_learn_from_four(policy: str, tmp_path: Path) -> None:
    root = folder(tmp_path / "land", 16)
    recipe = Recipe(net="mobilenet_v2", policy=policy, size=64, epochs=1)
    model = opsin.train(root, recipe, out=tmp_path / "run")
    assert model.preprocessing.channels == 4
    assert model.predict(root)[0].error is None


@pytest.mark.learns
def test_objects_that_only_the_fourth_band_shows(tmp_path: Path) -> None:
    samples = []
    for index in range(96):
        pixels, truth = field(index)
        samples.append(Sample(tiff(pixels), truth, name=f"{index}.tif"))
    recipe = Recipe(net=f"yolo on {TRUNK}", epochs=40, augment="flip", mosaic=0.2)
    model = opsin.train(Dataset(tuple(samples), "trees"), recipe, out=tmp_path / "run")
    assert model.preprocessing.channels == 4
    tests = [field(1000 + index) for index in range(16)]
    new = Dataset(
        tuple(Sample(tiff(p), t, name=f"{n}.tif") for n, (p, t) in enumerate(tests)), "new"
    )
    found = model.evaluate(new).metrics["ap50"].value
    assert found >= 0.8
    picture = tmp_path / "one.tif"
    picture.write_bytes(tiff(tests[0][0]))
    words = ["predict", str(tmp_path / "run"), str(picture), "--draw", str(tmp_path / "drawn")]
    assert cli.run(words) == 0
    assert decode(tmp_path / "drawn" / "one.png").shape == (3, 48, 48)
