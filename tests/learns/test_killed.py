"""A run killed at any moment, and taken up again, ends in the same bits as one left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from opsin.engine import checkpoint

pytestmark = pytest.mark.learns

KILLS = 20


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "opsin", "train", *map(str, words)]


def finish(*words: object) -> float:
    """Run a command to its end and return the seconds it took."""
    began = time.monotonic()
    subprocess.run(command(*words), check=True, capture_output=True)
    return time.monotonic() - began


def weights(out: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(out / "model.safetensors")[0]


def test_killed_twenty_times_and_resumed_is_bit_for_bit_the_same(
    photos: Path, tmp_path: Path
) -> None:
    settings = ["--net", "lenet5", "--epochs", "120", "--batch", "8", "--average", "0.9"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    seconds = finish(photos, *settings, "--out", whole)
    draws = random.Random(20)
    words: list[object] = [photos, *settings, "--out", cut]
    survived = 0
    for _ in range(KILLS):
        child = subprocess.Popen(
            command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            child.wait(timeout=draws.uniform(0.05, 1.0) * seconds)
            survived += 1
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        if (cut / "run.json").exists():
            words = ["--resume", cut]
        if (cut / "model.safetensors").exists():
            checkpoint.load(cut / "model.safetensors")  # whole, or not there
    if words[0] == "--resume":
        finish(*words)
    assert survived < KILLS
    left, right = weights(whole), weights(cut)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
