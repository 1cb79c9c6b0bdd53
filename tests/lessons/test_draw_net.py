"""The drawing of a net: to scale, complete, readable, and safe markup."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from math import sqrt
from pathlib import Path

import pytest

from opsin.errors import DataError, InputError
from opsin.lessons.draw_net import DEEP, LETTER, TALL, draw, draw_file
from opsin.lessons.net_columns import MOST, columns
from opsin.nets import described
from opsin.nets._lineage import ORIGINS

SVG = "{http://www.w3.org/2000/svg}"
LINE = "conv 5x5x8, pool 2, conv 5x5x16, dense 10"


def fronts(page: str) -> list[tuple[float, float]]:
    """Return width and height of the front of each box, in drawn order."""
    found = []
    for group in ET.fromstring(page).iter(f"{SVG}g"):
        polygons = [p for p in group.iter(f"{SVG}polygon") if p.get("class") == "edge"]
        for front in polygons[::3]:
            spots = [tuple(map(float, s.split(","))) for s in front.attrib["points"].split()]
            found.append((spots[1][0] - spots[0][0], spots[2][1] - spots[1][1]))
    return found


def test_boxes_are_to_scale() -> None:
    found = fronts(draw(described(LINE)))
    sides, depths = [32, 28, 14, 10], [3, 8, 8, 16]
    for (deep, high), side, channels in zip(found, sides, depths, strict=False):
        assert high == pytest.approx(TALL * side / 32, abs=0.11)
        assert deep == pytest.approx(2 + DEEP * sqrt(channels), abs=0.11)
    assert len(found) == 5


@pytest.mark.parametrize("name", [*ORIGINS, LINE, "vit_b_16"][::7])
def test_every_net_is_drawn_in_few_columns_with_its_sizes(name: str) -> None:
    net = described(name)
    found = columns(net)
    page = draw(net)
    text = [each.text or "" for each in ET.fromstring(page).iter(f"{SVG}text")]
    assert 3 <= len(found) <= MOST + 5
    assert all(column.size in text for column in found)
    assert any(f"{net.parameters:,}" in line for line in text)
    # What is drawn is the whole net, but for what has neither weights nor a map of its own.
    assert sum(column.parameters for column in found) >= 0.99 * net.parameters


@pytest.mark.parametrize("name", ["vgg16", "googlenet", "inception_v4", "mobilenetv1_100"])
def test_texts_do_not_lie_on_each_other(name: str) -> None:
    rows: dict[str, list[tuple[float, float]]] = {}
    for text in ET.fromstring(draw(described(name))).iter(f"{SVG}text"):
        if "m" in text.attrib.get("class", "").split():
            half = LETTER * len(text.text or "") / 2
            x = float(text.attrib["x"])
            rows.setdefault(text.attrib["y"], []).append((x - half, x + half))
    for spans in rows.values():
        ordered = sorted(spans)
        assert all(a[1] <= b[0] + 1 for a, b in pairwise(ordered))


def test_branches_skips_and_windows_are_shown() -> None:
    resnet, inception = draw(described("resnet50")), draw(described("googlenet"))
    assert resnet.count('class="skip"') == 3 + 4 + 6 + 3
    assert inception.count('class="skip"') == 0
    # Nine blocks of four branches each: three borders inside each.
    assert inception.count('class="cut"') == 9 * 3
    assert draw(described(LINE)).count('class="window"') == 3


def test_names_are_safe_markup() -> None:
    net = replace(described("lenet5"), name="<b>&'\"\x00")
    page = draw(net, ["a < b"])
    assert ET.fromstring(page) is not None
    assert "<b>" not in page
    assert not re.search("[\x00-\x08]", page)


def test_a_drawing_is_written_whole_or_refused(tmp_path: Path) -> None:
    net = described("lenet5")
    out = draw_file(net, tmp_path / "new" / "net.svg")
    assert out.read_text(encoding="utf-8") == draw(net)
    with pytest.raises(InputError, match=r"\.svg"):
        draw_file(net, tmp_path / "net.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError):
        draw_file(net, tmp_path / "file" / "net.svg")
