"""How people really keep boxes, and what each format makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import encoded, put, scene
from PIL import Image

from opsin.data import formats
from opsin.data.check import check
from opsin.data.dataset import Dataset
from opsin.data.formats import voc
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.results import Boxes

PICTURE = encoded(scene(0, 60, 80))


def told(data: Dataset) -> list[tuple[str, str | None, list[Any]]]:
    """Return name, split and boxes of each picture."""
    return [
        (
            s.name,
            s.split,
            [(r["label"], *(r[k] for k in ("x1", "y1", "x2", "y2"))) for r in s.truth.rows()],
        )
        for s in data.samples
        if isinstance(s.truth, Boxes)
    ]


def kinds(data: Dataset) -> list[str]:
    return [problem.kind for problem in data.ledger]


# ── COCO ────────────────────────────────────────────────────────────────────────────────────────


def coco(path: Path, images: Any, annotations: Any, categories: Any) -> Path:
    plain = {"annotations": annotations, "images": images, "categories": categories}
    return put(path, json.dumps({"info": {"year": 2017}, **plain}).encode())


def test_lists_of_coco_come_in_any_order_and_ids_are_anything(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    images = [{"id": "x", "file_name": "a.png"}]
    boxes = [{"id": 5, "image_id": "x", "category_id": 90, "bbox": [1, 2, 3.5, 4]}]
    data = formats.read(coco(tmp_path / "b.json", images, boxes, [{"id": 90, "name": "cat"}]))
    assert told(data) == [("a.png", None, [("cat", 1, 2, 4.5, 6)])]
    assert data.ids == {"cat": 90} and data.ledger == () and data.kind is Boxes


def test_outlines_become_boxes_where_there_is_no_bbox(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    kind = {"image_id": 1, "category_id": 1}
    rows = [
        kind | {"id": 1, "segmentation": [[5, 6, 20, 6, 20, 30], [2, 9, 3, 9, 3, 8]]},
        kind
        | {"id": 2, "segmentation": {"size": [60, 80], "counts": [125, 3, 4672]}, "iscrowd": 1},
        kind | {"id": 3, "segmentation": [[1, 2]], "bbox": None},
        kind | {"id": 4, "bbox": [9, 9, 9, 9], "segmentation": [[0, 0, 1, 1, 1, 0]], "ignore": 1},
    ]
    data = formats.read(
        coco(tmp_path / "b.json", [{"id": 1, "file_name": "a.png"}], rows, [{"id": 1, "name": "k"}])
    )
    truth = data.samples[0].truth
    assert isinstance(truth, Boxes)
    assert truth.boxes.tolist() == [[2, 6, 20, 30], [2, 5, 3, 8], [9, 9, 18, 18]]
    assert truth.flags == ("", "crowd", "ignore")
    assert kinds(data) == ["not-kept", "no-box"]
    assert "annotation 3" in data.ledger[1].message and "4 outlines" in data.ledger[0].message


def test_coco_in_one_line_is_named_by_column(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    rows = [{"id": 17, "image_id": 1, "category_id": 1, "bbox": [1, 2, "x", 4]}]
    rows += [{"id": 18, "image_id": 4, "category_id": 1, "bbox": [1, 2, 3, 4]}]
    path = coco(
        tmp_path / "b.json", [{"id": 1, "file_name": "a.png"}], rows, [{"id": 1, "name": "k"}]
    )
    data = formats.read(path)
    column = path.read_text().index('{"id": 17') + 1
    words = {p.kind: p.message for p in data.ledger}
    assert words["not-a-number"].startswith(f"b.json, line 1, column {column}, annotation 17: bbox")
    assert "no picture that can be used" in words["no-picture"]


def test_a_folder_of_coco_has_splits_and_pictures_where_tools_put_them(tmp_path: Path) -> None:
    for part in ("train2017", "val2017"):
        put(tmp_path / part / f"{part}.png", PICTURE)
        images = [{"id": 1, "file_name": f"{part}.png"}]
        boxes = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 9, 9]}]
        names = [{"id": 3, "name": "cat"}]
        coco(tmp_path / f"annotations/instances_{part}.json", images, boxes, names)
    data = formats.read(tmp_path)
    wanted = [("train2017.png", "train"), ("val2017.png", "validation")]
    assert [(name, split) for name, split, _ in told(data)] == wanted
    assert formats.sniffed(tmp_path) == "coco" and data.ledger == ()


def test_two_ids_of_one_name_are_said_and_not_counted_anew(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    names = [
        {"id": 2, "name": "cat"},
        {"id": 7, "name": "cat"},
        {"id": 9, "name": "dog"},
        {"id": 9},
    ]
    rows = [{"image_id": 1, "category_id": k, "bbox": [k, 0, 5, 5]} for k in (2, 7, 9)]
    data = formats.read(coco(tmp_path / "b.json", [{"id": 1, "file_name": "a.png"}], rows, names))
    assert data.ids == {"cat": 2, "dog": 9} and data.classes == ("cat", "dog")
    assert kinds(data) == ["two-ids", "no-name"]


def test_pictures_of_another_machine_and_none_at_all(tmp_path: Path) -> None:
    put(tmp_path / "photos/a.png", PICTURE)
    images = [{"id": 1, "file_name": "C:\\data\\a.png"}]
    path = coco(tmp_path / "b.json", images, [], [])
    with pytest.raises(DataError, match=r"none can be used.*--root"):
        formats.read(path)
    assert told(formats.read(path, root=tmp_path / "photos")) == [("C:\\data\\a.png", None, [])]


# ── Pascal VOC ──────────────────────────────────────────────────────────────────────────────────


def xml(*boxes: tuple[Any, ...], picture: str = "a.png", more: str = "") -> bytes:
    objects = "".join(
        f"<object><name>{name}</name>{more}<bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>"
        f"<ymax>{d}</ymax></bndbox><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"
        for name, a, b, c, d in boxes
    )
    return f"<annotation><filename>{picture}</filename>{objects}</annotation>".encode()


def test_pixels_of_voc_count_from_one_and_belong_to_the_box(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    put(tmp_path / "a.xml", xml(("cat", 1, 1, 1, 1), ("cat", 3, 5, 80, 60)))
    data = formats.read(tmp_path)
    assert told(data) == [("a.png", None, [("cat", 0, 0, 1, 1), ("cat", 2, 4, 80, 60)])]
    assert formats.read(tmp_path / "a.xml").samples[0].truth == data.samples[0].truth
    assert "<xmin>3</xmin><ymin>5</ymin><xmax>80</xmax><ymax>60</ymax>" in voc._text(
        "a.png",
        data.samples[0].truth.keep(np.array([1])),  # type: ignore[union-attr]
    ).replace("\n   ", "")


def test_a_zero_gives_away_that_a_whole_set_counts_from_zero(tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path / f"{name}.png", PICTURE)
    put(tmp_path / "a.xml", xml(("cat", 0, 4, 9, 8)))
    put(tmp_path / "b.xml", xml(("cat", 3, 5, 80, 60), picture="b.png"))
    data = formats.read(tmp_path)
    assert [boxes for _, _, boxes in told(data)] == [[("cat", 0, 4, 9, 8)], [("cat", 3, 5, 80, 60)]]
    assert kinds(data) == ["counts-from-0"]


def test_a_reversed_box_of_voc_is_the_same_pixels(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    put(tmp_path / "a.xml", xml(("cat", 30, 50, 10, 20)))
    data = formats.read(tmp_path)
    assert told(data)[0][2] == [("cat", 9, 19, 30, 50)] and kinds(data) == ["mended"]


def test_the_picture_of_the_same_name_counts_more_than_filename(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.jpg", "c.tif"):
        content = PICTURE if name.endswith("png") else encoded(scene(1), "TIFF")
        put(tmp_path / "images" / name, content if name != "c.jpg" else encoded(scene(1), "JPEG"))
    put(tmp_path / "annotations/a.xml", xml(("x", 1, 1, 9, 9), picture="b.png"))
    put(tmp_path / "annotations/c.xml", xml(("x", 1, 1, 9, 9), picture="c.tif"))
    put(tmp_path / "annotations/d.xml", xml(("x", 1, 1, 8, 8), picture="/else/where/b.jpeg"))
    data = formats.read(tmp_path)
    assert [name for name, _, _ in told(data)] == [
        "images/a.png",
        "images/c.tif",
        "images/b.png",
    ] and not data.ledger


def test_lists_folders_and_flags_of_voc(tmp_path: Path) -> None:
    for name in "abcd":
        put(tmp_path / f"VOC/JPEGImages/{name}.png", PICTURE)
    for name in "abc":
        hard = "<difficult>1</difficult><truncated>1</truncated>"
        put(tmp_path / f"VOC/Annotations/{name}.xml", xml(("x", 1, 1, 9, 9), more=hard))
    for name, text in (("train", "a\nc"), ("val", "b\n"), ("test", "c\n"), ("trainval", "a\nb")):
        put(tmp_path / f"VOC/ImageSets/Main/{name}.txt", text.encode())
    data = formats.read(tmp_path)
    assert [split for _, split, _ in told(data)] == ["train", "validation", "test"]
    assert {"two-splits", "not-annotated", "not-kept"} == set(kinds(data))
    assert all(s.truth.flags == ("difficult",) for s in data.samples)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation>&a;</annotation>',
        b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>',
        b"<annotation>" + b"<a>" * 5000,
        b"<annotation>&nbsp;</annotation>",
        b'<?xml version="1.0" encoding="klingon"?><annotation/>',
        b"<annotation><object></annotation>",
    ],
)
def test_xml_that_is_broken_or_means_harm_is_left_out(text: bytes, tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    put(tmp_path / "b.png", PICTURE)
    put(tmp_path / "a.xml", text)
    put(tmp_path / "b.xml", xml(picture="b.png"))
    data = formats.read(tmp_path)
    assert [s.name for s in data.samples] == ["b.png"] and kinds(data) == ["broken"]
    assert data.ledger[0].message.startswith("a.xml, line 1: ")


# ── YOLO ────────────────────────────────────────────────────────────────────────────────────────


def test_yolo_as_tools_lay_it_out(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        put(tmp_path / part / f"images/{part}.png", PICTURE)
        put(tmp_path / part / f"labels/{part}.txt", b"1 0.5 0.5 0.25 0.5\n")
    text = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: ['a', 'b']\n"
    put(tmp_path / "data.yaml", text.encode())
    data = formats.read(tmp_path)
    box = ("b", 30, 15, 50, 45)
    assert [(split, boxes) for _, split, boxes in told(data)] == [
        ("train", [box]),
        ("validation", [box]),
    ]
    assert data.ids == {"a": 0, "b": 1} and kinds(data) == ["missing"]
    assert told(formats.read(tmp_path / "data.yaml")) == told(data)
    (tmp_path / "data.yaml").unlink()
    bare = formats.read(tmp_path)
    assert [split for _, split, _ in told(bare)] == ["train", "validation"]
    assert bare.ids == {"1": 1} and kinds(bare) == ["no-names"]


def test_lists_outlines_scores_and_pictures_without_a_text(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / f"images/{name}.png", PICTURE)
    put(tmp_path / "labels/a.txt", b"4 0.1 0.1 0.5 0.1 0.5 0.4\n4 0.5 0.5 0.2 0.2 0.75\n")
    put(tmp_path / "labels/b.txt", b"\n")
    put(tmp_path / "train.txt", b"./images/a.png\nimages/b.png\nimages/c.png\nimages/gone.png\n")
    put(tmp_path / "d.yaml", b"train: train.txt\nnames: {4: crab, 9: whale}\n")
    data = formats.read(tmp_path)
    truth = data.samples[0].truth
    assert isinstance(truth, Boxes)
    assert truth.boxes.tolist() == [[8, 6, 40, 24], [32, 24, 48, 36]]
    assert truth.scores.tolist() == [1, 0.75] and truth.names == ("crab", "crab")
    assert [len(s.truth) for s in data.samples] == [2, 0, 0]  # type: ignore[arg-type]
    assert sorted(kinds(data)) == ["missing", "no-file"] and data.ids == {"crab": 4, "whale": 9}


def test_a_text_without_a_picture_is_named_with_its_boxes(tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path / f"images/train/{name}.png", PICTURE)
    for name in ("a", "gone", "b.2"):
        put(tmp_path / f"labels/train/{name}.txt", b"0 0.5 0.5 0.5 0.5\n0 0.2 0.2 0.1 0.1\n")
    put(tmp_path / "labels/train/notes.txt", b"drawn by hand\n")
    put(tmp_path / "list.txt", b"images/train/a.png\n")
    put(tmp_path / "d.yaml", b"train: images/train\nnames: [cat]\n")
    data = formats.read(tmp_path)
    assert [len(s.truth) for s in data.samples] == [2, 0]  # type: ignore[arg-type]
    assert kinds(data) == ["no-file", "missing", "missing", *["no-picture"] * 4]
    told = data.ledger[2].message
    assert told.startswith("labels/train/gone.txt, line 1: there is no file")
    put(tmp_path / "d.yaml", b"train: list.txt\nnames: [cat]\n")
    put(tmp_path / "labels/train/b.txt", b"0 0.5 0.5 0.5 0.5\n")  # of a picture not listed
    assert kinds(formats.read(tmp_path)) == kinds(data)[1:]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- train\n- val\n", "with list"),
        ("train: !!python/name:os.system\n", "line 1: could not determine a constructor"),
        ("train: images\n", "no line begins with names"),
    ],
)
def test_a_yaml_that_names_nothing_is_not_passed_over_in_silence(
    text: str, why: str, tmp_path: Path
) -> None:
    put(tmp_path / "images/a.png", PICTURE)
    put(tmp_path / "labels/a.txt", b"0 0.5 0.5 0.5 0.5\n")
    put(tmp_path / "data.yaml", text.encode())
    data = formats.read(tmp_path)
    assert kinds(data) == ["no-names", "no-names"] and data.ledger[0].path == "data.yaml"
    assert why in data.ledger[0].message


@pytest.mark.parametrize(
    "text",
    [
        "names: !!python/object/apply:os.system ['echo hi']",
        "names: [a\n",
        "names: !!int ''",
        "- names",
        "names: 2001-99-99\n&a",
        "a: &a [x]\nb: &b [*a, *a]\nnames: " + "[" * 3000,
    ],
)
def test_yaml_that_is_broken_or_means_harm_is_refused(text: str, tmp_path: Path) -> None:
    put(tmp_path / "images/a.png", PICTURE)
    with pytest.raises(DataError, match=r"d\.yaml"):
        formats.read(put(tmp_path / "d.yaml", text.encode()))


def test_yaml_that_multiplies_itself_stays_small(tmp_path: Path) -> None:
    put(tmp_path / "images/a.png", PICTURE)
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12)]
    put(
        tmp_path / "d.yaml",
        "\n".join([*lines, "train: [*a11, images]", "names: [*a11, b]"]).encode(),
    )
    data = formats.read(tmp_path)
    assert sorted(kinds(data)) == ["missing", "no-file", "no-name"] and data.ids == {"b": 1}


# ── DeepPCB and tables ──────────────────────────────────────────────────────────────────────────


def test_deeppcb_as_it_is_given(tmp_path: Path) -> None:
    group = tmp_path / "group00041"
    for name in (
        "00041000_test.png",
        "00041000_temp.png",
        "00041001_test.png",
        "00041002_test.png",
    ):
        put(group / "00041" / name, PICTURE)
    put(group / "00041_not/00041000.txt", b"10 12 30 40 3\n5,6,70,50,6\n1 1 2 2 9\n")
    put(group / "00041_not/00041001.txt", b"")
    row = "group00041/00041/{0}.jpg group00041/00041_not/{0}.txt\n"
    put(tmp_path / "trainval.txt", row.format("00041000").encode())
    put(tmp_path / "test.txt", row.format("00041001").encode())
    data = formats.read(tmp_path)
    boxes = [("mousebite", 10, 12, 30, 40), ("pin-hole", 5, 6, 70, 50)]
    assert told(data) == [
        ("00041000_test.png", "train", boxes),
        ("00041001_test.png", "test", []),
    ]
    assert sorted(kinds(data)) == ["no-class", "not-annotated"] and data.ids["copper"] == 5


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("image_path,xmin,ymin,xmax,ymax,label\na.png,1,2,3,4,cat\n", (1, 2, 3, 4)),
        (
            "filename;width;height;class;Xmin;Ymin;Xmax;Ymax\na.png;80;60;cat;1;2;3;4\n",
            (1, 2, 3, 4),
        ),
        ("file\tleft\ttop\tright\tbottom\tcategory\na.png\t1\t2\t3\t4\tcat\n", (1, 2, 3, 4)),
        ("path,x,y,w,h,label\na.png,1,2,3,4,cat\n", (1, 2, 4, 6)),
        ("path,label,score,x1,y1,x2,y2,flag,error\na.png,cat,1,1,2,3,4,,\n", (1, 2, 3, 4)),
    ],
)
def test_corners_are_found_by_name(text: str, box: Any, tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    data = formats.read(put(tmp_path / "t.csv", text.encode()))
    assert told(data) == [("a.png", None, [("cat", *box)])] and data.ledger == ()


def test_tables_of_boxes_keep_flags_scores_splits_and_pictures_without_boxes(
    tmp_path: Path,
) -> None:
    for name in "ab":
        put(tmp_path / f"{name}.png", PICTURE)
    text = "path,x1,y1,x2,y2,label,score,flag,split,group\n"
    text += (
        "a.png,1,2,3,4,cat,0.5,crowd,val,g1\nb.png,,,,,,,,later,\na.png,5,5,9,9,cat,,huge,val,g1\n"
    )
    data = formats.read(put(tmp_path / "t.csv", text.encode()))
    first, second = data.samples
    assert first.truth == Boxes(
        np.array([[1, 2, 3, 4]]), ("cat",), np.array([0.5]), ("crowd",), (60, 80)
    )
    assert (first.split, first.group, second.split) == ("validation", "g1", None)
    assert kinds(data) == ["no-split", "no-flag"] and len(second.truth) == 0  # type: ignore[arg-type]


# ── pictures, whatever the format ───────────────────────────────────────────────────────────────


def test_boxes_are_of_the_upright_picture_and_sizes_that_differ_are_named(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    put(tmp_path / "a.jpg", encoded(scene(0, 60, 80), "JPEG", exif=exif))
    rows = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 60, 60]}]
    images = [{"id": 1, "file_name": "a.jpg", "width": 80, "height": 60}]
    data = formats.read(coco(tmp_path / "b.json", images, rows, [{"id": 1, "name": "k"}]))
    assert data.samples[0].truth.size == (80, 60)  # type: ignore[union-attr]
    assert told(data)[0][2] == [("k", 10, 10, 60, 70)] and kinds(data) == ["wrong-size", "clipped"]


def test_a_photo_of_a_hundred_megapixels_is_read_by_its_header(tmp_path: Path) -> None:
    head = encoded(Image.new("1", (12_000, 9_000)), "PNG")
    put(tmp_path / "a.png", head[: len(head) // 2])  # not even whole
    data = formats.read(
        put(tmp_path / "t.csv", b"path,x1,y1,x2,y2,label\na.png,1,1,11999,8000,k\n")
    )
    assert data.samples[0].truth.size == (9_000, 12_000)  # type: ignore[union-attr]


def test_rounding_beyond_the_edge_is_cut_without_a_word(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    text = b"path,x1,y1,x2,y2,label\na.png,-0.4,0,80.4,60,k\na.png,-0.6,0,80,60,k\n"
    data = formats.read(put(tmp_path / "t.csv", text))
    assert told(data)[0][2] == [("k", 0, 0, 80, 60)] * 2 and kinds(data) == ["clipped"]


def test_odd_boxes_are_said_by_check(tmp_path: Path) -> None:
    put(tmp_path / "a.png", PICTURE)
    rows = ["1,1,20,20,k", "1,1,20,20,k", "1,1,20,20,m", "5,5,6,9,k", "0,0,80,60,m"]
    text = "path,x1,y1,x2,y2,label\n" + "".join(f"a.png,{row}\n" for row in rows)
    data = formats.read(put(tmp_path / "t.csv", text.encode()))
    events = check(Dataset(data.samples, ids={"k": 1, "z": 2}))
    while True:
        try:
            next(events)
        except StopIteration as end:
            found = end.value
            break
    odd = {p.kind for p in found.problems} - {"few"}
    assert odd == {"duplicate-box", "two-classes", "tiny-box", "whole-picture", "empty-class"}


def test_pictures_of_no_or_of_several_classes_are_counted_once() -> None:
    image = np.zeros((3, 9, 9), np.uint8)
    two = Boxes(np.array([[0, 0, 3, 3], [4, 4, 9, 9]]), ("ant", "bee"))
    data = Dataset((Sample(image, two, "train"), Sample(image, Boxes(np.zeros((0, 4))), "train")))
    assert data.pictures() == {"train": 2}
    assert (data.without, data.counts()) == (1, {"ant": {"train": 1}, "bee": {"train": 1}})
