"""Crops of objects and ground, and false alarms that become ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from test_searcher import DISC, MIDDLES, model, scene

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
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
    from opsin.data.decode import decode

    for sample in read.samples:
        pixels = decode(sample.image)
        assert pixels.shape == (3, 24, 24)
        dark = float((pixels[0] < 100).mean())
        assert dark == 0 if sample.truth.name == "background" else abs(dark - 201 / 576) < 0.02


def test_false_alarms_become_ground(tmp_path: Path) -> None:
    wish = crops.Wish(negatives=0, proposals="contour")
    made = crops.cut(known(2), tmp_path / "hard", wish, model())
    assert (made.hard, made.classes["background"], made.classes["disc"]) == (1, 1, 2)


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
