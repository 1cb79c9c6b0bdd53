"""Studies as they are: processes, killed at any moment, side by side, and on a full disk."""

from __future__ import annotations

import json
import multiprocessing
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

from opsin import cli

pytestmark = pytest.mark.learns

TIMED = ("seconds", "worker", "speed", "at_once")  # in a row, by clocks and chance
KILLS = 10
LONG = 240.0  # seconds after which a study is taken for stuck

# Each study is a process of its own, forked from one that has imported what takes seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["opsin.study.job", "sklearn.datasets"])

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


def work(words: list[str], said: Path) -> None:
    """Run ``opsin study``, write what it prints to a file, and end with its exit code."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.exit(cli.run(["study", *words, "--json"]))


class Study:
    """Is ``opsin study`` in a process of its own."""

    def __init__(self, folder: Path, *words: object) -> None:
        self.said = folder / "said"
        self.process = FORKS.Process(target=work, args=([*map(str, words)], self.said))
        self.process.start()

    @property
    def alive(self) -> bool:
        return bool(self.process.is_alive())

    def finished(self) -> dict[str, Any]:
        """Wait for it and return what it printed."""
        self.process.join(LONG)
        text = self.said.read_text(encoding="utf-8")
        assert self.process.exitcode == 0, text
        return dict(json.loads(text))

    def kill(self) -> None:
        """Kill it -9; its workers end by themselves."""
        workers = children(self.process.pid)
        self.process.kill()
        self.process.join()
        assert gone(workers)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def lines(out: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a study without times and places."""
    path, found = out / "rows.jsonl", []
    for raw in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            line = json.loads(raw)
        except ValueError:
            continue  # cut off by a kill
        line["curve"] = [[epoch, score] for epoch, _, score in line["curve"]]
        found.append({k: v for k, v in line.items() if k not in TIMED})
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
    told = Study(tmp_path, plan, "--out", whole).finished()
    draws = random.Random(20)
    for kill in range(KILLS):
        words = (
            ["--resume", "--out", cut] if (cut / "study.json").exists() else [plan, "--out", cut]
        )
        study = Study(tmp_path, *words)
        done = len(lines(cut)) + draws.choice((0, 0, 1))
        if kill % 3 == 2:  # while it gets ready
            time.sleep(draws.uniform(0.1, 2.0))
        else:  # while it trains, and writes
            until = time.monotonic() + LONG
            while len(lines(cut)) <= done and study.alive:
                assert time.monotonic() < until
                time.sleep(0.01)
            time.sleep(draws.uniform(0.0, 0.2))
        study.kill()
        found = [line["id"] for line in lines(cut)]
        assert len(set(found)) == len(found)
    again = Study(tmp_path, "--resume", "--out", cut).finished()
    assert numbers(again) == numbers(told)
    assert in_order(lines(cut)) == in_order(lines(whole)) and len(lines(cut)) == 24
    assert weights(cut) == weights(whole)
    assert not list(cut.rglob("*.part")) and not (cut / "claims").exists()


def test_two_share_the_rows_and_one_dies_and_a_worker_of_the_other(
    plan: Path, tmp_path: Path
) -> None:
    out, until = tmp_path / "study", time.monotonic() + LONG
    (tmp_path / "first").mkdir()
    first = Study(tmp_path / "first", plan, "--out", out, "--workers", "1")
    while not lines(out):
        assert first.alive and time.monotonic() < until
        time.sleep(0.02)
    second = Study(tmp_path, "--resume", "--out", out, "--workers", "1")
    while len(list((out / "claims").glob("*"))) < 2 and len(lines(out)) < 20:
        assert second.alive and time.monotonic() < until
        time.sleep(0.005)
    first.kill()
    seen = len(lines(out))
    while len(lines(out)) == seen and second.alive:
        time.sleep(0.005)
    for worker in children(second.process.pid):
        os.kill(worker, signal.SIGKILL)
    told = second.finished()
    found = [line["id"] for line in lines(out)]
    assert len(found) == len(set(found)) == 24 == told["done"]


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
    told = Study(tmp_path, "--resume", "--out", kept / "study").finished()
    assert told["done"] == 24 and told["failed"] == 0
