"""Names beside points: none hides another, a point or a line, whatever the points."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from opsin.report.labels import TALL, beside, overlap

FRAME = (0.0, 0.0, 600.0, 340.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_name_hides_anything(seed: int) -> None:
    draws = np.random.default_rng(seed)
    points = [(float(x), float(y)) for x, y in draws.uniform((0, 0), (600, 340), (40, 2))]
    knobs = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    wide = draws.uniform(20, 160, 40).tolist()
    found = beside(points, wide, knobs, FRAME)
    placed = [box for box in found if box is not None]
    assert len(placed) > 20
    for one, other in itertools.combinations(placed + knobs, 2):
        assert (one in knobs and other in knobs) or not overlap(one, other)
    for box, letters in zip(found, wide, strict=True):
        if box is not None:
            assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((letters, TALL))
            assert box[0] >= 0 and box[1] >= 0 and box[2] <= 600 and box[3] <= 340


def test_the_first_chooses_first() -> None:
    taken = beside([(590.0, 100.0), (590.0, 100.0)], [50.0, 50.0], [], FRAME)
    assert taken[0] == (532.0, 93.5, 582.0, 106.5) and taken[1] is not None
