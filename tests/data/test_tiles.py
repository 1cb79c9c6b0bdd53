"""Tiles: where they lie, what they show, and that what is read back is what was drawn."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import encoded, put, scene
from PIL import Image

import opsin
from opsin import cli
from opsin.data import tiles
from opsin.data.convert import convert
from opsin.data.decode import decode, full
from opsin.data.sample import SPLITS, Sample
from opsin.data.split import split
from opsin.data.tiles import Tiling, cut, parts_of
from opsin.errors import DataError
from opsin.results import Boxes

SPLIT = "train 0 0 0.6 1, validation 0.6 0 0.75 1, test 0.75 0 1 1"


def field(size: tuple[int, int], corners: list[list[int]]) -> opsin.Dataset:
    """Draw a rectangle of its own red at each place of a grey picture."""
    picture = np.full((3, *size), 90, np.uint8)
    for place, (x1, y1, x2, y2) in enumerate(corners):
        picture[:, y1:y2, x1:x2] = np.array([150 + 10 * place, 0, 0], np.uint8)[:, None, None]
    names = tuple(f"class {place}" for place in range(len(corners)))
    boxes = Boxes(np.array(corners), names, size=size)
    return opsin.Dataset((Sample(picture, boxes, name="a/field.png"),), "fields")


@settings(deadline=None, max_examples=50)  # machines are shared: a slow one is no failure
@given(st.tuples(st.integers(1, 900), st.integers(1, 900)), st.integers(16, 500), st.floats(0, 0.9))
def test_tiles_cover_everything_with_the_overlap_that_was_asked_for(
    size: tuple[int, int], side: int, overlap: float
) -> None:
    areas = [area for _, area in Tiling(side, overlap).areas(size)]
    assert len(set(areas)) == len(areas)
    for axis, length in enumerate(size[::-1]):
        spans = sorted({(area[axis], area[axis + 2]) for area in areas})
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert {high - low for low, high in spans} == {min(side, length)}
        for (_, end), (start, _) in pairwise(spans):
            assert end - start >= int(side * overlap)
        fewest = 1 if length <= side else -(-(length - side) // int(side * (1 - overlap))) + 1
        assert len(spans) == fewest


def test_rectangles_lie_in_tiles_where_their_boxes_say(tmp_path: Path) -> None:
    corners = [[10, 12, 40, 30], [85, 20, 125, 60], [150, 90, 180, 118], [60, 70, 190, 80]]
    made = cut(field((120, 200), corners), Tiling(96, 0.1), tmp_path / "t")
    assert [s.name for s in made.samples] == [
        f"field_{x}_{y}.png" for y in (0, 24) for x in (0, 52, 104)
    ]
    flagged = 0
    for sample in made.samples:
        assert isinstance(sample.truth, Boxes) and sample.truth.size == (96, 96)
        seen = decode(sample.image)
        assert seen.shape == (3, 96, 96) and sample.group == "a/field.png"
        told = dict(zip(sample.truth.names, range(9), strict=False))
        for place, (x1, y1, x2, y2) in enumerate(corners):
            rows, columns = np.nonzero(seen[0] == 150 + 10 * place)
            if not len(rows):
                assert f"class {place}" not in told
                continue
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            mine = told[f"class {place}"]
            assert sample.truth.boxes[mine].tolist() == found
            shown = len(rows) / ((x2 - x1) * (y2 - y1))
            assert sample.truth.flags[mine] == ("" if shown >= 0.3 else "ignore")
            flagged += shown < 0.3
    assert flagged == 5  # the first below, the second at the left, and the last at three corners
    assert made.ledger == ()


def test_the_ledger_names_objects_in_pieces_and_torn_pictures(tmp_path: Path) -> None:
    wide = field((32, 200), [[0, 10, 200, 14], [4, 20, 12, 28]])
    torn = put(tmp_path / "torn.png", encoded(scene(0))[:400])
    crowd = Boxes(np.array([[0, 0, 200, 4]]), ("b",), flags=("crowd",))
    grey = Sample(np.zeros((32, 200), np.uint8), crowd, "test", "site")
    samples = (*wide.samples, Sample(torn, wide.samples[0].truth, name="torn.png"), grey)
    made = cut(wide.keep(samples), Tiling(50, 0.0), tmp_path / "t")
    assert [(p.kind, p.path) for p in made.ledger] == [
        ("in-pieces", "a/field.png"),
        ("truncated", "torn.png"),
    ]
    said = "class 0 at 0 10 200 14 is shown to 25% at most; not asked for"
    assert made.ledger[0].message == said
    last = made.samples[-1]
    assert (last.split, last.group, last.name) == ("test", "site", "000002_150_0.png")
    assert isinstance(last.truth, Boxes) and last.truth.flags == ("crowd",)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_full_picture_is_what_is_decoded(format: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(scene(0), format, **({} if format in ("BMP", "GIF") else {"exif": exif}))
    assert np.array_equal(
        np.asarray(full(content).convert("RGB")).transpose(2, 0, 1), decode(content)
    )
    source = put(tmp_path / f"a.{format.lower()}", content)
    truth = Boxes(np.array([[1, 1, 90, 90]]), ("a",))
    data = opsin.Dataset((Sample(source, truth, name=source.name),))
    made = cut(data, Tiling(), tmp_path / "t")
    assert (
        len(made) == 1 and made.samples[0].name == f"a_0_0.{'jpg' if format == 'JPEG' else 'png'}"
    )
    off = decode(made.samples[0].image).astype(int) - decode(content)
    assert abs(off).max() <= (12 if format == "JPEG" else 0)


def test_one_picture_trains_and_tests_on_parts_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corners = [[x, 20, x + 20, 60] for x in range(0, 400, 40)]
    source = field((96, 400), corners)
    boxes = tmp_path / "aerial.json"
    convert(source, "coco", boxes)
    words = ["convert", boxes, "--to", "coco", "--tiles", 64, "--out", tmp_path / "t", "--json"]
    assert cli.run([str(word) for word in [*words, "--overlap", 0.25, "--parts", SPLIT]]) == 0
    told = json.loads(capsys.readouterr().out)
    read = opsin.Dataset.read(tmp_path / "t")
    assert told["images"] == len(read)
    groups = {(s.split, s.group) for s in read.samples}
    assert groups == {(name, f"aerial_images/000000.png, {name}") for name in SPLITS}
    edges = {"train": (0, 240), "validation": (240, 300), "test": (300, 400)}
    for sample in read.samples:
        x = int(sample.called.split("_")[1])
        low, high = edges[str(sample.split)]
        assert isinstance(sample.truth, Boxes) and sample.truth.size is not None
        assert low <= x and x + sample.truth.size[1] <= high
    made = split(read, seed=0)  # nothing is cut anew
    assert [s.split for s in made.samples] == [s.split for s in read.samples]
    assert {p.name for p in (tmp_path / "t").iterdir()} == {"boxes.json", "images"}
    assert sum(len(s.truth) for s in read.samples if isinstance(s.truth, Boxes)) == told["boxes"]
    again = convert(source, "table", tmp_path / "tab", Tiling(None, 0.2, parts_of("0 0 .75 1")))
    (one,) = opsin.Dataset.read(tmp_path / "tab" / "boxes.csv").samples
    assert again.images == 1 and isinstance(one.truth, Boxes) and one.truth.size == (96, 300)
    assert one.truth.boxes.tolist() == corners[:8] and one.split is None


def test_tiles_of_one_picture_stay_together(tmp_path: Path) -> None:
    many = [field((80, 80), [[i, 5, i + 20, 30]]).samples[0] for i in range(10)]
    named = [Sample(s.image, s.truth, name=f"{i}.png") for i, s in enumerate(many)]
    made = split(cut(opsin.Dataset(tuple(named)), Tiling(48, 0.2), tmp_path / "t"), seed=0)
    parts = {(s.group, s.split) for s in made.samples}
    assert len(made) == 40 and len(parts) == 10 and len({part for _, part in parts}) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0 1", "the part '0 0 1'"),
        ("learn 0 0 1 1", "after train"),
        ("train 0 0 1 1.5", "shares from 0 to 1"),
        ("0.5 0 0.5 1", "x1 y1 x2 y2"),
        ("0 0 nan 1", "x1 y1 x2 y2"),
        ("train 0 0 1 1,", "the part ''"),
    ],
)
def test_what_is_no_part_is_refused(line: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parts_of(line)


def test_what_cannot_be_cut_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    for wrong in ({"side": 8}, {"overlap": 1.0}, {"parts": parts_of("0 0 .6 1, test .5 0 1 1")}):
        with pytest.raises(DataError):
            Tiling(**wrong)  # type: ignore[arg-type]
    data = field((64, 64), [[1, 1, 9, 9]])
    for to, remedy in (("yolo", "Write coco or"), ("voc", "Write coco or"), ("cocco", "mean coco")):
        with pytest.raises(DataError, match=remedy):
            convert(data, to, tmp_path / to, Tiling(32))
    labelled = opsin.Dataset((Sample(np.zeros((9, 9), np.uint8), opsin.Label("a")),))
    with pytest.raises(DataError, match="which say what a tile shows"):
        convert(labelled, "coco", tmp_path / "l", Tiling(32))
    assert list(tmp_path.iterdir()) == []
    assert tiles.WHOLE[0].area((3, 5)) == (0, 0, 5, 3)
