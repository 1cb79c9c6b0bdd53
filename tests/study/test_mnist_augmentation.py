"""The study of Tabik et al. as it is planned, set beside their table, and voted on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from here import Here

from opsin import augment, verbs
from opsin.data.dataset import Dataset
from opsin.data.formats import idx
from opsin.data.samples import digits
from opsin.errors import InputError
from opsin.study import job
from opsin.study.studies import mnist_augmentation as mnist

# Some rows of the table in the lecture, as they are printed there: % right, average (best) of five.
PRINTED = """
| centred | 98.85 (99.06) | 98.95 | 98.73 (98.80) | 98.97 (99.01) | 95.35 | 95.13 |
| rotation-elastic | 99.31 (99.39) | 99.47 (99.57) | 99.62 (99.67) | 99.67 (99.69) | 99.54 (99.60) | 99.56 (99.56) |
| translation-rotation | 99.16 (99.40) | 99.40 | 99.57 (99.61) | 99.58 (99.60) | 99.57 (99.59) | 99.69 (99.69) |
"""  # noqa: E501


def test_the_table_is_what_was_printed() -> None:
    ours: dict[str, list[str]] = {}
    for name, _, mean, best in mnist.published():
        told = f"{100 * mean:.2f}" + ("" if best is None else f" ({100 * best:.2f})")
        ours.setdefault(name, []).append(told)
    assert len(ours) == 12
    for line in PRINTED.strip().splitlines():
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert ours[name] == cells


def test_full_is_the_papers_grid() -> None:
    plan = mnist.plan("full", Path("somewhere"))
    cells = list(plan.cells())
    assert len(plan) == 360 and plan.fields.keys() == {"net", "augment", "epochs"}
    assert Counter(cell["net"] for cell in cells) == {
        mnist.LENET: 24,
        "network3": 24,
        "dropconnect": 24,
    }
    shown = Counter(augment.parse(cell["augment"]).copies for cell in cells)
    counted = Counter(copies.count if copies else 1 for copies in shown.elements())
    assert counted == {1: 2 * 6, 5: 5 * 6, 25: 5 * 6}  # 60,000, 300,000 and 1,500,000 pictures
    lenets = {cell["epochs"] for cell in cells if cell["net"] == mnist.LENET}
    assert lenets == {12, 59}  # 640,000 and 3,200,000 pictures of 55,000
    longest = max(cell["epochs"] for cell in cells)
    assert longest == 200 * 25


def test_laptop_says_a_net_in_a_word() -> None:
    plan = mnist.plan("laptop", None)
    assert plan.fields.keys() == {"net", "augment"}  # epochs go with the net
    sets = [cell["augment"] for cell in plan.cells() if cell["net"] == mnist.SMALL_LENET]
    assert sets == list(mnist.SETS) and len(plan.seeds) == 5


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(InputError, match="laptop, full"):
        mnist.plan("desktop", None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the embedded digits as idx files, split as MNIST is."""
    samples = digits.read().samples[:600]
    marked = [
        type(each)(each.image, each.truth, "test" if place % 4 == 0 else "train")
        for place, each in enumerate(samples)
    ]
    idx.write(Dataset(tuple(marked), "digits"), tmp_path / "idx")
    return tmp_path / "idx"


def test_nets_vote_and_are_set_beside_the_paper(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tiny() -> Iterator[dict[str, Any]]:
        yield {"net": mnist.SMALL_LENET, "augment": "original", "epochs": 1}
        yield {"net": mnist.SMALL_LENET, "augment": "elastic", "epochs": 1}

    monkeypatch.setitem(mnist.PRESETS, "tiny", tiny)
    monkeypatch.setattr(job, "_hands", lambda way, store, stock, many, threads: Here(stock))
    out = tmp_path / "study"
    studied = verbs.study("mnist-augmentation", preset="tiny", root=root, out=out)
    assert len(studied.rows) == 10
    beside = json.loads((out / "published.json").read_text())
    found = {each["cell"]["augment"]: (each["mean"], each["best"]) for each in beside["cells"]}
    assert found == {"original": (0.9908, 0.9918), "elastic": (0.9909, 0.9919)}
    told = json.loads((out / "ensembles.json").read_text())
    votes = {(each["name"], each["how"]): each for each in told["rows"]}
    assert set(votes) == {
        ("LeNet × 3", "majority"),
        ("LeNet × 3", "mean"),
        ("LeNet × 5", "majority"),
        ("LeNet × 5", "mean"),
        ("5 chosen from all on validation pictures", "mean"),
    }
    five = votes["LeNet × 5", "mean"]
    assert five["accuracy"]["n"] == five["n"] == 150 and len(set(five["members"])) == 5
    labels = [sample.truth.words() for sample in Dataset.read("mnist", root=root).samples]
    for each in told["missed"]["by_all"]:
        assert each["true"] == labels[each["index"]] and each["true"] not in each["said"]
    page = (out / "study.html").read_text()
    assert "LeNet" in page and "conv 5x5x8" not in page.split("How to repeat")[0]
    assert mnist.SOURCE.split(",")[0] in page
