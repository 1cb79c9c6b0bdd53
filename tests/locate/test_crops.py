"""Crops of objects and ground, and false alarms that become ground."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_searcher import DISC, MIDDLES, model, scene

from opsin.data.dataset import Dataset
from opsin.data.decode import decode
from opsin.data.sample import Sample
from opsin.errors import DataError, ModelError, RecipeError
from opsin.locate import Searcher, crops
from opsin.results import Boxes


def known(few: int) -> Dataset:
    """Return the scene with the first ``few`` discs as truths: the others are false alarms."""
    half = DISC / 2
    boxes = np.array([[x - half, y - half, x + half, y + half] for x, y in MIDDLES[:few]])
    return Dataset((Sample(scene(), Boxes(boxes, ("disc",) * few), name="scene"),))


def test_objects_and_ground_are_cut(tmp_path: Path) -> None:
    made = crops.cut(known(3), tmp_path / "crops", crops.Wish(negatives=4))
    assert made.to_dict()["classes"] == {"disc": 3, "background": 4}
    read = Dataset.read(tmp_path / "crops")
    assert read.classes == ("background", "disc")
    for sample in read.samples:
        pixels = decode(sample.image)
        assert pixels.shape == (3, 24, 24)
        dark = float((pixels[0] < 100).mean())
        assert dark == 0 if sample.truth.name == "background" else abs(dark - 201 / 576) < 0.02


def test_false_alarms_become_ground(tmp_path: Path) -> None:
    wish = crops.Wish(negatives=0, proposals="contour")
    made = crops.cut(known(2), tmp_path / "hard", wish, model())
    assert (made.hard, made.classes["background"], made.classes["disc"]) == (1, 1, 2)


def test_crops_are_cut_with_the_context_and_called_as_is_wished(tmp_path: Path) -> None:
    wish = crops.Wish(negatives=2, context=0.5, background="soil")
    made = crops.cut(known(2), tmp_path / "wide", wish)
    assert made.to_dict()["classes"] == {"disc": 2, "soil": 2}
    for sample in Dataset.read(tmp_path / "wide").samples:
        assert decode(sample.image).shape == (3, 32, 32)  # twice a disc of 16
    with pytest.raises(RecipeError, match="context=5"):
        crops.Wish(context=5)


def test_false_alarms_are_sought_as_they_are_cut(tmp_path: Path) -> None:
    soil = model(("soil", "disc"))
    with pytest.raises(ModelError, match="--background"):
        crops.cut(known(2), tmp_path / "none", crops.Wish(proposals="contour"), soil)
    wish = crops.Wish(negatives=0, proposals="contour", background="soil")
    assert crops.cut(known(2), tmp_path / "hard", wish, soil).classes == {"disc": 2, "soil": 1}
    searcher = replace(wish, context=0.5).searcher(known(2), soil)
    assert (searcher.context, searcher.classes) == (0.5, ("disc",))


def test_one_bad_picture_costs_no_crop_of_another(tmp_path: Path) -> None:
    good = known(2)
    (one,) = good.samples
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"\xff\xd8\xff\xe0 no more")
    both = good.keep([Sample(torn, one.truth, name="torn"), one])
    made = crops.cut(both, tmp_path / "crops", crops.Wish(negatives=1))
    assert made.classes == {"disc": 2, "background": 1}
    assert [problem.path for problem in made.problems] == ["torn"]


def test_crops_are_whole_or_absent(tmp_path: Path) -> None:
    (one,) = known(2).samples
    slash = replace(one.truth, names=("disc", "a/b"))
    for samples in ([replace(one, truth=slash)], [one, replace(one, split="train")]):
        with pytest.raises(DataError):
            crops.cut(known(2).keep(samples), tmp_path / "crops", crops.Wish(negatives=1))
    assert not list(tmp_path.iterdir())


def test_one_picture_is_held_at_a_time(tmp_path: Path) -> None:
    (one,) = known(3).samples
    made = crops.cut  # what a picture takes, whatever their number
    peaks = []
    for many in (2, 40):
        tracemalloc.start()
        made(known(3).keep([one] * many), tmp_path / str(many), crops.Wish(negatives=20))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


def test_nothing_in_a_crowd_is_ground() -> None:
    places = np.array([[0, 0, 200, 200], [250, 250, 270, 270]])
    draws = np.random.default_rng(0)
    crowd = Boxes(places, ("disc", "disc"), flags=("crowd", ""))
    ground = crops.drawn((300, 300), crowd, 200, draws)
    assert len(ground) == 200
    within = np.clip(np.minimum(ground[:, 2:], 200) - ground[:, :2], 0, None).prod(axis=1)
    assert (within <= 0.1 * 20 * 20 + 1e-3).all()  # a tenth of a crop of 20×20, at most


def test_who_stands_in_a_crowd_is_no_false_alarm() -> None:
    searcher = Searcher(model(), "contour")
    half = DISC / 2
    first = [MIDDLES[0][0] - half, MIDDLES[0][1] - half, MIDDLES[0][0] + half, MIDDLES[0][1] + half]
    crowd = Boxes(np.array([first, [90, 20, 300, 200]]), ("disc", "disc"), flags=("", "crowd"))
    assert len(crops.mined(searcher, scene(), crowd.keep(np.array([0])), 20)) == 2
    assert len(crops.mined(searcher, scene(), crowd, 20)) == 0
