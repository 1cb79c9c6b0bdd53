"""A run killed at any moment, and taken up again, ends in the same bits as one left alone."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from opsin import cli, nets
from opsin.engine import checkpoint

pytestmark = pytest.mark.learns

DETECTOR = "yolo on " + "conv 3x3x8 stride 2 pad 1, bn, " * 4 + "dense 10"
KILLS = 20
LONG = 120.0  # seconds after which a run is taken for stuck

# Each run is a process of its own, forked from one that has imported what takes seconds to import:
# that way most kills hit work and not imports.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch", "timm", "lightning_fabric", "sklearn.linear_model"])


@pytest.fixture(autouse=True)
def asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads that wait sleep, as the command line does (docs/decisions/0004)."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")


def work(words: list[str]) -> None:
    """Run a command line in silence and end this process with its exit code."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.exit(cli.run(words))


def train(*words: object) -> Any:
    """Start ``opsin train`` in a process of its own."""
    process = FORKS.Process(target=work, args=(["train", *map(str, words)],))
    process.start()
    return process


def finish(*words: object) -> None:
    """Run ``opsin train`` to its end."""
    process = train(*words)
    process.join(LONG)
    assert process.exitcode == 0


def killed(process: Any, after: float) -> bool:
    """Kill a process -9 after some seconds; say whether it was still at work."""
    process.join(after)
    process.kill()
    process.join()
    assert process.exitcode in (0, -9)
    return bool(process.exitcode == -9)


def weights(out: Path, file: str = "model.safetensors") -> dict[str, torch.Tensor]:
    return checkpoint.load(out / file)[0]


def assert_same_bits(left: Path, right: Path, file: str = "model.safetensors") -> None:
    one, other = weights(left, file), weights(right, file)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def kill_and_resume(
    words: list[object],
    folder: Path,
    kills: int,
    longest: float,
    more: frozenset[str] | set[str] = frozenset(),
) -> int:
    """Kill a run again and again, at random moments, and take it up each time until it is done.

    Where it ends before it was killed ``kills`` times, it has to give the bits of ``whole`` and a
    new one is begun. Returns how many runs were ended.
    """
    draws, whole = random.Random(20), folder / "whole"
    finish(*words, "--out", whole)
    seen, runs = 0, 0
    while seen < kills:
        cut = folder / f"cut{runs}"
        while not json_of(cut).get("done"):
            begin = ["--resume", cut] if (cut / "run.json").exists() else [*words, "--out", cut]
            if seen == kills:
                finish(*begin)
                continue
            seen += killed(train(*begin), draws.uniform(0.02, longest))
            if (cut / "model.safetensors").exists():
                weights(cut)  # whole, or absent
        finish("--resume", cut)  # nothing to do but sweep, where the last kill came before that
        assert_same_bits(whole, cut)
        left = {path.name for path in cut.iterdir()} - {".lock"}
        assert left == {
            "events.jsonl",
            "model.safetensors",
            "report.html",
            "run.json",
            "tensorboard",
            *more,
        }
        runs += 1
    return runs


def json_of(out: Path) -> dict[str, Any]:
    path = out / "run.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def test_killed_twenty_times_and_resumed_is_bit_for_bit_the_same(
    photos: Path, tmp_path: Path
) -> None:
    words = [photos, "--net", "lenet5", "--epochs", "40", "--batch", "8", "--average", "0.9"]
    words += ["--dropout", "0.2", "--mixup", "0.2", "--cutmix", "1"]
    words += ["--augment", "flip, rotate 10, elastic 24 4, contrast 0.2, noise 0.05, copies 3"]
    kill_and_resume(list(words), tmp_path, KILLS, longest=1.5)


def test_snapshots_too(photos: Path, tmp_path: Path) -> None:
    words = [photos, "--net", "lenet5", "--epochs", "12", "--batch", "8", "--schedule", "cyclic"]
    files = {f"snapshot-{number}.safetensors" for number in (1, 2, 3)}
    kill_and_resume([*words, "--snapshots", "3"], tmp_path, 4, longest=1.5, more=files)
    for file in files:
        assert_same_bits(tmp_path / "whole", tmp_path / "cut0", file)


def test_upper_layers_too(photos: Path, tmp_path: Path) -> None:
    if not nets.has_weights("mobilenetv2_100"):
        pytest.skip("the package with the weights of mobilenetv2_100 is not installed")
    words = [photos, "--policy", "upper", "--net", "mobilenetv2_100", "--epochs", "5"]
    kill_and_resume([*words, "--size", "64"], tmp_path, 4, longest=5.0)


def test_detectors_too(boxed: Path, tmp_path: Path) -> None:
    """At 128 pixels each step draws the size it sees pictures at, and what mosaics are of."""
    words = [boxed, "--net", DETECTOR, "--size", "128", "--epochs", "6", "--batch", "8"]
    words += ["--mosaic", "0.5", "--mixup", "0.2", "--augment", "flip, rotate 10, contrast 0.2"]
    kill_and_resume([*words, "--average", "0.9"], tmp_path, 3, longest=5.0)


def test_a_run_by_time_keeps_to_the_plan_it_began_with(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = train(photos, "--net", "lenet5", "--minutes", "0.2", "--out", out)
    deadline = time.monotonic() + LONG
    while "scratch epochs" not in json_of(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert killed(process, 1.0)
    planned = json_of(out)
    assert planned["scratch epochs"] >= 1
    finish("--resume", out)
    followed = json_of(out)
    assert followed.pop("done") and followed.pop("spent") >= planned.pop("spent")
    # What was decided before the kill is followed; what was not reached by then is decided later.
    assert {name: followed[name] for name in planned} == planned
    lines = (out / "events.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines if line.endswith("}")]
    epochs = {line["epochs"] for line in told if line["event"] == "epoch"}
    assert epochs == {planned["scratch epochs"]}
