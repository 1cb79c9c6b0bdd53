"""A bank gives back what was written, in bf16; a disk without room is told of before any work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from opsin.engine.bank import Bank
from opsin.errors import DataError


def test_rows_come_back_as_bf16_of_what_was_written(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, 10, 4, 2, 2)).astype(np.float32)
    bank = Bank(tmp_path / "below" / "bank", 3, 10, (4, 2, 2))
    for view in range(3):
        for first in (0, 6):
            bank.write(view, first, values[view, first : first + 6])
    views, samples = [2, 0, 1, 1], [9, 0, 5, 6]
    oracle = torch.from_numpy(values[views, samples]).to(torch.bfloat16)
    found = bank.read(views, samples)
    bank.close()
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, oracle)


def test_it_takes_its_room_at_once(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank", 2, 5, (3,))
    assert (tmp_path / "bank").stat().st_size == 2 * 5 * 3 * 2  # bf16 has two bytes
    bank.close()


def test_no_room_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, start: int, length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"No space left on device for 0[.]0 GB"):
        Bank(tmp_path / "bank", 2, 5, (3,))
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_of_its_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="room"):
        Bank(tmp_path / "file" / "bank", 1, 1, (1,))
