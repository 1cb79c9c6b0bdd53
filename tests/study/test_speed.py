"""A row's milliseconds a picture: measured, written, read; and read where they are not there."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_study import write_study
from opsin.data.sample import Sample
from opsin.study import page, tables
from opsin.study import rows as room
from opsin.study import speed as timing
from opsin.study.summary import summary


class Slow:
    """Takes a second a picture, by a clock of its own."""

    class runtime:
        name = "slow"

    def __init__(self, monkeypatch: pytest.MonkeyPatch, takes: float) -> None:
        self.now, self.takes, self.seen = 0.0, takes, 0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def predict(self, picture: object) -> None:
        self.seen += 1
        self.now += self.takes * (9 if self.seen == 1 else 1)


@pytest.mark.parametrize(("takes", "many"), [(0.001, 32), (1.0, 4), (20.0, 1)])
def test_it_ends_in_time_and_warms_up(
    monkeypatch: pytest.MonkeyPatch, takes: float, many: int
) -> None:
    slow = Slow(monkeypatch, takes)
    found = timing.measure(slow, [b""] * 32)  # type: ignore[arg-type]
    assert found == {"milliseconds": 1000 * takes, "pictures": many, "runtime": "slow"}


def test_originals_are_held_out_pictures_as_they_came(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "PNG")
    (tmp_path / "a.png").write_bytes(raw.getvalue())
    some = [
        Sample(tmp_path / "a.png", split="test"),
        Sample(b"learnt from", split="train"),
        Sample(pixels, split="test"),
    ]
    kept = timing.originals(some)
    file, array = timing.restored(kept, len(kept))
    assert file == raw.getvalue() and np.array_equal(array, pixels)
    many = timing.originals([Sample(b"%d" % i, split="validation") for i in range(1000)])
    assert len(many) == timing.MOST and timing.restored(many, 32)[-1] == b"999"
    assert timing.originals([]) == {}


def test_room_for_originals_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROOM", 25)
    assert len(timing.originals([Sample(b"0123456789", split="test")] * 5)) == 2
    assert len(timing.originals([Sample(b"0" * 99, split="test")] * 5)) == 1


def test_rows_of_older_studies_are_read(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "old", outputs=False)
    cells = tables.cells(room.read(folder))
    assert all(math.isnan(cell.milliseconds) and not cell.runtimes for cell in cells)
    assert 'id="speed"' not in page.write(folder).read_text("utf-8")
    found = summary(folder)
    assert "ms" not in found.table(100)[0] and found.to_dict()["front"] == []
    assert cells[0].to_dict()["milliseconds"] is None


def test_a_cell_takes_the_median_of_its_seeds(tmp_path: Path) -> None:
    folder = write_study(
        tmp_path / "s", {"net": {"a": 0.0, "b": 0.3}}, seeds=(0, 1, 2), outputs=False
    )
    path = folder / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row, ms in zip(rows, (2.0, 8.0, 3.0, 5.0, 5.0, 5.0), strict=True):
        row |= {"speed": {"milliseconds": ms, "pictures": 9, "runtime": "r"}, "at_once": 2}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = tables.cells(room.read(folder))
    assert (first.milliseconds, first.swing, first.runtimes) == (3.0, 4.0, ("r",))
    assert (second.milliseconds, second.swing) == (5.0, 1.0)
    row = summary(folder).table(80)[1]
    assert (
        row["ms"] == "3" and sum(max(len(key), len(value)) + 2 for key, value in row.items()) < 83
    )
