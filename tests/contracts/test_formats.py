"""What every format must do, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opsin.data import formats
from opsin.data.dataset import Dataset
from opsin.data.decode import decode
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.results import Boxes, Label, Value

pytestmark = pytest.mark.contracts

TABLES = ["out.csv", "out.tsv", "out.parquet"]
LABELS = {"folder": ["out"], "idx": ["out"], "table": TABLES}
BOXES = {"coco": ["out.json"], "deeppcb": ["out"], "table": TABLES, "voc": ["out"], "yolo": ["out"]}
CASES = [(name, target) for name, targets in LABELS.items() for target in targets]
BOXED = [(name, target) for name, targets in BOXES.items() for target in targets]
ANY = ["coco", "table", "voc", "yolo"]  # hold any classes
EXACT = ("coco", "deeppcb", "table")  # the others hold boxes to a millionth of a pixel


def grey(splits: tuple[str | None, ...], classes: str = "abc") -> Dataset:
    """Make grey pictures of one size, which every format can hold."""
    draws = np.random.default_rng(0)
    samples = []
    for index in range(18):
        image = draws.integers(0, 256, (12, 10), np.uint8)
        samples.append(Sample(image, Label(classes[index % 3]), splits[index % len(splits)]))
    return Dataset(tuple(samples), "grey")


def told(data: Dataset) -> list[tuple[object, ...]]:
    """Return all that a data set says, in an order that does not depend on the format."""
    rows = ((str(s.truth), str(s.split), s.group, decode(s.image).tobytes()) for s in data.samples)
    return sorted(rows, key=str)


def knowing(path: Path) -> list[str]:
    """Return the formats that know a place, but for one that any place might fit."""
    known = [name for name in formats.names() if formats.find(name).sniff(path)]
    exact = [name for name in known if not getattr(formats.find(name), "LAST", False)]
    return exact or known


def test_every_format_is_known_here() -> None:
    assert sorted(LABELS | BOXES) == formats.names()


@pytest.mark.parametrize(("name", "target"), CASES)
@pytest.mark.parametrize("splits", [(None,), ("train", "validation", "test")])
def test_what_is_written_is_read_again(
    name: str, target: str, splits: tuple[str | None, ...], tmp_path: Path
) -> None:
    data = grey(splits)
    formats.write(data, tmp_path / target, name)
    again = formats.read(tmp_path / target)
    assert told(again) == told(data)
    assert again.classes == data.classes and again.ledger == ()
    once_more = formats.read(tmp_path / target)
    assert [s.name for s in once_more.samples] == [s.name for s in again.samples]


@pytest.mark.parametrize(("name", "target"), CASES)
def test_exactly_one_format_knows_what_was_written(name: str, target: str, tmp_path: Path) -> None:
    formats.write(grey((None,)), tmp_path / target, name)
    assert knowing(tmp_path / target) == [name]


@pytest.mark.parametrize(("name", "target"), CASES)
def test_class_names_survive(name: str, target: str, tmp_path: Path) -> None:
    data = grey((None,), classes="ß日 "[:2] + "z")
    formats.write(data, tmp_path / target, name)
    assert formats.read(tmp_path / target).classes == data.classes


@pytest.mark.parametrize(("name", "target"), CASES)
def test_what_a_format_cannot_hold_is_refused(name: str, target: str, tmp_path: Path) -> None:
    unlabelled = Dataset((Sample(np.zeros((4, 4), np.uint8)),))
    with pytest.raises(DataError, match="expected"):
        formats.write(unlabelled, tmp_path / target, name)


@pytest.mark.parametrize("target", TABLES)
def test_tables_keep_numbers_groups_and_order(target: str, tmp_path: Path) -> None:
    samples = tuple(
        Sample(np.full((3, 4, 4), i, np.uint8), Value(i / 7), ("train", None)[i % 2], f"g{i // 2}")
        for i in range(9)
    )
    formats.write(Dataset(samples), tmp_path / target, "table")
    again = formats.read(tmp_path / target).samples
    assert [(s.truth, s.split, s.group) for s in again] == [
        (s.truth, s.split, s.group) for s in samples
    ]


# ── boxes ───────────────────────────────────────────────────────────────────────────────────────

SPARSE = {"spur": 40, "open": 3, "copper": 7, "short": 11}  # ids of the source; short has no box


def boxed(
    splits: tuple[str | None, ...] = (None,), flags: tuple[str, ...] = ("",), score: float = 1
) -> Dataset:
    """Make pictures of several sizes with boxes on odd places, two of them without objects."""
    draws, samples = np.random.default_rng(1), []
    for index in range(9):
        height, width = (int(side) for side in draws.integers(40, 400, 2))
        image = draws.integers(0, 256, (3, height, width), np.uint8)
        n = 0 if index in (2, 7) else index + 1
        low = draws.uniform(0, 0.6, (n, 2)) * (width, height)
        corners = np.concatenate([low, low + draws.uniform(0.01, 0.4, (n, 2)) * (width, height)], 1)
        corners[: index % 3] = np.rint(corners[: index % 3]) + np.array([0, 0, 1, 1])
        corners = np.minimum(corners, [width, height] * 2)
        if n > 3:
            corners[3] = 0, 0, width, height
        names = tuple(("open", "spur", "copper")[k % 3] for k in range(n))
        told = tuple(flags[k % len(flags)] for k in range(n))
        truth = Boxes(corners, names, np.full(n, score), told, (height, width))
        samples.append(Sample(image, truth, splits[index % len(splits)], name=f"board {index}.png"))
    return Dataset(tuple(samples), "boards", ids=SPARSE)


def same(again: Dataset, data: Dataset, atol: float = 0) -> None:
    """Hold two data sets of boxes against each other, whatever the order of their pictures."""
    mine, other = ({decode(s.image).tobytes(): s for s in d.samples} for d in (again, data))
    assert mine.keys() == other.keys() and len(mine) == len(data)
    for pixels, sample in mine.items():
        wanted = other[pixels]
        assert (sample.split, sample.group) == (wanted.split, wanted.group)
        a, b = sample.truth, wanted.truth
        assert isinstance(a, Boxes) and isinstance(b, Boxes)
        assert (a.names, a.flags, a.size) == (b.names, b.flags, b.size)
        assert np.array_equal(a.scores, b.scores)
        assert a.boxes.shape == b.boxes.shape
        assert np.abs(a.boxes - b.boxes).max(initial=0) <= atol


@pytest.mark.parametrize(("name", "target"), BOXED)
@pytest.mark.parametrize("splits", [(None,), ("train", "validation", "test")])
def test_boxes_that_are_written_are_read_again(
    name: str, target: str, splits: tuple[str | None, ...], tmp_path: Path
) -> None:
    data = boxed(splits)
    formats.write(data, tmp_path / target, name)
    assert knowing(tmp_path / target) == [name] and formats.sniffed(tmp_path / target) == name
    again = formats.read(tmp_path / target)
    same(again, data, 0 if name in EXACT else 1e-6)
    assert again.classes == data.classes and again.ledger == ()
    assert [s.name for s in formats.read(tmp_path / target).samples] == [
        s.name for s in again.samples
    ]


@pytest.mark.parametrize(("name", "target"), [case for case in BOXED if case[0] in ANY])
@pytest.mark.parametrize("other", ANY)
def test_any_to_any(name: str, target: str, other: str, tmp_path: Path) -> None:
    data = boxed(("train", "test"))
    formats.write(data, tmp_path / "first" / target, name)
    formats.write(formats.read(tmp_path / "first" / target), tmp_path / "second", other)
    copy = tmp_path / "second"
    if other in ("coco", "table"):
        copy = copy.rename(tmp_path / f"second{'.json' if other == 'coco' else '.csv'}")
    same(formats.read(copy), data, 1e-6)


@pytest.mark.parametrize(("name", "target"), [("coco", "out.json"), ("yolo", "out")])
def test_ids_of_the_source_are_kept(name: str, target: str, tmp_path: Path) -> None:
    formats.write(boxed(), tmp_path / target, name)
    again = formats.read(tmp_path / target)
    assert dict(again.ids) == SPARSE
    more = Dataset(again.samples, "two fewer", ids={"spur": 40, "short": 11})
    formats.write(more, tmp_path / "new" / target, name)
    assert formats.read(tmp_path / "new" / target).ids == {
        "short": 11, "spur": 40, "copper": 41, "open": 42,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "target"), BOXED)
def test_flags_are_kept_or_named(name: str, target: str, tmp_path: Path) -> None:
    data = boxed(flags=("", "crowd", "difficult", "ignore"))
    if name == "deeppcb":
        with pytest.raises(DataError, match="flags"):
            formats.write(data, tmp_path / target, name)
        return
    lost = formats.write(data, tmp_path / target, name)
    again = formats.read(tmp_path / target)
    if name != "yolo":
        same(again, data, 1e-6)
        return
    flagged = sum(int(s.truth.ignored.sum()) for s in data.samples if isinstance(s.truth, Boxes))
    assert sum(p.kind == "not-kept" and "flagged" in p.message for p in lost) == flagged > 9
    plain = [s.truth.keep(~s.truth.ignored) for s in data.samples if isinstance(s.truth, Boxes)]
    assert sorted(map(len, plain)) == sorted(len(s.truth) for s in again.samples)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "target"), BOXED)
def test_scores_are_kept_or_named(name: str, target: str, tmp_path: Path) -> None:
    data = boxed(score=0.25)
    lost = formats.write(data, tmp_path / target, name)
    again = formats.read(tmp_path / target)
    if name in ("voc", "deeppcb"):
        assert any("scores" in problem.message for problem in lost)
    else:
        same(again, data, 1e-6)


@pytest.mark.parametrize(("name", "target"), BOXED)
def test_half_a_writing_leaves_nothing(name: str, target: str, tmp_path: Path) -> None:
    good = boxed().samples
    bad = Dataset((*good, Sample(tmp_path / "gone.png", Boxes(np.ones((1, 4)), ("open",)))))
    with pytest.raises(DataError, match=r"gone\.png"):
        formats.write(bad, tmp_path / "place" / target, name)
    left = tmp_path / "place" / target
    assert not left.exists()
