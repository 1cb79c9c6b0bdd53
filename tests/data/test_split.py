"""What must hold for every cut, whatever the data."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsin.data.dataset import Dataset
from opsin.data.sample import SPLITS, Sample
from opsin.data.split import cut, split
from opsin.errors import DataError
from opsin.results import Label, Value


def labelled(names: str, splits: list[str | None] | None = None) -> Dataset:
    """Make a sample for each letter, which is its class."""
    parts = splits or [None] * len(names)
    pairs = enumerate(zip(names, parts, strict=True))
    return Dataset(tuple(Sample(b"", Label(k), part, name=str(i)) for i, (k, part) in pairs))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_groups_and_copies_never_cross_a_cut(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 60))
    draw = lambda most: data.draw(st.lists(st.integers(0, most), min_size=n, max_size=n))  # noqa: E731
    classes, groups, pictures = draw(4), draw(25), draw(40)
    given_splits = data.draw(
        st.lists(st.sampled_from(["train", "train", None, "test"]), min_size=n, max_size=n)
        if data.draw(st.booleans())
        else st.just([None] * n)
    )
    made = Dataset(
        tuple(
            Sample(b"", Label(str(k)), part, f"g{g}" if g < 15 else None, str(i))
            for i, (k, g, part) in enumerate(zip(classes, groups, given_splits, strict=True))
        )
    )
    digests = [f"{picture:032x}" for picture in pictures]
    if set(given_splits) == {"test"}:
        return
    try:
        found = cut(made, seed=n, digests=digests)
    except DataError:
        assert "test" in given_splits  # all that was to train on is also in the test
        return
    assert found == cut(made, seed=n, digests=digests)
    by_picture: dict[int, set[str]] = {}
    for index, part in enumerate(found.splits):
        if part is not None:
            by_picture.setdefault(pictures[index], set()).add(part)
    assert all(len(parts) == 1 for parts in by_picture.values())
    assert len(found.problems) == sum(part is None for part in found.splits)
    for sample, part in zip(made.samples, found.splits, strict=True):
        assert part in SPLITS or (part is None and sample.split != "test")
        assert sample.split != "test" or part == "test"
    if not any(given_splits):
        parts_of: dict[str, set[str | None]] = {}
        for sample, part in zip(made.samples, found.splits, strict=True):
            if sample.group:
                parts_of.setdefault(sample.group, set()).add(part)
        assert all(len(parts) == 1 for parts in parts_of.values())


@pytest.mark.parametrize(
    ("n", "wanted"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "validation": 1}),
        (3, {"train": 1, "validation": 1, "test": 1}),
        (20, {"train": 14, "validation": 3, "test": 3}),
        (100, {"train": 70, "validation": 15, "test": 15}),
    ],
)
def test_every_class_gets_its_share(n: int, wanted: dict[str, int]) -> None:
    counts = split(labelled("a" * n + "b" * 50), seed=3).counts()
    assert counts["a"] == wanted


def test_what_is_missing_is_cut_from_train_and_what_is_given_stays() -> None:
    given_splits: list[str | None] = ["train"] * 80 + ["test"] * 20
    made = split(labelled("ab" * 50, given_splits), seed=0)
    assert Counter(s.split for s in made.samples) == {"train": 68, "validation": 12, "test": 20}
    assert all(s.split == "test" for s in made.samples[80:])
    swapped: list[str | None] = ["validation" if s == "test" else None for s in given_splits]
    made = split(labelled("ab" * 50, swapped), seed=0)
    assert Counter(s.split for s in made.samples) == {"train": 68, "validation": 20, "test": 12}
    whole: list[str | None] = ["train"] * 80 + ["test"] * 10 + ["validation"] * 10
    data = labelled("ab" * 50, whole)
    assert split(data, seed=0).samples == data.samples


def test_the_copy_in_train_is_dropped_and_named() -> None:
    data = labelled("aaaabbbb", ["train", "validation", "test", "train"] * 2)
    hashes = np.array([7, 7, 7, 7, *(np.arange(1, 5) * 0x1234_5678_9ABC)], np.uint64)
    made = split(data, seed=0, hashes=hashes)
    assert [s.name for s in made.samples] == ["2", "4", "5", "6", "7"]
    assert [(p.kind, p.path) for p in made.ledger] == [("duplicate", n) for n in "013"]
    assert "the same picture as 2 in test" in made.ledger[0].message


def test_unreadable_pictures_are_no_copies_of_each_other() -> None:
    data = labelled("abab", ["train", "test", "train", "test"])
    found = cut(data, seed=0, digests=["", "", "x", "y"], hashes=np.zeros(4, np.uint64))
    assert None in found.splits and found.splits[0] == "train"


def test_numbers_are_cut_along_their_range() -> None:
    values = np.random.default_rng(0).lognormal(size=400)
    data = Dataset(tuple(Sample(b"", Value(float(v))) for v in values))
    made = split(data, seed=1)
    held_out = [s.truth.value for s in made.split("test").samples if isinstance(s.truth, Value)]
    assert len(held_out) == 60
    assert (
        np.bincount(np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), held_out)).tolist()
        == [15] * 4
    )


def test_seeds_differ_and_repeat() -> None:
    data = labelled("ab" * 50)
    cuts = [cut(data, seed=seed).splits for seed in (0, 0, 1)]
    assert cuts[0] == cuts[1] != cuts[2]


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(DataError, match="none of them to train on"):
        split(labelled("aa", ["test", "validation"]), seed=0)


def test_seventy_thousand_samples_take_no_time() -> None:
    draws = np.random.default_rng(0)
    data = Dataset(tuple(Sample(b"", Label(str(k))) for k in draws.integers(0, 10, 70_000)))
    hashes = draws.integers(0, 2**63, 70_000, np.uint64)
    digests = [f"{int(h):032x}" for h in hashes]
    start = time.process_time()
    split(data, seed=0, digests=digests, hashes=hashes)
    assert time.process_time() - start < 4  # half a second on an idle core
