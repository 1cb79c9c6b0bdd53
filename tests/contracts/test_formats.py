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
from opsin.results import Label, Value

pytestmark = pytest.mark.contracts

TARGETS = {"folder": ["out"], "idx": ["out"], "table": ["out.csv", "out.tsv", "out.parquet"]}
CASES = [(name, target) for name in formats.names() for target in TARGETS[name]]


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


def test_every_format_is_known_here() -> None:
    assert sorted(TARGETS) == formats.names()


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
    knowing = [each for each in formats.names() if formats.find(each).sniff(tmp_path / target)]
    assert knowing == [name]


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


@pytest.mark.parametrize("target", TARGETS["table"])
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
