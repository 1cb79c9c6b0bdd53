"""Training onto a disk that is full or read-only: one sentence, exit code 2, nothing torn.

The disks are real: small ones in memory, mounted in a name space of their own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opsin.engine import checkpoint

SCRIPT = """
set -e
mount -t tmpfs -o size="$1" tmpfs "$2"
mkdir "$2/run"
if [ -e "$3" ]; then cp "$3" "$2/run/model.safetensors"; fi
if [ "$4" = read-only ]; then mount -o remount,ro "$2"; fi
shift 4
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


pytestmark = [
    pytest.mark.learns,
    pytest.mark.skipif(not _permitted(), reason="no private mounts are permitted here"),
]


def train(
    photos: Path,
    folder: Path,
    size: str,
    *words: str,
    old: Path | None = None,
    way: str = "read-write",
) -> tuple[int, str, Path]:
    """Train onto a disk of ``size``; return exit code, what was said, and a copy of the run."""
    disk, kept = folder / "disk", folder / "kept"
    disk.mkdir()
    kept.mkdir()
    command = [
        *("unshare", "-rm", "sh", "-c", SCRIPT, "sh", size, disk, old or "none", way),
        *(sys.executable, "-m", "opsin", "train", photos, "--net", "lenet5", "--batch", "16"),
        *("--out", disk / "run", *words),
    ]
    done = subprocess.run(
        [str(word) for word in command],
        env={"PATH": "/usr/bin:/bin", "DISK": str(disk), "KEPT": str(kept), "TMPDIR": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr, kept / "run"


def assert_one_sentence(code: int, said: str) -> None:
    assert code == 2, said
    assert said.startswith("opsin: received ")
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


def assert_nothing_torn(run: Path) -> None:
    """Whatever is there under its own name is whole."""
    for path in run.rglob("*.safetensors"):
        checkpoint.load(path)
    for path in run.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    assert not list(run.rglob("*.part"))


# 120 pictures take 1.5 MB, a checkpoint of LeNet 0.5 to 0.8 MB, the model 0.25 MB.
@pytest.mark.parametrize("size", ["8k", "1m", "1700k", "2000k", "2400k"])
def test_a_full_disk_ends_in_one_sentence(photos: Path, tmp_path: Path, size: str) -> None:
    code, said, run = train(photos, tmp_path, size, "--epochs", "2")
    assert_one_sentence(code, said)
    assert_nothing_torn(run)
    assert not (run / "model.safetensors").exists()


def test_an_older_model_survives_a_full_disk(photos: Path, tmp_path: Path, trained: Path) -> None:
    old = trained / "model.safetensors"
    code, said, run = train(photos, tmp_path, "2000k", "--epochs", "2", old=old)
    assert_one_sentence(code, said)
    assert_nothing_torn(run)
    assert (run / "model.safetensors").read_bytes() == old.read_bytes()


def test_a_read_only_folder_ends_in_one_sentence(photos: Path, tmp_path: Path) -> None:
    code, said, run = train(photos, tmp_path, "1m", "--epochs", "1", way="read-only")
    assert_one_sentence(code, said)
    assert "Read-only file system" in said
    assert not list(run.iterdir())


def test_the_same_with_room_ends_well(photos: Path, tmp_path: Path) -> None:
    code, said, run = train(photos, tmp_path, "64m", "--epochs", "2")
    assert code == 0, said
    checkpoint.load(run / "model.safetensors")
