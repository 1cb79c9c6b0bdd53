"""Boxes are checked when they are made, equal when they say the same, and drawn to be read."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.errors import DataError
from opsin.results import FLAGS, Boxes, Label, Value
from opsin.results._drawing import color

TWO = Boxes(np.array([[1, 2, 5, 9], [0, 0, 3, 3]]), ("cat", "dog"), np.array([0.5, 1.0]))


def test_what_is_made_is_whole_and_stays_as_it_is() -> None:
    assert TWO.boxes.dtype == TWO.scores.dtype == np.float32 and TWO.flags == ("", "")
    source = np.array([[1, 2, 5, 9]], np.float32)
    copy = Boxes(source, ("cat",))
    source[:] = 0
    assert copy.boxes.tolist() == [[1, 2, 5, 9]] and copy.scores.tolist() == [1]
    for array in (TWO.boxes, TWO.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    nothing = Boxes(np.zeros((0, 4)))
    assert len(nothing) == 0 and nothing.boxes.shape == (0, 4) and nothing.words() == "nothing"
    assert nothing.rows() == [] and not nothing.ignored.size


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Boxes(np.zeros((2, 4)), ("a",)), r"boxes \(2, 4\).*expected \(1, 4\)"),
        (lambda: Boxes(np.zeros((1, 5)), ("a",)), r"boxes \(1, 5\)"),
        (lambda: Boxes(np.zeros((1, 4)), ("a",), np.ones(2)), r"scores \(2,\)"),
        (lambda: Boxes(np.zeros((1, 4)), ("a",), flags=("", "")), "2 flags"),
        (lambda: Boxes(np.array([[0, 0, np.nan, 1]]), ("a",)), "the box 0.0 0.0 nan 1.0"),
        (lambda: Boxes(np.array([[0, 0, 1e39, 1]]), ("a",)), "inf"),
        (lambda: Boxes(np.array([[3, 0, 1, 1]]), ("a",)), "x1 ≤ x2"),
        (lambda: Boxes(np.zeros((1, 4)), ("",)), "without a name"),
        (lambda: Boxes(np.zeros((1, 4)), ("a",), np.array([1.5])), "scores"),
        (lambda: Boxes(np.zeros((1, 4)), ("a",), np.array([np.nan])), "scores"),
        (lambda: Boxes(np.zeros((1, 4)), ("a",), flags=("hard",)), "flag 'hard'"),
        (lambda: Boxes(np.zeros((0, 4)), size=(0, 4)), "size"),
    ],
)
def test_what_cannot_be_meant_is_refused(made: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        made()  # type: ignore[operator]


def test_equal_when_all_is_equal() -> None:
    again = Boxes.from_dict(TWO.to_dict())
    assert again == TWO and hash(again) == hash(TWO) and len({again, TWO}) == 1
    moved = Boxes(np.nextafter(TWO.boxes, np.float32(99)), TWO.names, TWO.scores)
    others = [moved, Boxes(TWO.boxes, ("cat", "cat"), TWO.scores), Boxes(TWO.boxes, TWO.names)]
    others += [Boxes(TWO.boxes, TWO.names, TWO.scores, ("", "crowd"))]
    others += [Boxes(TWO.boxes, TWO.names, TWO.scores, size=(9, 9))]
    assert all(other != TWO and hash(TWO) != hash(other) for other in others)
    assert TWO != "boxes" and repr(moved) != repr(TWO)


def test_plain_data_is_short_and_exact() -> None:
    boxes = np.random.default_rng(0).uniform(0, 700, (50, 2)).astype(np.float32)
    made = Boxes(np.concatenate([boxes, boxes + 0.1], 1), ("a",) * 50, size=(800, 801))
    assert Boxes.from_dict(made.to_dict()) == made
    third = Boxes(np.array([[0.1, 0, 1, 1]]), ("a",), flags=("crowd",), size=(2, 3))
    assert third.to_dict() == {
        "boxes": [{"label": "a", "score": 1.0, "box": [0.1, 0.0, 1.0, 1.0], "flag": "crowd"}],
        "size": [2, 3],
    }


def test_a_row_for_each_box_with_the_columns_that_are_told() -> None:
    for result in (TWO, Label("a"), Value(2.0, 1.0, 3.0)):
        assert all(tuple(row) == result.columns for row in result.rows())
    assert [row["label"] for row in TWO.rows()] == ["cat", "dog"]


def test_some_are_kept_by_mask_or_place() -> None:
    assert TWO.keep(TWO.scores > 0.9).names == ("dog",)
    assert TWO.keep(np.array([1, 0])).names == ("dog", "cat")
    assert len(TWO.keep(np.array([], int))) == 0


# ── drawing ─────────────────────────────────────────────────────────────────────────────────────


def painted(boxes: Boxes, height: int = 300, width: int = 400) -> np.ndarray:  # type: ignore[type-arg]
    """Return which pixels of a grey picture were drawn on, (H, W)."""
    image = np.full((3, height, width), 128, np.uint8)
    image.flags.writeable = False
    drawn = boxes.draw(image)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8 and drawn.flags.writeable
    return (drawn != image).any(axis=0)


def test_frames_lie_on_the_edges_and_dashes_are_gaps() -> None:
    corners = np.array([[50, 60, 250, 200]])
    whole = painted(Boxes(corners, ("a",)))
    dashed = painted(Boxes(corners, ("a",), flags=("ignore",)))
    assert whole[60, 50:250].all() and whole[199, 50:250].all() and whole[60:200, 249].all()
    assert 0.4 < dashed[199, 50:250].mean() < 0.7
    assert not whole[100:190, 80:240].any() and not whole[210:].any()


def test_lines_and_tags_grow_with_the_picture() -> None:
    box = np.array([[0.1, 0.2, 0.9, 0.9]])
    shares = []
    for side in (200, 1600):
        drawn = painted(Boxes(box * side, ("a class",)), side, side)
        shares.append(drawn.mean())
    assert 0.3 < shares[0] / shares[1] < 3.5
    tiny = np.array([[100, 100, 106, 106]])
    assert painted(Boxes(tiny, ("a long name that would hide everything",))).sum() < 80


def test_a_class_has_one_colour_wherever_it_is_drawn() -> None:
    names = [f"class {index}" for index in range(80)]
    assert len({color(name) for name in names}) > 75
    assert color("cat") == color("cat")


def test_everything_can_be_drawn_anywhere() -> None:
    edges = [[0, 0, 400, 300], [399, 299, 400, 300], [0, 0, 0, 0], [5.5, 5.5, 5.6, 5.6]]
    edges += [[-50, -50, 900, 900], [500, 500, 600, 600]]
    many = Boxes(np.array(edges), ("ß日",) * 6, np.linspace(0, 1, 6), FLAGS[:2] * 3)
    painted(many)
    for size in ((1, 1), (3, 500), (500, 3)):
        painted(many, *size)
