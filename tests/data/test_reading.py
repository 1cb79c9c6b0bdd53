"""How people really keep their data, and what is said where they kept it wrongly."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, put, scene

from opsin.data import formats
from opsin.data.dataset import Dataset
from opsin.data.formats import folder, idx, table
from opsin.errors import DataError
from opsin.results import Label, Value

PICTURE = encoded(scene(0, 8, 8))


def kinds(data: Dataset) -> list[tuple[str, str]]:
    return [(problem.kind, problem.path) for problem in data.ledger]


# ── folders ─────────────────────────────────────────────────────────────────────────────────────


def test_class_folders_with_all_that_lies_around(tmp_path: Path) -> None:
    for path in ("cat/a.JPG", "cat/deep/er/b.png", "dog/noname", "test/c.png", "loose.png"):
        put(tmp_path / path, PICTURE)
    for path in ("cat/.DS_Store", "__MACOSX/x/a.png", "dog/Thumbs.db", ".git/config"):
        put(tmp_path / path, b"litter")
    put(tmp_path / "dog/notes.txt", b"no picture")
    put(tmp_path / "README.md", b"no picture")
    (tmp_path / "empty").mkdir()
    data = formats.read(tmp_path)
    truths = [(s.name, s.truth.name, s.split) for s in data.samples if isinstance(s.truth, Label)]
    assert truths == [
        ("cat/a.JPG", "cat", None),
        ("cat/deep/er/b.png", "cat", None),
        ("dog/noname", "dog", None),
        ("test/c.png", "test", None),  # pictures right in it: a class, not a split
    ]
    assert sorted(kinds(data)) == [
        ("empty-class", "empty"),
        ("no-class", "loose.png"),
        ("not-an-image", "README.md"),
        ("not-an-image", "dog/notes.txt"),
    ]


@pytest.mark.parametrize("name", ["val", "Validation", "VALID"])
def test_splits_above_the_classes(name: str, tmp_path: Path) -> None:
    for part in ("Train", name, "test"):
        for kind in "ab":
            put(tmp_path / part / kind / "1.png", PICTURE)
    put(tmp_path / "LICENSE", b"text")
    put(tmp_path / "more/1.png", PICTURE)
    data = folder.read(tmp_path)
    assert data.counts() == {k: {"train": 1, "validation": 1, "test": 1} for k in "ab"}
    assert kinds(data) == [("not-an-image", "LICENSE"), ("no-split", "more")]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path / "a/1.png", PICTURE)
    (tmp_path / "a/again").symlink_to(tmp_path / "a")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    data = folder.read(tmp_path)
    assert {s.name for s in data.samples} >= {"a/1.png", "b/1.png"} and len(data) < 10


def test_a_link_to_what_holds_it_is_not_followed(tmp_path: Path) -> None:
    top = tmp_path / "up/photos"
    for path in ("a/1.png", "b/2.png", "b/deep/3.png"):
        put(top / path, PICTURE)
    put(tmp_path / "elsewhere/4.png", PICTURE)
    (tmp_path / "elsewhere/back").symlink_to(top)
    (top / "a/loop").symlink_to("..")
    (top / "a/beyond").symlink_to(tmp_path)
    (top / "b/deep/again").symlink_to(top / "b")
    (top / "c").symlink_to(tmp_path / "elsewhere")
    data = folder.read(top)
    assert [s.name for s in data.samples] == ["a/1.png", "b/2.png", "b/deep/3.png", "c/4.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_without_an_ending_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a/1.png", PICTURE)
    os.mkfifo(tmp_path / "a/pipe")
    assert kinds(folder.read(tmp_path)) == [("not-an-image", "a/pipe")]


def test_names_that_are_no_utf_8_are_spelt_out(tmp_path: Path) -> None:
    strange = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(strange)  # noqa: PTH102 (only bytes can say this)
    except OSError:
        pytest.skip("this disk only has names in UTF-8")
    for name in (b"/1\xff.png", b"/2.txt\xff"):
        with open(strange + name, "wb") as stream:  # noqa: PTH123
            stream.write(PICTURE if name.endswith(b"png") else b"text")
    data = formats.read(tmp_path)
    (sample,) = data.samples
    assert (sample.name, sample.truth) == ("caf\\xe9/1\\xff.png", Label("caf\\xe9"))
    assert kinds(data) == [("not-an-image", "caf\\xe9/2.txt\\xff")]
    f"{data} {data.ledger} {sample.called}".encode()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("mnsit", "mnist"), ("CIFAR-10", "cifar10"), ("samples:digts", "digits")],
)
def test_a_misspelt_set_is_guessed(wrong: str, right: str) -> None:
    with pytest.raises(DataError, match=f"Did you mean {right}"):
        formats.read(wrong)


def test_folders_without_pictures_say_what_to_do(tmp_path: Path) -> None:
    put(tmp_path / "a/notes.txt", b"")
    with pytest.raises(DataError, match=r"without a picture.*Make a folder for each class"):
        formats.read(tmp_path)
    with pytest.raises(DataError, match=r"none of these.*put pictures into folders"):
        formats.read(put(tmp_path / "x.bin", b"1"))
    with pytest.raises(DataError, match=r"there is nothing.*samples:digits"):
        formats.read(tmp_path / "none")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────


def write_table(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    for picture in ("a.png", "b.png", "c.png"):
        put(tmp_path / picture, PICTURE)
    return put(tmp_path / name, text.encode())


@pytest.mark.parametrize(
    ("text", "truths"),
    [
        ("path,label\na.png,cat\nb.png,dog\n", [Label("cat"), Label("dog")]),
        ("\ufeffFile;Class\r\na.png;1\r\nb.png;2\r\n", [Label("1"), Label("2")]),
        ("image\tprice\na.png\t1.5\nb.png\t-2e3\n", [Value(1.5), Value(-2000)]),
        ("filename|target\na.png|3\nb.png|4\n", [Value(3), Value(4)]),
        ("path,label\na.png,0.5\nb.png,2\n", [Value(0.5), Value(2)]),
        ("img,repair cost\na.png,10\nb.png,20\n", [Value(10), Value(20)]),
        ('path,kind\na.png,"x, y"\n\nb.png,z\n', [Label("x, y"), Label("z")]),
    ],
)
def test_columns_are_found_by_name(text: str, truths: list[object], tmp_path: Path) -> None:
    assert [s.truth for s in table.read(write_table(tmp_path, text)).samples] == truths


def test_splits_groups_missing_files_and_missing_labels(tmp_path: Path) -> None:
    text = "path,label,split,group\na.png,x,Train,p1\nb.png,y,valid,p2\nz.png,x,,\nc.png,,test,\n"
    data = table.read(write_table(tmp_path, text))
    assert [(s.split, s.group) for s in data.samples] == [("train", "p1"), ("validation", "p2")]
    assert kinds(data) == [("missing", "z.png"), ("no-label", "c.png")]
    assert "t.csv, line 4" in data.ledger[0].message


def test_root_says_where_the_pictures_lie(tmp_path: Path) -> None:
    put(tmp_path / "photos/a.png", PICTURE)
    path = put(tmp_path / "tables/t.csv", b"path,label\na.png,x\n")
    with pytest.raises(DataError, match=r"none was found.*--root"):
        formats.read(path)
    assert len(formats.read(path, root=tmp_path / "photos")) == 1


def test_a_path_longer_than_any_file_is_missing(tmp_path: Path) -> None:
    data = table.read(write_table(tmp_path, f"path,label\na.png,x\n{'z' * 5000}.png,y\n"))
    assert len(data) == 1 and [kind for kind, _ in kinds(data)] == ["missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,x1,y1,x2,label\na.png,1,2,3,x\n", "line 1: the columns .* expected y2 beside"),
        ("", "without rows"),
        ("path,label\n", "without rows"),
        (
            "where,label\na.png,x\n",
            "line 1: the columns where, label; expected one for the picture",
        ),
        ("path,a,b\na.png,1,2\n", "line 1.*expected one for class or number"),
        ("path,price\na.png,1\nb.png,n/a\n", "line 3: price 'n/a'; expected a number"),
        ("path,label\na.png,x\nb.png,y,z\n", "line 3: 3 cells; expected 2"),
        ("path,label,split\na.png,x,later\n", "line 2: split 'later'"),
        ('path,label\na.png,"x\n', "unexpected end of data"),
    ],
)
def test_a_wrong_table_is_one_error_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        table.read(write_table(tmp_path, text))


def test_tables_of_bytes_are_refused(tmp_path: Path) -> None:
    for content in (b"path,label\n\xff\xfe,x\n", b"PAR1 and no more"):
        for name in ("t.csv", "t.parquet"):
            with pytest.raises(DataError, match=name):
                table.read(put(tmp_path / name, content))


def test_parquet_with_pictures_inside(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"image": {"bytes": PICTURE, "path": "a.png"}, "label": k} for k in (3, 5)]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "t.parquet")
    data = formats.read(tmp_path / "t.parquet")
    assert [(s.image, s.truth) for s in data.samples] == [(PICTURE, Label(k)) for k in "35"]


# ── idx ─────────────────────────────────────────────────────────────────────────────────────────


def idx_bytes(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """Write idx by hand, by the description of its authors."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_idx_plain_and_packed(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 4), np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2], np.uint8)
    put(tmp_path / "train-images-idx3-ubyte.gz", gzip.compress(idx_bytes(pixels)))
    put(tmp_path / "train-labels-idx1-ubyte", idx_bytes(labels))
    put(tmp_path / "t10k-images.idx3-ubyte", idx_bytes(pixels[:2]))
    put(tmp_path / "t10k-labels.idx1-ubyte", idx_bytes(labels[:2]))
    data = formats.read(tmp_path)
    assert [s.split for s in data.samples] == ["train"] * 6 + ["test"] * 2
    for sample, wanted in zip(data.samples, [*pixels, *pixels[:2]], strict=True):
        assert np.array_equal(np.asarray(sample.image), wanted)
    assert idx.read(tmp_path, names=("x", "y", "z")).classes == ("x", "y", "z")
    with pytest.raises(DataError, match=r"label 2 .* expected 0\.\.1"):
        idx.read(tmp_path, names=("x", "y"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first bytes"),
        (b"\0\0\x0d\3" + bytes(12), "first bytes 00 00 0d 03"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31), "promises"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 2, 2) + bytes(7), "promises 8 bytes"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 2, 2) + bytes(9), "more than 8 bytes"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_idx_is_refused_before_memory_is_taken(
    content: bytes, said: str, packed: bool, tmp_path: Path
) -> None:
    name = "train-images-idx3-ubyte" + (".gz" if packed else "")
    put(tmp_path / name, gzip.compress(content) if packed else content)
    put(tmp_path / "train-labels-idx1-ubyte", idx_bytes(np.zeros(2, np.uint8)))
    with pytest.raises(
        DataError,
        match="less than 8" if packed and "8 bytes" in said and "more" not in said else said,
    ):
        formats.read(tmp_path)


def test_torn_gzip_and_unequal_counts_are_refused(tmp_path: Path) -> None:
    pixels, labels = np.zeros((3, 4, 4), np.uint8), np.zeros(2, np.uint8)
    put(tmp_path / "train-images-idx3-ubyte", idx_bytes(pixels))
    with pytest.raises(DataError, match="alone"):
        formats.read(tmp_path)
    put(tmp_path / "train-labels-idx1-ubyte", idx_bytes(labels))
    with pytest.raises(DataError, match=r"3 pictures .* 2 labels"):
        formats.read(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 9), np.uint8)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    put(tmp_path / "train-images-idx3-ubyte.gz", gzip.compress(idx_bytes(noise))[:-50])
    with pytest.raises(DataError, match="damaged"):
        formats.read(tmp_path)
