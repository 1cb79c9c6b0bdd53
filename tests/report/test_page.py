"""The page as text: well formed, self-contained, safe, and true to the digit."""

from __future__ import annotations

import base64
import io
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from opsin.figures import Measures, Metric
from opsin.report import Story, page, write

BARE = Story(title="bare", task="t", net="n", better="accuracy", held_out=Measures({}, {}, (), ()))


@pytest.fixture(params=["everyday", "hostile", "bare"])
def story(request: pytest.FixtureRequest) -> Story:
    return BARE if request.param == "bare" else request.getfixturevalue(request.param)


def parsed(story: Story) -> ElementTree.Element:
    """Parse the page as XML: any tag left open or attribute torn open by data raises."""
    start, _, body = page(story).partition("\n")
    assert start == "<!DOCTYPE html>"
    return ElementTree.fromstring(body)


def words(element: ElementTree.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_page_is_well_formed_and_utf8(story: Story) -> None:
    parsed(story)
    page(story).encode("utf-8")


def test_page_refers_to_nothing_outside(story: Story) -> None:
    for element in parsed(story).iter():
        assert element.tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            if key in {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}:
                assert value.startswith(("data:image/jpeg;base64,", "#")), value
            if key == "style":
                assert "url(" not in value
    style = next(parsed(story).iter("style")).text or ""
    assert "url(" not in style and "@import" not in style and "http" not in style


def test_page_keeps_everything_out_by_policy(everyday: Story) -> None:
    policies = [e.get("content") for e in parsed(everyday).iter("meta") if e.get("http-equiv")]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_measured_number_appears_with_its_own_digits(story: Story) -> None:
    """Numbers stand as ``Metric`` prints them, in ``data``, and as read by eye: ×100 for shares."""
    tree = parsed(story)
    kept = {e.get("value"): words(e) for e in tree.iter("data")}
    told = words(tree)
    for metric in story.held_out.metrics.values():
        for number in (metric.value, metric.low, metric.high):
            if math.isfinite(number) and number >= 0.001:
                digits = f"{number:.3f}"
                by_eye = f"{float(digits) * 100:.1f}"
                assert digits in told or by_eye in told
        if math.isfinite(metric.value):
            assert f"{metric.value:.3f}" in kept
    for row in story.held_out.per_class.values():
        for key, number in row.items():
            if key != "n" and math.isfinite(number):
                shown = kept[f"{number:.3f}"]
                assert shown == f"{float(f'{number:.3f}') * 100:.1f}"


def test_metrics_table_by_hand(everyday: Story) -> None:
    section = next(e for e in parsed(everyday).iter("section") if e.get("id") == "metrics")
    rows = [[words(cell) for cell in row] for row in section.iter("tr")]
    assert rows[1][1:4] == ["92.5 %", "88.5–96.0 %", "200"]
    assert rows[3][1:4] == ["0.213", "0.150–0.290", "200"]


def test_pictures_are_counted_once_whatever_they_show(everyday: Story) -> None:
    """A picture may show several classes, or none: counts of classes do not add up to pictures."""
    counts = {"ant": {"train": 7, "test": 2}, "bee": {"train": 6, "test": 3}}
    told = replace(everyday, counts=counts, pictures={"train": 10, "test": 4}, without=3)
    assert "2 classes, 14 pictures: 10 train, 4 test; 3 of them without an object." in words(
        parsed(told)
    )


def test_headline_is_told_in_words(everyday: Story) -> None:
    told = words(parsed(everyday))
    assert (
        "On 200 pictures that the model had never seen, it named 92.5 % correctly (95 % interval "
        "88.5–96.0 %): about one picture in 13 is wrong." in told
    )
    assert "on the same pictures: commonest class 62.0 %." in told


def test_what_comes_from_data_is_only_ever_text(hostile: Story) -> None:
    whole = page(hostile)
    assert "<script" not in whole and "\x00" not in whole and "\x1b" not in whole
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in whole
    assert "قميص طويل الأكمام" in whole and "👗👠" in whole


def test_numbers_that_are_none_are_told_as_such(hostile: Story) -> None:
    told = words(parsed(hostile))
    assert "n/a" in told
    assert not re.search(r"\b(nan|inf)\b", told)
    for element in parsed(hostile).iter():
        assert not any(re.search(r"\b(nan|inf)\b", v) for v in element.attrib.values())


def test_problems_are_grouped_and_the_rest_counted(everyday: Story) -> None:
    section = next(e for e in parsed(everyday).iter("section") if e.get("id") == "problems")
    assert "25 problems of 1 kind." in words(section) and "And 5 more." in words(section)
    assert len(list(section.iter("tr"))) == 1 + 20


def test_every_picture_has_alt_text_and_every_table_headers(story: Story) -> None:
    tree = parsed(story)
    assert all(e.get("alt") for e in tree.iter("img"))
    for table in tree.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") for cell in table.iter("th"))
    for chart in tree.iter("svg"):
        assert chart.get("aria-hidden") or (chart.get("role"), bool(chart.get("aria-label"))) == (
            "img",
            True,
        )
    links = {e.get("href") for e in tree.iter("a")}
    assert links == {f"#{e.get('id')}" for e in tree.iter("section")}


def test_pictures_are_real_jpegs_of_the_right_shape(everyday: Story) -> None:
    sources = [e.get("src", "") for e in parsed(everyday).iter("img")]
    assert len(sources) == 3
    for source in sources:
        picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (45, 60))


def test_nothing_is_claimed_of_what_was_not_measured() -> None:
    told = words(parsed(BARE))
    assert "could not be measured" in told and "n/a" in told
    assert "every answer was right" not in told and "No problem" not in told


def test_a_flawless_model_is_told_so(everyday: Story) -> None:
    one = Measures({"accuracy": Metric(1.0, 0.76, 1.0, 12)}, {}, ((12,),), ("cat",))
    told = words(parsed(replace(everyday, held_out=one, mistakes=())))
    assert "every answer was right" in told and "Nothing was confused" in told


def test_write_is_whole_and_utf8(tmp_path: Path, everyday: Story) -> None:
    path = write(everyday, tmp_path / "new" / "report.html")
    assert path.read_text("utf-8") == page(everyday)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_page_is_the_same_every_time(everyday: Story) -> None:
    assert page(everyday) == page(everyday)


def _colours(style: str) -> Iterator[dict[str, str]]:
    for block in re.findall(r":root \{([^}]*)\}", style):
        yield dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))


def _luminance(colour: str) -> float:
    """Compute relative luminance (WCAG 2.2, definition 'relative luminance')."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_all_text_has_the_contrast_that_wcag_asks_for(everyday: Story) -> None:
    style = next(parsed(everyday).iter("style")).text or ""
    themes = list(_colours(style))
    assert len(themes) == 3  # light, dark, paper
    for theme in themes:
        pairs = [(a, b) for a in ("ink", "soft", "accent") for b in ("paper", "tint")]
        for text, ground in [*pairs, ("on", "accent")]:
            high, low = sorted((_luminance(theme[text]), _luminance(theme[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground, theme)


def test_report_does_not_import_torch() -> None:
    code = "import sys, opsin.report, opsin.card; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_run_is_told_against_its_plan_where_there_was_one(everyday: Story) -> None:
    def heads(story: Story) -> list[str]:
        section = next(e for e in parsed(story).iter("section") if e.get("id") == "timeline")
        return [words(e) for e in section.iter("th") if e.get("scope") == "col"]

    assert heads(everyday) == ["Part", "Planned", "Took", "bar"]
    assert heads(replace(everyday, plan=None)) == ["Part", "Took", "bar"]


def test_curves_pair_training_with_validation(everyday: Story) -> None:
    epochs = tuple(
        replace(epoch, terms={"cross_entropy": 1.0, "validation cross_entropy": 2.0})
        for epoch in everyday.epochs
    )
    section = next(
        e
        for e in parsed(replace(everyday, epochs=epochs)).iter("section")
        if e.get("id") == "curves"
    )
    assert [words(e) for e in section.iter("figcaption")] == ["full: cross entropy"]
    assert [e.text for e in section.iter("text") if e.get("class") == "key"] == [
        "validation",
        "training",
    ]
