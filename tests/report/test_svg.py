"""Charts: every number stands where its axis says, and odd data still draws."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from opsin.figures import Bars, Figure, Lines, Matrix, Metric
from opsin.report.svg import draw, intervals


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def test_line_runs_through_the_grid_where_it_should() -> None:
    tree = parsed(draw(Lines("t", "epoch", "loss", {"a": ((1.0, 0.0), (2.0, 1.0), (3.0, 0.5))})))
    line = next(e for e in tree.iter("path") if e.get("class") == "line s0")
    spots = [tuple(map(float, p.split())) for p in re.split("[ML]", line.get("d", ""))[1:]]
    ends = {
        e.text: float(e.get("y", 0)) - 3.5
        for e in tree.iter("text")
        if e.get("class") == "tick end"
    }
    across = {
        e.text: float(e.get("x", 0)) for e in tree.iter("text") if e.get("class") == "tick mid"
    }
    assert spots[0] == pytest.approx((across["1"], ends["0.0"]), abs=0.11)
    assert spots[1] == pytest.approx((across["2"], ends["1.0"]), abs=0.11)
    assert spots[2][1] == pytest.approx((ends["0.4"] + ends["0.6"]) / 2, abs=0.11)


def test_line_has_a_gap_where_a_number_is_missing() -> None:
    points = tuple((float(x), math.nan if x == 2 else 1.0) for x in range(5))
    tree = parsed(draw(Lines("t", "x", "y", {"a": points})))
    line = next(e for e in tree.iter("path") if e.get("class") == "line s0")
    assert line.get("d", "").count("M") == 2 and line.get("d", "").count("L") == 2


def test_bars_are_as_long_as_their_values() -> None:
    tree = parsed(draw(Bars("t", "s", {"a": 10.0, "b": 5.0, "c": 0.0})))
    long, half, none = (float(e.get("width", 0)) for e in tree.iter("rect"))
    assert half == pytest.approx(long / 2, abs=0.1) and none == 0


def test_matrix_shades_by_share_of_row_and_counts_every_cell() -> None:
    tree = parsed(draw(Matrix("t", ("a", "b"), ("a", "b"), ((3, 1), (0, 2)))))
    cells = [e for e in tree.iter("rect") if "cell" in e.get("class", "")]
    assert [(e.get("class"), e.get("fill-opacity")) for e in cells] == [
        ("cell right", f"{0.12 + 0.88 * 0.75:.2f}"),
        ("cell wrong", f"{0.12 + 0.88 * 0.25:.2f}"),
        ("cell right", "1.00"),
    ]
    assert [e.findtext("title") for e in cells] == [
        "a → a: 3 of 4",
        "a → b: 1 of 4",
        "b → b: 2 of 2",
    ]


def test_intervals_stand_on_their_axis() -> None:
    rows = {"ours": Metric(0.5, 0.25, 0.75, 10), "theirs": Metric(math.nan, 0, 1, 0)}
    tree = parsed(intervals("accuracy", rows))
    across = {
        e.text: float(e.get("x", 0)) for e in tree.iter("text") if e.get("class") == "tick mid"
    }
    place = lambda share: across["0"] + share * (across["100"] - across["0"])  # noqa: E731
    spans = [e.get("d", "") for e in tree.iter("path") if e.get("class", "").startswith("span")]
    low, _, high = re.split("[ H]", spans[0][1:])
    assert len(spans) == 1
    assert (float(low), float(high)) == pytest.approx((place(0.25), place(0.75)), abs=0.1)


@pytest.mark.parametrize(
    "figure",
    [
        Lines("", "", "", {}),
        Lines("t", "x", "y", {"a": ((5.0, 5.0),)}),
        Lines("t", "x", "y", {"a": ((1e12, -1e-9), (2e12, 3e-9))}),
        Lines("t", "x", "y", {"a": ((-1.0, 3.0), (1.0, -3.0))}, diagonal=True, dots=True),
        Lines("t", "x", "y", {f"series {i}": ((0.0, i), (1.0, i)) for i in range(12)}),
        Bars("t", "", {}),
        Bars("t", "", {"a": math.nan}),
        Bars("t", "", {"a": 0.0}),
        Bars("t", "", {"a": -2.0, "b": -1.0}),
        Matrix("t", (), (), ()),
        Matrix("t", ("a",), ("b", "c"), ((0.5, 0.0),)),
        Matrix("t", *2 * (tuple(map(str, range(100))),), ((1,) * 100,) * 100),
    ],
)
def test_odd_data_still_draws_inside_its_frame(figure: Figure) -> None:
    tree = parsed(draw(figure))
    _, _, wide, tall = map(float, tree.get("viewBox", "").split())
    assert "nan" not in draw(figure) and "inf" not in draw(figure)
    for element in tree.iter():
        for key, most in (("x", wide), ("y", tall)):
            assert -0.5 <= float(element.get(key, 0)) <= most + 0.5
