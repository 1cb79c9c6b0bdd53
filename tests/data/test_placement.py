"""Where a picture lies in its frame: found again by its colour, after the real decoding."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.data.decode import prepare
from opsin.data.preprocess import Preprocessing
from opsin.results import Boxes, Label, Value

SIZES = [(100, 200), (200, 100), (97, 133), (64, 64), (300, 301), (40, 31)]


def painted(size: tuple[int, int], box: np.ndarray) -> np.ndarray:
    picture = np.full((3, *size), 20, np.uint8)
    x1, y1, x2, y2 = box.astype(int)
    picture[0, y1:y2, x1:x2] = 250
    return picture


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fit", ["cover", "pad", "squash"])
@pytest.mark.parametrize("frame", [(64, 64), (48, 96)])
def test_a_box_lies_where_its_paint_does(size, fit, frame):
    pre = Preprocessing(frame, crop=1.0, fit=fit, interpolation="bilinear")
    h, w = size
    box = np.array([w * 0.4, h * 0.4, w * 0.6, h * 0.6]).round().astype(np.float32)
    seen = prepare(painted(size, box), pre)
    rows, columns = np.nonzero(seen[0].astype(int) - seen[1] > 115)
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    placement = pre.placement(size)
    truth = Boxes(box[None], ("a",), size=size)
    placed = truth.placed(placement)
    np.testing.assert_allclose(placed.boxes[0], found, atol=1.0)
    assert placed.size == frame and placed.flags == ("",)
    back = placed.restored(placement)
    np.testing.assert_allclose(back.boxes[0], box, atol=1e-3)
    assert back.size == size


def test_what_is_cut_away_is_to_be_ignored():
    pre = Preprocessing((50, 50), crop=1.0, fit="cover")
    truth = Boxes(np.array([[0, 0, 20, 20], [45, 0, 60, 20]], np.float32), ("a", "b"))
    placed = truth.placed(pre.placement((50, 150)))
    assert placed.flags == ("ignore", "")
    assert placed.boxes[1].tolist() == [0, 0, 10, 20]


def test_what_is_said_of_the_whole_picture_does_not_move():
    placement = Preprocessing((32, 32)).placement((100, 50))
    for said in (Label("a"), Value(2.0)):
        assert said.placed(placement) is said and said.restored(placement) is said
