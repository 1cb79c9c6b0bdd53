"""One harness for all benchmarks: commands timed as whole processes, in turn, with their memory.

A result is JSON with the machine, the versions, the commit and n, written to benchmarks/results/.
Ratios are taken within one run of the harness, on the same threads; machines are noisy, so the
median is what counts and the spread is kept beside it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}  # as our command sets it
ROOT = HERE.parent


@dataclass(frozen=True)
class Run:
    """Is one finished process: seconds from start to exit, peak memory, what it printed."""

    seconds: float
    peak_mb: float
    output: str


def run(command: Sequence[str], *, threads: int = 2, env: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, pinned to ``threads`` threads, and measure it as a whole.

    Waiting threads soon sleep: spinning ones lose much to any neighbour. ``env`` adds to or changes
    the environment; an empty word takes a variable out.
    """
    pinned = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    wanted = os.environ | pinned | WAITING | dict(env or {})
    environment = {name: value for name, value in wanted.items() if value}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        output.seek(0)
        errors.seek(0)
        if status != 0:
            sys.exit(f"{' '.join(command)} ended with status {status}:\n{errors.read()}")
        return Run(seconds, usage.ru_maxrss / 1024, output.read())


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Return the median of some values, with their minimum, maximum and n."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "n": len(values),
    }


def mean_sd(values: Sequence[float]) -> dict[str, float | int]:
    """Return mean and standard deviation over seeds, with n."""
    sd = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "sd": sd, "n": len(values)}


def machine() -> dict[str, Any]:
    """Return what the numbers depend on: processor, threads, versions, commit."""
    names = ("opsin", "torch", "torchvision", "timm", "openvino", "numpy", "pillow", "scikit-learn")
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in names},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def report(name: str, results: dict[str, Any]) -> None:
    """Print results and write them, with the machine, to benchmarks/results/NAME.json."""
    plain = {"benchmark": name, "machine": machine(), "results": results}
    text = json.dumps(plain, indent=1, default=lambda thing: asdict(thing))
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1, default=lambda thing: asdict(thing)))
