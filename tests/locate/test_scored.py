"""What is found is measured as detectors are, and the threshold comes from validation pictures."""

from __future__ import annotations

import numpy as np
import pytest
from test_searcher import DISC, MIDDLES, model, scene

from opsin import verbs
from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.errors import DataError, InputError
from opsin.locate import Searcher
from opsin.locate.scored import measured
from opsin.results import Boxes
from opsin.tasks._located import Found


def picture(few: int = 3, split: str | None = None) -> Sample:
    """Return the scene with its first ``few`` discs as truths."""
    half = DISC / 2
    boxes = np.array([[x - half, y - half, x + half, y + half] for x, y in MIDDLES[:few]])
    return Sample(scene(), Boxes(boxes, ("disc",) * few), split, name="scene")


def test_discs_found_and_a_false_alarm_are_counted() -> None:
    found = measured(Searcher(model(), "contour"), Dataset((picture(), picture(2))))
    numbers = {name: metric.value for name, metric in found.metrics.items()}
    assert numbers["recall"] == 1
    assert numbers["precision"] == pytest.approx(5 / 6)
    assert numbers["f1"] == pytest.approx(10 / 11)
    assert (numbers["threshold"], found.metrics["threshold"].n) == (0.5, 0)
    assert found.per_class["disc"]["wrong"] == 1


def test_the_threshold_is_chosen_on_validation_pictures() -> None:
    searcher = Searcher(model(), "contour")
    parts = (picture(0, "train"), picture(3, "validation"), picture(3, "test"))
    found = measured(searcher, Dataset(parts))
    surest = searcher.find(scene()).scores
    assert found.metrics["threshold"].n == 1
    assert found.metrics["threshold"].value <= surest.min()
    assert found.metrics["f1"].value == 1
    assert found.metrics["f1"].n == 1  # of the test picture alone
    alone = measured(searcher, Dataset(parts[:2]))  # chosen on nothing that is measured
    assert (alone.metrics["threshold"].value, alone.metrics["threshold"].n) == (0.5, 0)


def test_in_a_picture_too_small_for_any_window_nothing_is_found() -> None:
    small = Sample(np.zeros((3, 8, 8), np.uint8), Boxes(np.array([[0, 0, 8, 8]]), ("disc",)))
    searcher = Searcher(model(), f"dense, scales {DISC}")
    found = measured(searcher, Dataset((picture(), small)))
    assert found.metrics["recall"].value == pytest.approx(3 / 4)
    with pytest.raises(DataError, match="at least"):
        searcher.find(np.zeros((3, 8, 8), np.uint8))


def test_a_picture_of_very_many_objects_is_judged_whole() -> None:
    corner = 20.0 * np.stack(np.meshgrid(range(20), range(12)), axis=-1).reshape(-1, 2)
    many = Boxes(np.concatenate([corner, corner + 10], axis=1), ("shrub",) * 240)
    found = Found(("shrub",), [many], [many], most=len(many))
    assert found.plain() == 1.0
    counts = found.counts(0.5)
    assert (counts.right.sum(), counts.missed.sum()) == (240, 0)


def test_the_verb_measures_and_other_truths_are_refused() -> None:
    found = verbs.evaluate(model(), Dataset((picture(),)), proposals=f"dense, scales {DISC}")
    assert found.metrics["f1"].value == 1
    for given in ({"background": "soil"}, {"context": 0.25}):
        with pytest.raises(InputError, match=f"{next(iter(given))} without proposals"):
            verbs.evaluate(model(), Dataset((picture(),)), **given)  # type: ignore[arg-type]
    other = Sample(scene(), Boxes(np.array([[0, 0, 9, 9]]), ("cat",)))
    with pytest.raises(DataError, match="received boxes of cat; expected some of what is looked"):
        measured(Searcher(model(), "contour"), Dataset((other,)))
