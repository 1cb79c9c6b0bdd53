"""The page as a file: what it says is the lecture's, it is whole, and it is what is committed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.signal import correlate2d

from opsin import nets
from opsin.lessons import page_kernels, page_tree, page_vote
from opsin.lessons.__main__ import main
from opsin.lessons.page import NAME, embedded
from opsin.lessons.page_calculator import EXAMPLES
from opsin.ops.arithmetic import Window, output_size, parameters, receptive_field, uneven
from opsin.ops.kernels import GALLERY

ROOT = Path(__file__).parents[2]
MAP = """
 0.77 -0.11  0.11  0.33  0.55 -0.11  0.33
-0.11  1.00 -0.11  0.33 -0.11  0.11 -0.11
 0.11 -0.11  1.00 -0.33  0.11 -0.11  0.55
 0.33  0.33 -0.33  0.55 -0.33  0.33  0.33
 0.55 -0.11  0.11 -0.33  1.00 -0.11  0.11
-0.11  0.11 -0.11  0.33 -0.11  1.00 -0.11
 0.33 -0.11  0.55  0.33  0.11 -0.11  0.77
"""
POOLED = """
1.00 0.33 0.55 0.33
0.33 1.00 0.33 0.55
0.55 0.33 1.00 0.11
0.33 0.55 0.11 0.77
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the page as ``make lessons`` does, and read it."""
    folder = tmp_path_factory.mktemp("docs") / "lessons"
    assert main([str(folder)]) == 0
    assert [path.name for path in folder.iterdir()] == [NAME]
    return (folder / NAME).read_text("utf-8")


@pytest.fixture(scope="module")
def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.partition("\n")[2])


@pytest.fixture(scope="module")
def facts(tree: ElementTree.Element) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(next(e for e in tree.iter() if e.get("id") == "facts").text)
    return told


@pytest.mark.contracts
def test_the_committed_page_is_the_one_that_is_built(text: str) -> None:
    committed = (ROOT / "docs" / "lessons" / NAME).read_text("utf-8")
    assert committed == text, "run: make lessons"
    assert len(committed.encode()) < 400_000


def test_steps_on_the_x_are_the_lectures(facts: dict[str, Any]) -> None:
    told = facts["steps"]["X"]["A"]
    assert [place["value"] for place in told["filter"]] == MAP.split()
    assert [place["value"] for place in told["pool"]] == POOLED.split()
    rectified = ["0.00" if n.startswith("-") else n for n in MAP.split()]
    assert [place["value"] for place in told["relu"]] == rectified
    assert [place["seen"][0] for place in told["relu"]] == MAP.split()
    mirrored = [row[::-1] for row in np.reshape(MAP.split(), (7, 7)).tolist()]
    found = [place["value"] for place in facts["steps"]["X"]["C"]["filter"]]
    assert found == [n for row in mirrored for n in row]


@pytest.mark.parametrize("letter", ["X", "O"])
@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_every_step_can_be_followed(facts: dict[str, Any], letter: str, name: str) -> None:
    """Whole numbers and fractions only, straight from the picture."""
    picture = facts["steps"][letter]["picture"]
    told = facts["steps"][letter][name]
    for at, place in enumerate(told["filter"]):
        top, left = place["at"]
        assert (top, left) == divmod(at, 7)
        seen = [picture[9 * (top + i) + left + j] for i in range(3) for j in range(3)]
        products = [a * b for a, b in zip(seen, told["kernel"], strict=True)]
        hundredths = int(Fraction(100 * sum(products), 9))  # int() cuts
        assert place["seen"] == seen and place["products"] == products
        assert place["total"] == sum(products)
        assert float(place["value"]) == hundredths / 100
    rectified = [place["value"] for place in told["relu"]]
    for place in told["pool"]:
        top, left = place["at"]
        rows, columns = range(top, min(top + 2, 7)), range(left, min(left + 2, 7))
        assert place["seen"] == [rectified[7 * i + j] for i in rows for j in columns]
        assert place["wide"] == len(columns)
        assert place["value"] == max(place["seen"], key=float)


def test_votes_are_sums_of_what_is_kept_by_what_it_counts(facts: dict[str, Any]) -> None:
    walks = facts["walks"]
    assert [n for n, found in walks.items() if found["says"] != found["letter"]] == [
        "X turned by 45 degrees"
    ]
    weights = page_vote.weights()
    for letter in "XO":
        counts = np.array([[s if to == letter else 0 for to, s in row] for row in weights])
        for name, found in walks.items():
            kept = np.array(found["final"], float)  # two decimals of it
            vote = float((counts * kept).sum() / counts.sum())
            assert vote == pytest.approx(found["votes"][letter], abs=0.011), name


def test_what_is_said_of_failures_was_counted(text: str) -> None:
    right = page_vote.drawn_by_hand(40)
    assert set(right) == {"X", "O"} and all(0 <= count <= 20 for count in right.values())
    assert re.search(r"right for \d+ of 300 X \(\d+ %\) and \d+ of 300 O \(\d+ %\)", text)
    still, kept = page_vote.unmoved()
    assert f"three maps {still} stay" in text and f"after pooling {kept}:" in text


# ── the file ────────────────────────────────────────────────────────────────────────────────────


def test_page_is_whole_and_asks_for_nothing(tree: ElementTree.Element, text: str) -> None:
    elements = list(tree.iter())
    ids = [e.get("id") for e in elements if e.get("id")]
    assert len(ids) == len(set(ids))
    links = [e.get("href", "") for e in elements if e.get("href")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(re.match(r"#|https://arxiv\.org/abs/[0-9.]+$", link) for link in links)
    sources = [e.get("src", "") for e in elements if e.get("src")]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    for element in elements:
        assert not [key for key in element.attrib if key == "style" or key.startswith("on")]
        assert element.tag not in ("link", "iframe", "object", "embed", "form")
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|@import|url\(", text)


def test_policy_allows_this_style_and_this_script_and_nothing_else(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy and "unsafe" not in policy[1] and policy[1].startswith("default-src 'none';")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy[1]


def test_data_cannot_leave_its_element() -> None:
    hostile = {"a": "</script><script>alert(1)</script>", "b": "<!--", "c": "\u2028 & ]]>"}
    assert not set(embedded(hostile)) & set("<>&\u2028")
    assert json.loads(embedded(hostile)) == hostile


def test_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([]) == main(["--help"]) == main(["one", "two"]) == 2
    assert "usage:" in capsys.readouterr().err
    monkeypatch.setattr("opsin.lessons.page.page", lambda: "built")
    (tmp_path / "file").write_text("mine")
    assert main([str(tmp_path / "file")]) == 2
    assert "received" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


# ── kernels ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", GALLERY)
def test_pictures_are_what_scipy_makes(name: str) -> None:
    kernel, scene = GALLERY[name], page_kernels.scene()
    found = page_kernels.seen_by(kernel, scene)
    wanted = correlate2d(scene.astype(float), np.array(kernel.values), "valid")
    edge = (len(wanted) - page_kernels.SHOWN) // 2
    if not kernel.total:  # middle grey is zero
        wanted = 128 + 127 * wanted / np.quantile(np.abs(wanted), 0.995)
    inner = wanted[edge : edge + page_kernels.SHOWN, edge : edge + page_kernels.SHOWN]
    assert np.abs(found - np.clip(inner, 0, 255)).max() <= 0.51


def test_a_png_is_read_by_others() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 310), dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(page_kernels.png(picture))))
    assert picture.size > page_kernels.STORED and np.array_equal(read, picture)


# ── the tree and the table ──────────────────────────────────────────────────────────────────────


def test_every_net_has_a_dot_and_a_row(tree: ElementTree.Element) -> None:
    rows = {row["name"]: row for row in nets.catalogue()}
    drawing = next(e for e in tree.iter("svg") if e.get("class") == "tree")
    dots = {a.get("href", "")[5:]: a for a in drawing.iter("a")}
    assert set(dots) == set(rows) == set(page_tree.titles())
    for name, dot in dots.items():
        radius = float(next(dot.iter("circle")).get("r", 0))
        area = max(pi * 1.4**2 * rows[name]["parameters"] / 1e6, pi * 2.0**2)
        assert pi * radius**2 == pytest.approx(area, rel=0.01), name
        assert f"{rows[name]['parameters']:,} parameters" in dot.get("aria-label", "")
    body = next(e for e in tree.iter("table") if e.get("class") == "nets").find("tbody")
    assert body is not None
    for line in body:
        row = rows[line.get("id", "")[4:]]
        values = [cell.get("data-value") for cell in line]
        seen = row["receptive_field"][0] if row["receptive_field"] else -1
        numbers = [row["year"], row["layers"], row["parameters"], row["madds"], seen]
        assert [values[0], *values[2:6]] == list(map(str, numbers))
        words = " ".join("".join(line.itertext()).split())
        assert row["remark"][1:] in words and row["paper"]["title"] in words


def test_counts_of_the_lecture_are_corrected(text: str) -> None:
    """Figures of FACTS, "true, where it differs"."""
    for true in ("61,706", "60,965,224", "61,100,840", "138,357,544"):
        assert f">{true}<" in text
    assert "the lecture says 55 M parameters, it has 42,67".lower() in text.lower()
    assert "102,764,544 of the 138,357,544" in text


def test_lines_lead_from_parents_down_to_children(tree: ElementTree.Element) -> None:
    home = {n: i for i, family in enumerate(page_tree.FAMILIES) for n in family.members}
    wanted = {
        (home[parent], home[row["name"]])
        for row in nets.catalogue()
        for parent in row["parents"]
        if home[parent] != home[row["name"]]
    }
    drawn = [e for e in tree.iter("path") if (e.get("class") or "").startswith("descent")]
    ends = [(int(e.get("data-from", -1)), int(e.get("data-to", -1))) for e in drawn]
    assert set(ends) == wanted and len(ends) == len(wanted)
    for line in drawn:
        numbers = re.findall(r"-?[\d.]+", line.get("d", ""))
        assert float(numbers[-1]) > float(numbers[1])  # down


def test_nothing_of_the_tree_lies_on_anything_else(tree: ElementTree.Element) -> None:
    drawing = next(e for e in tree.iter("svg") if e.get("class") == "tree")
    _, _, wide, high = map(float, drawing.get("viewBox", "").split())
    boxes = []
    for family in (e for e in drawing.iter("g") if e.get("class") == "family"):
        dots = [e for e in family.iter("circle") if e.get("class") == "dot"]
        left = min(float(e.get("cx", 0)) - float(e.get("r", 0)) for e in dots)
        title = next(family.iter("text"))
        right = float(title.get("x", 0)) + 6.8 * len(title.text or "")
        y = float(dots[0].get("cy", 0))
        boxes.append((left, right, y, title.text))
        assert left > 0 and right < wide and 0 < y < high - 20, title.text
    for i, (left, right, y, name) in enumerate(boxes):
        for other_left, other_right, other_y, other in boxes[:i]:
            apart = right < other_left or other_right < left or abs(y - other_y) > 30
            assert apart, f"{name} and {other}"


# ── what the examples of the calculator claim ───────────────────────────────────────────────────


def test_examples_show_what_they_say() -> None:
    example = {each.name: each for each in EXAMPLES}
    three = example["Three layers"].layers
    depths = (3, 8, 16)
    counts = [
        parameters(Window(a.kernel), d, a.filters) for a, d in zip(three, depths, strict=True)
    ]
    assert counts == [608, 3216, 544]

    alex = example["AlexNet’s first layers"]
    windows = [Window(each.kernel, each.stride, each.padding) for each in alex.layers]
    assert uneven(alex.picture[:2], windows[0])
    size, sizes = (227, 227), []
    for window in windows:
        assert not uneven(size, window)
        size = output_size(size, window)
        sizes.append(size[0])
    assert sizes == [55, 27, 27, 13]

    small = example["Three small or one large"].layers
    assert receptive_field([Window(each.kernel) for each in small]).size == (7, 7)
    share = 3 * parameters(Window(3), 64, 64) / parameters(Window(7), 64, 64)
    assert 0.5 < share < 0.6

    holes = example["Holes"].layers
    spread = [Window(each.kernel, dilation=each.dilation) for each in holes]
    assert receptive_field(spread).size == (15, 15)

    ragged = example["The ragged edge"].layers[0]
    assert output_size((7, 7), Window(2, 2, ceil=ragged.ceil)) == (4, 4)
    assert output_size((7, 7), Window(2, 2)) == (3, 3)
    assert uneven((7, 7), Window(3, 3))
