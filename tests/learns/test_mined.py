"""False alarms that a classifier learns from are false alarms no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_fields import LINE, fields

import opsin
from opsin.locate import Searcher
from opsin.locate.crops import Wish, cut
from opsin.locate.scored import measured
from opsin.model import Model

pytestmark = pytest.mark.learns
RECIPE = opsin.Recipe(net=LINE, size=32, policy="scratch", epochs=12, augment="flip")


def scores(model: Model, proposals: str) -> dict[str, float]:
    """Return the measures on fields that nothing was learnt from."""
    data = fields(8, first=1000)
    found = measured(Searcher(model, proposals), data).metrics
    return {name: metric.value for name, metric in found.items()}


def test_a_round_of_hard_negatives_and_every_way_to_look(tmp_path: Path) -> None:
    known, wish = fields(40), Wish(negatives=12, proposals="dense, scales 20")
    cut(known, tmp_path / "crops", wish)
    first = opsin.train(tmp_path / "crops", RECIPE, out=tmp_path / "first")
    ways = ("sliding, scales 20, step 0.1", "dense, scales 20", "contour, threshold 120")
    for way in ways:  # random ground shows few squares, so that all of them raise alarms
        before = scores(first, way)
        assert before["recall"] > 0.9, way
        assert before["precision"] < 0.7, way

    made = cut(known, tmp_path / "hard", wish, first)
    assert made.hard > 100
    second = opsin.train(tmp_path / "hard", RECIPE, out=tmp_path / "second")
    for way in ways:
        after = scores(second, way)
        assert after["precision"] > 0.85, way
        assert after["ap50"] > scores(first, way)["ap50"] + 0.1, way
