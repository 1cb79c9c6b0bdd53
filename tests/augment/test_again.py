"""Several looks at a picture: which views, the same for all, and what they add up to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import opsin
from opsin import cli
from opsin.augment import glances, parse, views
from opsin.data.samples import shapes
from opsin.errors import InputError

BATCH = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 3, 40, 40), dtype=np.uint8))


@pytest.mark.parametrize(
    ("learnt", "looked"),
    [
        ("strong", "flip, rotate 10, translate 0.05, scale 0.875 1.175, shear 5, color 0.2"),
        ("rotation-elastic, copies 25", "rotate 7.5, elastic 12 4"),
        ("erase", "rotate 4, translate 0.03, scale 0.95 1.05"),
        ("auto", "rotate 4, translate 0.03, scale 0.95 1.05"),
    ],
)
def test_what_hides_or_spoils_is_left_out_and_the_rest_is_halved(learnt: str, looked: str) -> None:
    assert str(glances(learnt)) == looked


def test_a_view_is_the_same_for_every_picture_in_any_company() -> None:
    chain = parse("flip, rotate 30")
    whole = list(views(BATCH, chain, (32, 32), 4))
    assert len(whole) == 3
    assert len({view.numpy().tobytes() for view in whole}) == 3
    for all_of_them, alone in zip(whole, views(BATCH[2:3], chain, (32, 32), 4), strict=True):
        assert all_of_them.dtype == torch.uint8
        assert torch.equal(all_of_them[2:3], alone)


def test_answers_are_the_mean_of_the_probabilities(trained: Path) -> None:
    model = opsin.Model.load(trained)
    samples = shapes.read(12).samples
    pixels = np.stack([np.asarray(s.image) for s in samples])
    pre = model.preprocessing
    from opsin.data.decode import prepare

    ready = np.stack([prepare(image, pre) for image in pixels])
    probabilities = [model.task.opinions(torch.from_numpy(model.outputs(ready)))]
    chain = glances(model.about["augment"])
    for view in views(torch.from_numpy(ready), chain, pre.size, 5):
        outputs = model.runtime.run(view.contiguous().numpy())
        probabilities.append(model.task.opinions(torch.from_numpy(outputs)))
    expected = torch.stack(probabilities).mean(0).numpy()
    said = model.predict([np.asarray(s.image) for s in samples], tta=5)
    for place, each in enumerate(said):
        assert isinstance(each.result, opsin.Label)
        scores = [each.result.scores[name] for name in model.classes]
        assert np.allclose(scores, expected[place], atol=1e-5)
    assert not np.allclose(expected, probabilities[0].numpy(), atol=1e-4)


def test_the_command_says_the_same_twice_and_keeps_n(
    photos: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for words in (["--tta", "3"], ["--tta", "3"], []):
        assert cli.run(["evaluate", str(trained), str(photos), "--json", *words]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert told[0]["metrics"]["accuracy"]["n"] == told[2]["metrics"]["accuracy"]["n"]
    assert told[0]["metrics"]["log_loss"] != told[2]["metrics"]["log_loss"]
    file = str(next(photos.rglob("*.png")))
    assert cli.run(["predict", str(trained), file, "--tta", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["label"]


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_number_of_views_that_is_none_is_refused(count: int, trained: Path) -> None:
    with pytest.raises(InputError, match="1 to 1000 views"):
        opsin.Model.load(trained).predict(np.zeros((3, 8, 8), np.uint8), tta=count)
