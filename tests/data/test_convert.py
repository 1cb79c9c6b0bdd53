"""The command lines for boxes: check and convert, and predictions as a table."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, put, scene

import opsin
from opsin import cli, terminal
from opsin.data.convert import convert
from opsin.data.sample import Sample
from opsin.data.split import split
from opsin.errors import DataError
from opsin.files import folder_replacing
from opsin.results import Boxes, Label


def ask(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command line; return the exit code and what it printed."""
    code = cli.run([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """Give a table of boxes with three faults, and a picture without objects."""
    for index, name in enumerate("abc"):
        put(tmp_path / f"{name}.png", encoded(scene(index, 60, 80)))
    rows = [
        "a.png,1,2,30,40,cat",
        "a.png,70,2,99,40,dog",
        "b.png,5,5,5,9,cat",
        "b.png,9,9,40,40,cat",
    ]
    rows += ["c.png,,,,,", "d.png,1,1,2,2,cat"]
    text = "path,x1,y1,x2,y2,label\n" + "\n".join(rows)
    return put(tmp_path / "boards.csv", text.encode())


def test_check_prints_the_ledger(capsys: pytest.CaptureFixture[str], boards: Path) -> None:
    code, printed, _ = ask(capsys, "check", boards)
    assert code == 0
    for line in (
        "3 pictures, 2 classes",
        "Boxes: 3 kept, of which 1 clipped and 0 mended; 2 dropped (1 empty-box, 1 no-picture)",
        "Pictures by number of boxes: 0: 1 · 1: 1 · 2: 1",
        "a.png: boards.csv, line 3: the box 70 2 99 40 reaches beyond the picture of 80 × 60; cut",
        "b.png: boards.csv, line 4: the box 5 5 5 9 has no area; dropped",
        "d.png: boards.csv, line 7: there is no file",
    ):
        assert line in printed, line
    _, printed, _ = ask(capsys, "check", boards, "--json")
    told = json.loads(printed)
    assert told["boxes"]["dropped"] == {"empty-box": 1, "no-picture": 1}
    assert told["boxes"]["classes"] == {"cat": {"": 2}, "dog": {"": 1}}
    assert told["classes"] == {"cat": {"": 2}, "dog": {"": 1}}
    assert told["boxes"]["pictures_without"] == 1


def test_check_counts_boxes_of_which_none_is_left(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    put(tmp_path / "a.png", encoded(scene(0, 60, 80)))
    text = b"path,x1,y1,x2,y2,label\na.png,5,5,5,9,cat\n"
    code, printed, _ = ask(capsys, "check", put(tmp_path / "b.csv", text))
    assert code == 0 and "1 picture, 0 classes" in printed
    assert "Boxes: 0 kept, of which 0 clipped and 0 mended; 1 dropped (1 empty-box)" in printed


def test_a_folder_with_nothing_in_it_is_called_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, told = ask(capsys, "check", tmp_path)
    assert code == 2 and "a folder with nothing in it" in told and "DeepPCB" in told


def test_convert_goes_all_the_way_round(
    capsys: pytest.CaptureFixture[str], boards: Path, tmp_path: Path
) -> None:
    source, out = opsin.Dataset.read(boards), boards
    for to, place in (("coco", "c.json"), ("voc", "v"), ("yolo", "y"), ("table", "t.csv")):
        code, printed, _ = ask(
            capsys, "convert", out, "--to", to, "--out", tmp_path / place, "--json"
        )
        told = json.loads(printed)
        assert code == 0 and (told["images"], told["boxes"], told["to"]) == (3, 3, to)
        out = tmp_path / place
    again = opsin.Dataset.read(out)
    assert [s.truth for s in again.samples] == [s.truth for s in source.samples]


def test_convert_says_what_was_lost(
    capsys: pytest.CaptureFixture[str], boards: Path, tmp_path: Path
) -> None:
    code, printed, _ = ask(capsys, "convert", boards, "--to", "coco", "--out", tmp_path / "b.json")
    assert code == 0 and "b.json: 3 pictures with 3 boxes as coco" in printed
    assert "clipped: 1" in printed and "boards.csv, line 3" in printed
    code, printed, _ = ask(
        capsys, "convert", tmp_path / "b.json", "--to", "voc", "--out", tmp_path / "v"
    )
    assert "2 ids of classes: VOC has names" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "coco"], "no out"),
        (["--out", "x"], "no to"),
        (["--to", "cocco", "--out", "x"], "Did you mean coco"),
        (["--to", "folder", "--out", "x"], "Write a table instead"),
        (["--to", "coco", "--out", "boards.csv"], "there is something already"),
    ],
)
def test_convert_refuses_what_cannot_be_done(
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    boards: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(boards.parent)
    before = boards.read_bytes()
    code, _, error = ask(capsys, "convert", boards, *words)
    assert code == 2 and said in error and boards.read_bytes() == before
    assert not (boards.parent / "x").exists()


def test_labels_are_converted_too(
    capsys: pytest.CaptureFixture[str], photos: Path, tmp_path: Path
) -> None:
    code, _, _ = ask(capsys, "convert", photos, "--to", "table", "--out", tmp_path / "t.csv")
    assert code == 0
    assert opsin.Dataset.read(tmp_path / "t.csv").counts() == opsin.Dataset.read(photos).counts()
    code, _, error = ask(capsys, "convert", photos, "--to", "coco", "--out", tmp_path / "c.json")
    assert code == 2 and "boxes, which are what coco holds" in error


def test_half_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(KeyError), folder_replacing(tmp_path / "new") as beside:
        put(beside / "deep/file", b"1")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with folder_replacing(tmp_path / "new") as beside:
        put(beside / "deep/file", b"1")
    assert (tmp_path / "new/deep/file").read_bytes() == b"1"
    with pytest.raises(DataError, match="there is something"), folder_replacing(tmp_path / "new"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    data = opsin.Dataset.read("samples:scattered")
    data = data.keep(data.samples[:3])
    put(tmp_path / f".new.{os.getppid()}.part/a.png", b"1")
    put(tmp_path / f".new.{ended.pid}.part/a.png", b"1")
    for name in ("new.csv", "new.x", "newer"):
        put(tmp_path / f".{name}.{ended.pid}.part", b"1")
    convert(data, "yolo", tmp_path / "new")
    others = {f".{name}.{ended.pid}.part" for name in ("new.csv", "new.x", "newer")}
    alive = f".new.{os.getppid()}.part"
    assert {path.name for path in tmp_path.iterdir()} == {"new", alive, *others}
    convert(data, "table", tmp_path / "new.csv")
    assert not (tmp_path / f".new.csv.{ended.pid}.part").exists()


def test_a_table_of_predictions_is_read_as_boxes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from opsin.model import Prediction

    put(tmp_path / "a.png", encoded(scene(0, 60, 80)))
    put(tmp_path / "b.png", encoded(scene(1, 60, 80)))
    two = Boxes(np.array([[1, 2, 30, 40], [0, 0, 9.5, 9]]), ("cat", "dog"), np.array([0.5, 0.25]))
    said = [Prediction("x.jpg", error="it is torn"), Prediction("a.png", two)]
    said += [Prediction("b.png", Boxes(np.zeros((0, 4))))]
    terminal.print_stream(iter(said), "csv")
    text = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["path"] for row in rows] == ["x.jpg", "a.png", "a.png", "b.png"]
    assert rows[0]["error"] == "it is torn" and rows[2]["x2"] == "9.5" and rows[3]["label"] == ""
    data = opsin.Dataset.read(put(tmp_path / "said.csv", text.encode()))
    assert [s.truth for s in data.samples] == [
        Boxes(two.boxes, two.names, two.scores, size=(60, 80)),
        Boxes(np.zeros((0, 4)), size=(60, 80)),
    ]
    terminal.print_stream(iter(said), "text")
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{'1 cat, 1 dog':<24} a.png",
        f"{'nothing':<24} b.png",
    ]
    terminal.print_stream(iter([Prediction("y", error="e"), Prediction("z", Label("cat"))]), "csv")
    assert capsys.readouterr().out == "path,label,score,error\ny,,,e\nz,cat,1.0,\n"


def test_a_cut_keeps_shares_of_the_rarest_class_in_a_picture() -> None:
    def boxes(*names: str) -> Boxes:
        return Boxes(np.tile([0, 0, 1, 1], (len(names), 1)), names)

    truths = [boxes("many")] * 40 + [boxes("many", "rare")] * 10 + [boxes()] * 10
    data = opsin.Dataset(tuple(Sample(b"", truth) for truth in truths), ids={"many": 7})
    made = split(data, seed=0)
    assert made.ids == {"many": 7}
    assert made.counts()["rare"] == {"train": 6, "validation": 2, "test": 2}
    empty = [s.split for s in made.samples if isinstance(s.truth, Boxes) and not len(s.truth)]
    assert sorted(map(str, set(empty))) == ["test", "train", "validation"]


def test_real_boxes_come_round_unchanged(tmp_path: Path) -> None:
    if "OPSIN_DATA" not in os.environ:
        pytest.skip("OPSIN_DATA names no folder of real data")

    counts = {"raccoon": (200, 217), "deeppcb": (300, 1961), "neon-trees": (3, 377)}
    for name, (pictures, boxes) in counts.items():
        data = opsin.Dataset.read(Path(os.environ["OPSIN_DATA"]) / name)
        first = data
        for to in ("coco", "yolo", "table", "voc"):
            place = tmp_path / name / (to + {"coco": ".json", "table": ".csv"}.get(to, ""))
            done = convert(first, to, place)
            assert (done.images, done.boxes) == (pictures, boxes)
            first = opsin.Dataset.read(place)
            mine = {Path(s.called).stem: s.truth for s in first.samples}
            for sample in data.samples:
                assert mine[Path(sample.called).stem] == sample.truth


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    data = opsin.Dataset.read("samples:scattered")
    for to, name in (("coco", "boxes.txt"), ("table", "boxes"), ("idx", "digits"), ("folder", "f")):
        with pytest.raises(DataError, match=r"a file that ends in|labelled grey arrays|a class"):
            convert(data, to, tmp_path / name)
    assert not list(tmp_path.iterdir())
