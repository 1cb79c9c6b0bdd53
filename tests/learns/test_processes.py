"""Two processes train one model: the file is there, and it is as good as that of one process."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import opsin
from opsin import nets
from opsin.data.samples import scattered


def _talk() -> bool:
    """Say whether processes of this machine reach each other: they do not under ``unshare -n``."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError:
        return False
    return True


pytestmark = [
    pytest.mark.learns,
    pytest.mark.skipif(not _talk(), reason="not even the loopback network is up"),
    pytest.mark.skipif(
        not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
        reason="this torch has no gloo",
    ),
]


def together(processes: int, *words: object) -> dict[str, Any]:
    """Run ``opsin train`` under torchrun and return what it prints."""
    alone = [sys.executable, "-m"]
    several = ["torch.distributed.run", "--nproc-per-node", str(processes), "--standalone", "-m"]
    done = subprocess.run(
        [*alone, *several, "opsin", "train", *map(str, words), "--json"],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = done.stdout.splitlines()  # the first process alone speaks
    return dict(json.loads(line))


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    words = ["samples:digits", "--net", "lenet5", "--epochs", "12", "--batch", "64", "--out"]
    found = []
    for processes in (1, 2):
        told = together(processes, *words, tmp_path / f"run{processes}")
        assert (
            len(
                opsin.Model.load(told["model"]).predict(
                    opsin.Dataset.read("samples:digits").samples[0].image
                )
            )
            == 1
        )
        assert Path(told["report"]).is_file()
        found.append(told["metrics"]["accuracy"])
    one, two = found
    assert one["n"] == two["n"]
    # Two accuracies on the same n pictures: four standard errors of their difference, and a
    # percent for what two orders of adding up make of one training.
    middle = (one["value"] + two["value"]) / 2
    error = math.sqrt(2 * middle * (1 - middle) / one["n"])
    assert abs(one["value"] - two["value"]) <= 4 * error + 0.01
    assert two["value"] > 0.9


def test_two_processes_keep_a_budget_together(tmp_path: Path) -> None:
    told = together(
        2, "samples:digits", "--net", "lenet5", "--minutes", "0.3", "--out", tmp_path / "run"
    )
    assert told["metrics"]["accuracy"]["value"] > 0.8


def test_two_processes_train_upper_layers(photos: Path, tmp_path: Path) -> None:
    if not nets.has_weights("mobilenetv2_100"):
        pytest.skip("the package with the weights of mobilenetv2_100 is not installed")
    words = [photos, "--net", "mobilenetv2_100", "--size", "64", "--epochs", "2"]
    told = together(2, *words, "--policy", "auto", "--out", tmp_path / "run")
    assert told["policy"] in ("probe", "upper")
    assert Path(told["model"]).is_file()


def test_two_processes_train_a_detector(boxed: Path, tmp_path: Path) -> None:
    """Each step, every process draws a size of its own to see its pictures at."""
    line = "yolo on " + "conv 3x3x8 stride 2 pad 1, bn, " * 4 + "dense 10"
    words = [boxed, "--net", line, "--size", "128", "--epochs", "2", "--batch", "8"]
    told = together(2, *words, "--mosaic", "0.5", "--out", tmp_path / "run")
    assert told["metrics"]["ap50"]["n"] > 0 and Path(told["report"]).is_file()
    (said,) = opsin.Model.load(told["model"]).predict(scattered.read(1).samples[0].image)
    assert isinstance(said.result, opsin.Boxes)
