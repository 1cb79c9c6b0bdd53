"""The page of a study as text: well formed, self-contained, safe, and true to the digit."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from drawn_study import NETS, POLICIES, write_study
from opsin.errors import DataError
from opsin.report.study_page import page as drawn_page
from opsin.study import page

HOSTILE = "<script>alert(1)</script>\"&'\x00"


def write_whole(folder: Path, *, pictures: int = 1000) -> Path:
    """Write a study with everything a page can show: holes, a published table, votes, pictures."""
    failed = [(("dropconnect", "original"), 3)]
    left = [(("dropconnect", "rotation"), seed) for seed in range(5)]
    about = {"typed": ["mnist-augmentation", "--preset", "laptop"]}
    write_study(folder, failed=failed, left_out=left, pictures=pictures, about=about)
    table = [
        {"cell": {"net": net, "augment": augment}, "mean": 0.985, "best": 0.99}
        for net in NETS
        for augment in POLICIES
    ]
    (folder / "published.json").write_text(json.dumps({"source": "Them, 2017", "cells": table}))
    row = {"name": "five seeds", "how": "majority", "members": ["a 0", "a 1", "b 0"], "n": pictures}
    row["accuracy"] = {"value": 0.9951, "low": 0.99, "high": 0.998, "n": pictures}
    row["diversity"] = {"disagreement": 0.006}
    missed = [{"index": i, "true": str(i), "said": [str(i + 1), str(i + 2)]} for i in range(5)]
    votes = {"rows": [row], "missed": {"by_all": missed}}
    (folder / "ensembles.json").write_text(json.dumps(votes))
    shades = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)
    save_file({"images": shades}, folder / "missed.safetensors")
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of such a study."""
    return write_whole(tmp_path_factory.mktemp("study") / "s")


def parsed(folder: Path) -> ElementTree.Element:
    """Parse the page as XML: any tag left open or attribute torn open by data raises."""
    path = page.write(folder)
    assert path == folder / "study.html"
    start, _, body = path.read_text("utf-8").partition("\n")
    assert start == "<!DOCTYPE html>"
    return ElementTree.fromstring(body)


def words(element: ElementTree.Element) -> str:
    return re.sub(r"[\s\u202f\u00a0]+", " ", " ".join(element.itertext())).strip()


def section(tree: ElementTree.Element, key: str) -> ElementTree.Element:
    return next(e for e in tree.iter("section") if e.get("id") == key)


def test_page_has_all_its_parts(whole):
    tree = parsed(whole)
    assert [e.get("id") for e in tree.iter("section")] == [
        "limits", "settings", "grid", "beside", "differences", "gained", "ranks", "ensembles",
        "missed", "curves", "cost", "holes", "repeat",
    ]  # fmt: skip
    links = {e.get("href") for e in tree.iter("a")}
    assert links == {f"#{e.get('id')}" for e in tree.iter("section")}


def test_page_refers_to_nothing_outside(whole):
    tree = parsed(whole)
    for element in tree.iter():
        assert element.tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            if key in {"src", "href", "srcset", "action", "data", "poster"}:
                assert value.startswith(("data:image/png;base64,", "#")), value
    style = next(tree.iter("style")).text or ""
    assert "url(" not in style and "@import" not in style
    policies = [e.get("content") for e in tree.iter("meta") if e.get("http-equiv")]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_setting_stands_with_its_own_digits(whole):
    tree = parsed(whole)
    rows = [[words(cell) for cell in row] for row in section(tree, "settings").iter("tr")]
    story = page.tell(whole)
    assert len(rows) == 1 + len(story.cells) == 12
    for cell in story.cells:
        row = next(row for row in rows if row[0] == cell.name)
        assert row[1] == f"{100 * cell.score.value:.2f}"
        assert row[2] == f"{100 * cell.deviation:.2f}" and row[4] == f"{100 * cell.best:.2f}"
        assert row[3] == f"{100 * cell.score.low:.2f}–{100 * min(1, cell.score.high):.2f}"
    means = [float(row[1]) for row in rows[1:]]
    assert means == sorted(means, reverse=True)
    assert next(row for row in rows if row[0] == "dropconnect, original")[5] == "4 of 5"


def test_grid_has_a_cell_for_every_pair_and_says_what_was_not_run(whole):
    table = next(e for e in section(parsed(whole), "grid").iter("table"))
    rows = [[words(cell) for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["Augment", "lenet", "network3", "dropconnect"]
    assert [row[0] for row in rows[1:]] == list(POLICIES)
    assert rows[2][3] == "not run" and re.fullmatch(r"\d\d\.\d\d ± 0\.\d\d", rows[1][1])
    shades = [float(e.get("style", "").partition(":")[2] or 0) for e in table.iter("td")]
    assert max(shades) == 1.0 and min(shades) == 0.0
    best = [e for e in table.iter("td") if e.get("class") == "h best"]
    assert len(best) == 3


def test_ours_stand_beside_theirs_with_n(whole):
    rows = [[words(cell) for cell in row] for row in section(parsed(whole), "beside").iter("tr")]
    assert len(rows) == 13 and rows[0][4] == "n"
    story = page.tell(whole)
    first = story.cells[0]
    row = next(row for row in rows if row[0] == first.name)
    gap = f"{100 * (first.score.value - 0.985):+.2f}".replace("-", "−")
    assert row[4:] == ["5", "98.50", "99.00", gap]
    assert rows[-1] == ["dropconnect, rotation", "not run", "–", "–", "0", "98.50", "99.00", "–"]


def test_differences_are_drawn_and_told_with_every_p(whole):
    tree, story = parsed(whole), page.tell(whole)
    part = section(tree, "differences")
    rows = [[words(cell) for cell in row] for row in part.iter("tr")]
    assert len(rows) == 1 + len(story.against.differences) and "55 comparisons" in words(part)
    knobs = [e for e in part.iter("path") if "knob" in (e.get("class") or "")]
    assert len(knobs) == len(story.against.differences)
    blue = sum(e.get("class") == "knob s0" for e in knobs)
    assert blue == sum(each.settled for each in story.against.differences) > 0


def test_ranks_are_drawn_with_what_is_not_told_apart(whole):
    part, found = section(parsed(whole), "ranks"), page.tell(whole).ranked
    assert found is not None and found.left_out == 5
    bars = [e for e in part.iter("path") if e.get("class") == "group"]
    assert len(bars) == len(found.groups) > 0
    assert f"critical difference {found.critical:.2f}" in words(part)


def test_curves_have_bands_and_a_panel_for_each_net(whole):
    part = section(parsed(whole), "curves")
    assert len(list(part.iter("svg"))) == 6
    assert [words(e) for e in part.iter("figcaption")][:2] == [
        "lenet, over epoch",
        "lenet, over seconds of training",
    ]
    assert sum("band" in (e.get("class") or "") for e in part.iter("path")) == 12


def test_missed_pictures_are_what_was_given(whole):
    sources = [e.get("src", "") for e in section(parsed(whole), "missed").iter("img")]
    shades = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)
    found = [np.asarray(Image.open(io.BytesIO(base64.b64decode(s[22:])))) for s in sources]
    assert (np.array(found) == shades[:, 0]).all()
    assert "said 1, 2 labelled 0" in words(section(parsed(whole), "missed"))


def test_failures_and_how_to_repeat_it_are_told(whole):
    tree = parsed(whole)
    assert "dropconnect, original 3 killed (out of memory)" in words(section(tree, "holes"))
    told = words(section(tree, "repeat"))
    assert "opsin study mnist-augmentation --preset laptop --out" in told
    assert "Machine 2 cores, x86_64" in told and "torch 2.8.0" in told


def test_every_chart_and_table_has_a_name(whole):
    tree = parsed(whole)
    for table in tree.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") for cell in table.iter("th"))
    for chart in tree.iter("svg"):
        assert chart.get("aria-hidden") or chart.get("aria-label")
        assert not re.search(r"\b(nan|inf)\b", ElementTree.tostring(chart, "unicode"))
    assert all(e.get("alt") for e in tree.iter("img"))


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_small_studies_have_a_page_too(tmp_path, seeds):
    folder = write_study(tmp_path / "s", {"net": {"a": 0.0, "b": 0.1}}, seeds=seeds, pictures=50)
    tree = parsed(folder)
    assert not re.search(r"\b(nan|inf)\b", words(tree.find("body") or tree))


def test_a_study_without_results_has_a_page(tmp_path):
    folder = write_study(tmp_path / "s")
    (folder / "rows.jsonl").unlink()
    tree = parsed(folder)
    assert "No training was finished" in words(tree) and "60 of 60 trainings" in words(tree)


def test_what_comes_from_data_is_only_ever_text(tmp_path):
    fields = {HOSTILE: {HOSTILE: 0.0, "b" * 200: 0.4}, "net": {"قميص": 0.0, HOSTILE: 0.1}}
    about = {"name": HOSTILE, "data": HOSTILE, "machine": HOSTILE, "base": {HOSTILE: HOSTILE}}
    folder = write_study(tmp_path / "s", fields, pictures=100, about=about)
    parsed(folder)
    text = (folder / "study.html").read_text("utf-8")
    assert "<script" not in text and "\x00" not in text


def test_page_is_the_same_every_time(whole):
    assert drawn_page(page.tell(whole)) == drawn_page(page.tell(whole))


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("published.json", '{"cells": [{"cell": {}, "mean": 0.9}]}', "source and cells"),
        ("published.json", "{", "JSON"),
        ("ensembles.json", '{"rows": [{"name": "a"}]}', "rows of name, how, members"),
    ],
)
def test_an_odd_file_is_named(tmp_path, file, text, what):
    folder = write_study(tmp_path / "s", outputs=False)
    (folder / file).write_text(text)
    with pytest.raises(DataError, match=rf"{file}.*expected {what}.*move it away"):
        page.write(folder)
    assert not (folder / "study.html").exists()


def test_a_published_table_in_per_cent_is_refused(tmp_path):
    folder = write_study(tmp_path / "s", outputs=False)
    cell = {"cell": {"net": "lenet", "augment": "elastic"}, "mean": 99.36}
    (folder / "published.json").write_text(json.dumps({"source": "x", "cells": [cell]}))
    with pytest.raises(DataError, match=r"shares from 0 to 1.*Write 0\.9908"):
        page.write(folder)
