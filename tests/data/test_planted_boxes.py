"""Sixty planted faults over four formats of boxes: each named with file and line, none fatal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pictures import drained, encoded, put, scene

from opsin.data import formats
from opsin.data.check import check
from opsin.data.dataset import Dataset
from opsin.results import Boxes

WIDE, HIGH = 128, 96  # of every picture that can be read
GOOD = (10, 20, 50, 60)  # in every picture, beside what is planted
PLANTED = 60
Fault = tuple[str, str, int]  # kind, file and line it must be named with


def pictures(folder: Path) -> None:
    """Write pictures a, b, c and n (without objects), one that is torn, and one that is none."""
    for index, name in enumerate("abcn"):
        put(folder / f"{name}.png", encoded(scene(index, HIGH, WIDE)))
    put(folder / "torn.png", encoded(scene(9, HIGH, WIDE))[:20])
    put(folder / "none.png", b"<html>")


def corners(wrong: str) -> tuple[Any, Any, Any, Any]:
    """Return the corners of a box that is wrong in a way, as edges from 0."""
    return {
        "outside": (140, 20, 170, 60),
        "outside above": (10, -40, 50, -4),
        "mended": (60, 30, 20, 70),
        "mended in y": (20, 70, 60, 30),
        "empty-box": (10, 20, 10, 60),
        "empty-box in y": (10, 20, 50, 20),
        "not-a-number": (10, "ten", 50, 60),
        "not-a-number: nan": (10, float("nan"), 50, 60),
        "not-a-number: endless": (10, 20, float("inf"), 60),
        "clipped": (90, 20, 150, 60),
    }[wrong]


WRONG = [
    *("outside", "outside above", "mended", "mended in y", "empty-box", "empty-box in y"),
    *("not-a-number", "not-a-number: nan", "not-a-number: endless", "clipped"),
]


def plainly(wrong: str) -> str:
    """Return the kind that a fault must be named as."""
    return re.split(r":| in | above", wrong)[0]


# ── the four formats, each with fifteen faults ──────────────────────────────────────────────────


def coco(root: Path) -> list[Fault]:
    lines, faults = ['{"images": ['], []

    def add(row: dict[str, Any], kind: str = "") -> None:
        lines.append(json.dumps(row) + ",")
        if kind:
            faults.append((plainly(kind), "b.json", len(lines)))

    def close(then: str) -> None:
        lines[-1] = lines[-1].removesuffix(",")
        lines.append(then)

    pictures(root)
    for number, name in enumerate("abcn", 1):
        add({"id": number, "file_name": f"{name}.png", "width": WIDE, "height": HIGH})
    add({"id": 8, "file_name": "gone.png"}, "missing")
    add({"id": 9, "file_name": "torn.png"}, "truncated|corrupt")
    add({"id": 10, "file_name": "c.png"}, "annotated-twice")
    close('], "annotations": [')
    ident = 0

    def box(image: int, edges: Any, kind: str = "", **more: Any) -> None:
        nonlocal ident
        ident += 1
        x1, y1, x2, y2 = edges
        wide = x2 - x1 if not isinstance(x1, str) else 1
        high = y2 - y1 if not isinstance(y1, str) else 1
        row = {"id": ident, "image_id": image, "category_id": 1, "bbox": [x1, y1, wide, high]}
        add(row | more, kind)

    for number, wrong in enumerate(WRONG):
        box(1 + number % 3, corners(wrong), wrong)
    for image in (1, 2, 3):
        box(image, GOOD)
    box(1, GOOD, "no-class", category_id=77)
    box(2, GOOD, "no-box", bbox=[])
    close('], "categories": [{"id": 1, "name": "cat"}]}')
    put(root / "b.json", "\n".join(lines).encode())
    return faults


def voc(root: Path) -> list[Fault]:
    pictures(root / "JPEGImages")
    faults: list[Fault] = []
    texts = {name: ["<annotation>", f"<filename>{name}.png</filename>"] for name in "abcn"}

    def box(name: str, edges: Any, kind: str = "", klass: str = "<name>cat</name>") -> None:
        x1, y1, x2, y2 = edges
        if all(not isinstance(edge, str) for edge in edges):  # counted from 1, both in the box
            x1, x2 = (x1, x2 + 1) if x1 > x2 else (x1 + 1, x2)
            y1, y2 = (y1, y2 + 1) if y1 > y2 else (y1 + 1, y2)
        texts[name] += ["<object>", klass]
        if edges != ("", "", "", ""):
            cells = zip(("xmin", "ymin", "xmax", "ymax"), (x1, y1, x2, y2), strict=True)
            texts[name].append(
                "<bndbox>" + "".join(f"<{k}>{v}</{k}>" for k, v in cells) + "</bndbox>"
            )
        if kind:
            line = len(texts[name]) - (edges == ("", "", "", ""))
            faults.append((plainly(kind), f"Annotations/{name}.xml", line))
        texts[name].append("</object>")

    for number, wrong in enumerate(WRONG):
        if "empty" not in wrong:  # there are no such boxes where both corners are in the box
            box("abc"[number % 3], corners(wrong), wrong)
    for name in "abc":
        box(name, GOOD)
    texts["n"].append("<size><width>12</width><height>9</height></size>")
    faults.append(("wrong-size", "Annotations/n.xml", 1))
    box("a", GOOD, "no-class", klass="<name> </name>")
    box("b", ("", "", "", ""), "no-box")
    for name, lines in texts.items():
        put(root / f"Annotations/{name}.xml", "\n".join([*lines, "</annotation>"]).encode())
    put(root / "Annotations/gone.xml", b"\n<annotation><filename>gone.png</filename></annotation>")
    faults.append(("missing", "Annotations/gone.xml", 2))
    put(root / "Annotations/torn.xml", b"<annotation>\n<object>\n<name>cat</na\n")
    faults.append(("broken", "Annotations/torn.xml", 3))
    put(root / "Annotations/twice.xml", b"<annotation><filename>c.png</filename></annotation>")
    faults.append(("annotated-twice", "Annotations/twice.xml", 1))
    bomb = b'<!DOCTYPE a [<!ENTITY x "ha">\n<!ENTITY y "&x;&x;">]>\n<annotation>&y;</annotation>'
    put(root / "Annotations/bomb.xml", bomb)
    faults.append(("broken", "Annotations/bomb.xml", 1))
    return faults


def yolo(root: Path) -> list[Fault]:
    pictures(root / "images")
    put(root / "data.yaml", b"path: .\ntrain: images\nnames: [cat]\n")
    faults: list[Fault] = []
    texts: dict[str, list[str]] = {name: [] for name in "abcn"}

    def line(name: str, text: str, kind: str = "") -> None:
        texts[name].append(text)
        if kind:
            faults.append((plainly(kind), f"labels/{name}.txt", len(texts[name])))

    def box(edges: Any) -> str:
        x1, y1, x2, y2 = edges
        if isinstance(y1, str):
            return f"0 0.5 {y1} 0.2 0.2"
        cells = (x1 + x2) / 2 / WIDE, (y1 + y2) / 2 / HIGH, (x2 - x1) / WIDE, (y2 - y1) / HIGH
        return f"0 {' '.join(map(str, cells))}"

    for number, wrong in enumerate(WRONG):
        line("abc"[number % 3], box(corners(wrong)), wrong)
    for name in "abc":
        line(name, box(GOOD))
    line("a", "3 0.5 0.5 0.2 0.2", "no-class")
    line("b", "0 0.5 0.5 0.2", "no-box")
    line("c", "cat 0.5 0.5 0.2 0.2", "no-class")
    for name, lines in texts.items():
        put(root / f"labels/{name}.txt", "\n".join(lines).encode())
    put(root / "labels/torn.txt", b"0 0.5 0.5 0.2 0.2")
    put(root / "labels/none.txt", b"0 0.5 0.5 0.2 0.2")
    return [
        *faults,
        ("truncated|corrupt", "labels/torn.txt", 1),
        ("not-an-image", "labels/none.txt", 1),
    ]


def table(root: Path) -> list[Fault]:
    pictures(root)
    lines, faults = ["path,xmin,ymin,xmax,ymax,label"], []

    def row(text: str, kind: str = "") -> None:
        lines.append(text)
        if kind:
            faults.append((plainly(kind), "b.csv", len(lines)))

    for number, wrong in enumerate(WRONG):
        row(f"{'abc'[number % 3]}.png,{','.join(map(str, corners(wrong)))},cat", wrong)
    for name in "abc":
        row(f"{name}.png,{','.join(map(str, GOOD))},cat")
    row("a.png,1,2,3,4,", "no-class")
    row("b.png,1,,3,4,cat", "not-a-number")
    row("n.png,,,,,")
    row("gone.png,1,2,3,4,cat", "missing")
    row("a.png,1,2,3", "broken")
    row("./c.png,10,20,50,60,cat", "annotated-twice")
    put(root / "b.csv", "\n".join(lines).encode())
    return faults


FORMATS = {"coco": coco, "voc": voc, "yolo": yolo, "table": table}


def placed(name: str, root: Path) -> Path:
    """Return what a person would give: the file, or the folder."""
    return root / {"coco": "b.json", "table": "b.csv"}.get(name, "")


def missed(data: Dataset, faults: list[Fault]) -> list[Fault]:
    """Return the faults that the ledger does not name with their file and line."""
    told = [(p.kind, p.message) for p in data.ledger]
    return [
        (kind, file, line)
        for kind, file, line in faults
        if not any(
            said in kind.split("|")
            and message.startswith((f"{file}, line {line}:", f"{file}, line {line},"))
            for said, message in told
        )
    ]


def test_sixty_faults_of_four_formats_are_named_and_none_is_fatal(tmp_path: Path) -> None:
    count = 0
    for name, plant in FORMATS.items():
        faults = plant(tmp_path / name)
        assert len(faults) == len(set(faults)) == PLANTED / len(FORMATS), name
        data = formats.read(placed(name, tmp_path / name))
        assert missed(data, faults) == [], name
        count += len(faults)
    assert count == PLANTED


@pytest.mark.parametrize("name", FORMATS)
def test_no_fault_costs_a_picture_or_a_good_box(name: str, tmp_path: Path) -> None:
    faults = FORMATS[name](tmp_path)
    data = formats.read(placed(name, tmp_path))
    assert [s.name.rpartition("/")[2] for s in data.samples] == ["a.png", "b.png", "c.png", "n.png"]
    kept: list[tuple[float, ...]] = []
    for sample in data.samples:
        assert isinstance(sample.truth, Boxes) and sample.truth.size == (HIGH, WIDE)
        kept += [tuple(box) for box in sample.truth.boxes.round(3).tolist()]
    assert sorted(kept) == sorted([GOOD] * 3 + [(20, 30, 60, 70)] * 2 + [(90, 20, 128, 60)])
    strangers = {p.kind for p in data.ledger} - {
        k for kind, _, _ in faults for k in kind.split("|")
    }
    assert strangers <= {"no-picture", "not-annotated", "no-file"}


@pytest.mark.parametrize("name", FORMATS)
def test_check_counts_what_was_kept_cut_and_dropped(name: str, tmp_path: Path) -> None:
    faults = FORMATS[name](tmp_path)
    found, _ = drained(check(formats.read(placed(name, tmp_path))))
    boxes = found.to_dict()["boxes"]
    assert (boxes["kept"], boxes["clipped"], boxes["mended"]) == (6, 1, 2)
    planted = [kind for kind, _, _ in faults]
    for kind in ("outside", "empty-box", "not-a-number", "no-class", "no-box"):
        assert boxes["dropped"].get(kind, 0) == planted.count(kind), kind
    assert boxes["pictures_without"] == 1 and found.images == 4
    assert boxes["classes"] == {"cat": {"": 6}} or boxes["classes"] == {"cat": {"train": 6}}
    lines = "\n".join(found.objects.lines() if found.objects else [])
    assert "6 kept, of which 1 clipped and 2 mended" in lines and "2 outside" in lines
