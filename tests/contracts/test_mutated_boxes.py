"""Damaged annotations: whatever their bytes, boxes or one error that a person can act on."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from opsin.data import formats
from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.errors import InputError
from opsin.results import Boxes

pytestmark = pytest.mark.contracts

N = 600  # of each format
CASES = {
    "coco": ("out.json", "out.json"),
    "deeppcb": ("out", "out/boxes/b.txt"),
    "table": ("out.csv", "out.csv"),
    "voc": ("out", "out/Annotations/b.xml"),
    "yolo": ("out", "out/labels/train/b.txt"),
    "yolo yaml": ("out", "out/data.yaml"),
}
WORDS = [
    *(b"NaN", b"1e999", b"-1", b"null", b'"', b"{", b"}", b"[", b"]", b"<", b"&x;", b"\0", b"\xff"),
    *(
        b"\\ud800",
        b"99999999999999999999",
        b",",
        b"\n",
        b"true",
        b"../",
        b"0",
        b"-",
        b"\xf0\x9f\x90\x88",
    ),
    *(b"*a", b"&a", b"!!int", b"{}", b"1_0", b"\r", b"\xe2\x80\xa8", b"'", b":", b"A" * 300),
]


def written(root: Path, name: str, target: str) -> None:
    """Write two pictures with boxes in a format."""
    samples = []
    for index, stem in enumerate("ab"):
        path = root / "source" / f"{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (40, 30 + index)).save(path)
        corners = np.array([[1, 2, 30, 20], [0, 0, 5.5, 7.25], [3, 4, 40, 30]])
        truth = Boxes(corners, ("open", "spur", "open"))
        samples.append(Sample(path, truth, "train", name=path.name))
    formats.write(Dataset(tuple(samples), "two", ids={"open": 4, "spur": 9}), root / target, name)


def mutated(whole: bytes, draws: np.random.Generator) -> bytes:
    """Damage a file of text in one to three of five ways."""
    raw = bytearray(whole)
    for _ in range(int(draws.integers(1, 4))):
        at = int(draws.integers(len(raw) + 1))
        kind = int(draws.integers(5))
        if kind == 0:
            raw[at:at] = WORDS[int(draws.integers(len(WORDS)))]
        elif kind == 1:
            del raw[at : at + int(draws.integers(1, 30))]
        elif kind == 2:
            raw[at : at + 3] = WORDS[int(draws.integers(len(WORDS)))]
        elif kind == 3:
            raw[at:at] = raw[at : at + int(draws.integers(1, 200))]
        elif len(raw):
            raw[at % len(raw)] = int(draws.integers(256))
    return bytes(raw)


def outcome(path: Path) -> str:
    """Read boxes and say what came of it, after holding all that was read to its promises."""
    try:
        data = formats.read(path)
    except InputError as error:
        assert str(error).startswith("received ")
        str(error).encode()
        return "error"
    if data.kind is not Boxes:  # without its corners a table is one of labels
        return "labels"
    for problem in data.ledger:
        f"{problem.path} {problem.message}".encode()
    for sample in data.samples:
        boxes = sample.truth
        assert isinstance(boxes, Boxes) and boxes.size is not None
        height, width = boxes.size
        assert (boxes.boxes[:, :2] < boxes.boxes[:, 2:]).all() and (boxes.boxes >= 0).all()
        assert (boxes.boxes <= (width, height, width, height)).all()
        " ".join((sample.name, *boxes.names)).encode()
    return "named" if data.ledger else "whole"


@pytest.mark.parametrize("case", CASES)
def test_mutated_annotations_give_boxes_or_an_input_error(case: str, tmp_path: Path) -> None:
    target, changed = CASES[case]
    written(tmp_path, case.split()[0], target)
    whole = (tmp_path / changed).read_bytes()
    draws, ends = np.random.default_rng(len(case)), Counter[str]()
    for _ in range(N):
        (tmp_path / changed).write_bytes(mutated(whole, draws))
        ends[outcome(tmp_path / target)] += 1
    print(case, dict(ends))
    assert sum(ends.values()) == N and ends["named"] > N // 20


ODD: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        1.5,
        10**30,
        1e308,
        float("nan"),
        float("-inf"),
        "",
        "x",
        "\ud800",
        "../a.png",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        {"a": 1},
        [1, 2, 3, 4],
        ["1", "2", "3", "4"],
        {"counts": "00", "size": [1, 1]},
    ),
    *("/dev/zero", "a" * 300, "a\0b", [1e308] * 4, [[1e308] * 6], 2**63, [0] * 4, "ß日"),
]


def test_any_value_at_any_place_of_coco(tmp_path: Path) -> None:
    written(tmp_path, "coco", "out.json")
    draws, ends = np.random.default_rng(7), Counter[str]()
    for _ in range(2 * N):
        plain = json.loads((tmp_path / "out.json").read_text())
        for _ in range(int(draws.integers(1, 4))):
            place: Any = plain
            while True:  # walk down to a random place
                keys = list(place) if isinstance(place, dict) else list(range(len(place)))
                key = keys[int(draws.integers(len(keys)))]
                inside = place[key]
                if not (isinstance(inside, dict | list) and inside) or draws.random() < 0.15:
                    break
                place = inside
            place[key] = deepcopy(ODD[int(draws.integers(len(ODD)))])
            if not isinstance(plain, dict) or not plain:
                break
        (tmp_path / "odd.json").write_text(json.dumps(plain))
        ends[outcome(tmp_path / "odd.json")] += 1
    print(dict(ends))
    assert ends["named"] > N
