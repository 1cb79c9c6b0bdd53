"""Studies as they are: processes, killed at any moment, side by side, and on a full disk."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.learns

KILLS = 10
LONG = 240.0  # seconds after which a study is taken for stuck

PLAN = """
data = "samples:digits"
seeds = 4
[recipe]
net = "lenet5"
policy = "scratch"
epochs = 1
[grid]
augment = ["none", "rotate 10", "digits"]
rate = [0.02, 0.05]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def study(*words: object) -> subprocess.Popen[bytes]:
    """Start ``opsin study`` in a process of its own."""
    command = [sys.executable, "-m", "opsin", "study", *map(str, words), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    said, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, errors.decode()
    return dict(json.loads(said))


def lines(out: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a study without times and places."""
    path, found = out / "rows.jsonl", []
    for raw in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            line = json.loads(raw)
        except ValueError:
            continue  # cut off by a kill
        line["curve"] = [[epoch, score] for epoch, _, score in line["curve"]]
        found.append({k: v for k, v in line.items() if k not in ("seconds", "worker")})
    return found


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda line: str(line["id"]))


def numbers(said: dict[str, Any]) -> list[Any]:
    return [[cell["cell"], cell["mean"], cell["sd"], cell["n"]] for cell in said["cells"]]


def weights(out: Path) -> dict[str, bytes]:
    """Return what rows left, to the bit; a model's header tells its date."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.glob("rows/*/outputs.safetensors")
    }


def children(pid: int) -> list[int]:
    """Return the processes that one has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def gone(pids: list[int], within: float = 20.0) -> bool:
    """Say whether processes end by themselves."""
    until = time.monotonic() + within
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_killed_ten_times_every_row_is_there_once(plan: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    told = finished(study(plan, "--out", whole))
    draws = random.Random(20)
    for kill in range(KILLS):
        words = (
            ["--resume", "--out", cut] if (cut / "study.json").exists() else [plan, "--out", cut]
        )
        process = study(*words)
        done = len(lines(cut)) + draws.choice((0, 1, 2))
        if kill % 3 == 2:  # while it gets ready
            time.sleep(draws.uniform(0.3, 4.0))
        else:  # while it trains, and writes
            until = time.monotonic() + LONG
            while len(lines(cut)) <= done and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.01)
            time.sleep(draws.uniform(0.0, 0.3))
        workers = children(process.pid)
        process.kill()
        process.communicate()
        assert gone(workers)
        found = [line["id"] for line in lines(cut)]
        assert len(set(found)) == len(found)
    again = finished(study("--resume", "--out", cut))
    assert numbers(again) == numbers(told)
    assert in_order(lines(cut)) == in_order(lines(whole)) and len(lines(cut)) == 24
    assert weights(cut) == weights(whole)
    assert not list(cut.rglob("*.part")) and not (cut / "claims").exists()


def test_two_at_once_share_the_rows_and_one_may_die(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    first = study(plan, "--out", out, "--workers", "1")
    until = time.monotonic() + LONG
    while not lines(out):
        assert first.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    second = study("--resume", "--out", out, "--workers", "1")
    while len(list((out / "claims").glob("*"))) < 2 and len(lines(out)) < 20:
        assert second.poll() is None and time.monotonic() < until
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    told = finished(second)
    found = [line["id"] for line in lines(out)]
    assert len(found) == len(set(found)) == 24 == told["done"]


def test_a_worker_that_dies_is_replaced_and_its_row_tried_again(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    process = study(plan, "--out", out)
    until = time.monotonic() + LONG
    while len(lines(out)) < 2:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    for worker in children(process.pid):
        os.kill(worker, signal.SIGKILL)
    told = finished(process)
    assert told["done"] == 24 and told["failed"] == 0


SCRIPT = """
set -e
mount -t tmpfs -o size="$1" tmpfs "$2"
shift 2
status=0
"$@" || status=$?
cp -a "$DISK/." "$KEPT"
exit $status
"""


def _permitted() -> bool:
    if shutil.which("unshare") is None or sys.platform != "linux":
        return False
    tried = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _permitted(), reason="no private mounts are permitted here")
def test_a_full_disk_ends_in_one_sentence(plan: Path, tmp_path: Path) -> None:
    """The pictures take 1.4 MB, a row 0.3 MB: some are done when the disk is full."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    ran = subprocess.run(
        [
            *("unshare", "-rm", "sh", "-c", SCRIPT, "sh", "5m", disk),
            *(sys.executable, "-m", "opsin", "study", plan, "--out", disk / "study"),
        ],
        env=os.environ | {"DISK": str(disk), "KEPT": str(kept)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.startswith("opsin: received ") and len(ran.stderr.splitlines()) == 1
    done = lines(kept / "study")
    assert 2 <= len(done) < 24 and all(line["state"] == "done" for line in done)
    for line in done:
        assert (kept / "study" / line["folder"] / "outputs.safetensors").exists()
    told = finished(study("--resume", "--out", kept / "study"))
    assert told["done"] == 24 and told["failed"] == 0
