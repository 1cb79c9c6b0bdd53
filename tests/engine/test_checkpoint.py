"""Checkpoints are whole or absent; damaged ones are refused in a sentence."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from opsin.engine import checkpoint
from opsin.errors import DataError, ModelError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.safetensors"


def test_round_trip_is_exact(path: Path) -> None:
    tensors = {"a": torch.randn(3, 4), "b/c": torch.tensor(7), "h": torch.ones(2).bfloat16()}
    checkpoint.save(path, tensors, {"step": 3, "note": "é"})
    back, header = checkpoint.load(path)
    assert header == {"step": 3, "note": "é"}
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert checkpoint.shapes(path) == {"a": (3, 4), "b/c": (), "h": (2,)}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.99])
def test_truncated_files_are_refused(path: Path, share: float) -> None:
    checkpoint.save(path, {"a": torch.randn(1000)}, {})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"PK\x03\x04" + b"0" * 100, b"\x00" * 999])
def test_foreign_files_are_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelError):
        checkpoint.read_header(path)


def test_a_file_of_no_content_but_terabytes_is_refused_at_once(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(1 << 40)  # sparse
    began = time.monotonic()
    with pytest.raises(ModelError, match="bytes"):
        checkpoint.read_header(path)
    assert time.monotonic() - began < 5


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(path, {"a": torch.zeros(5)}, {"old": True})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        checkpoint.save(path, {"a": torch.ones(5)}, {"old": False})
    assert checkpoint.read_header(path) == {"old": True}
    assert list(path.parent.iterdir()) == [path]


WRITER = """
import sys, torch
from pathlib import Path
from opsin.engine import checkpoint
step = 0
while True:
    checkpoint.save(Path(sys.argv[1]), {"a": torch.full((400_000,), float(step))}, {"step": step})
    print(step, flush=True)
    step += 1
"""


def test_killed_while_saving_never_leaves_a_torn_file(path: Path) -> None:
    for delay in (0.002, 0.005, 0.009, 0.014, 0.02):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        tensors, header = checkpoint.load(path)
        assert (tensors["a"] == header["step"]).all()
