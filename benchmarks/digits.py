"""Digits and clothes from scratch: whole commands, process start to finished test score.

    python benchmarks/digits.py quick   --data MNIST
    python benchmarks/digits.py best    --data MNIST [--threads 1]
    python benchmarks/digits.py fashion --data FASHION_MNIST

``quick`` is a net like LeNet, ``best`` and ``fashion`` are small nets with a budget of minutes.
Nets and settings were chosen on validation pictures cut from the training set; the test set is
looked at once a seed, by the run itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness


@dataclass(frozen=True)
class Case:
    """Is what is typed after ``opsin train DATA``, over how many seeds, and what it must reach."""

    settings: dict[str, str]
    seeds: int
    must: str


def stack(*widths: int) -> str:
    """Describe a small net in the manner of VGG: 3×3 convolutions with batch norm, each halved."""
    steps = [
        f"conv 3x3x{width} pad 1, bn, pool {2 if width < widths[-1] else 3}" for width in widths
    ]
    return ", ".join([*steps, "dense 10"])


CASES = {
    "quick": Case(
        {
            "net": "conv 5x5x8 pad 2, pool 2, conv 5x5x32, pool 2, dense 128, dense 10",
            "epochs": "5",
            "batch": "256",
            "rate": "0.2",
            "warmup": "0.2",
            "augment": "translate 0.036",
        },
        5,
        "mean >= 0.9925 in <= 40 s",
    ),
    "best": Case(
        {
            "net": stack(16, 32, 64, 128),
            "epochs": "18",
            "rate": "0.1",
            "augment": "rotate 10, translate 0.07, scale 0.9 1.1",
        },
        5,
        "mean >= 0.9960 in 10 minutes",
    ),
    "fashion": Case(
        {
            "net": stack(32, 64, 128, 256),
            "epochs": "24",
            "rate": "0.1",
            "augment": "flip, translate 0.07",
        },
        3,
        "mean >= 0.934 in 10 minutes",
    ),
}


def train(case: Case, data: Path, seed: int, threads: int) -> dict[str, Any]:
    """Run one command in a folder of its own; return its test accuracy and seconds."""
    words = [word for name, value in case.settings.items() for word in (f"--{name}", value)]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "opsin", "train", str(data), "--policy", "scratch", *words]
        command += ["--seed", str(seed), "--out", f"{out}/run", "--json"]
        run = harness.run(command, threads=threads)
        log = (Path(out) / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    said = json.loads(run.output)
    epochs = [event for event in map(json.loads, log) if event["event"] == "epoch"]
    return {
        "seed": seed,
        "seconds": run.seconds,
        "peak_mb": run.peak_mb,
        "accuracy": said["metrics"]["accuracy"],
        "epochs": len(epochs),
        "validation": [epoch["terms"]["validation accuracy"] for epoch in epochs],
    }


def main() -> None:
    """Run one case over its seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, help="else as many as the case asks for")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    case, runs = CASES[given.case], []
    for seed in range(given.seeds or case.seeds):
        runs.append(train(case, given.data, seed, given.threads))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    results = {
        "settings": case.settings,
        "threads": given.threads,
        "accuracy": harness.mean_sd([run["accuracy"]["value"] for run in runs]),
        "seconds": harness.spread([run["seconds"] for run in runs]),
        "must": case.must,
        "runs": runs,
    }
    harness.report(f"digits-{given.case}", results)


if __name__ == "__main__":
    main()
