"""Training a small net from scratch: images/s beside a plain PyTorch loop and fastai.

    python benchmarks/scratch.py --data FASHION_MNIST [--peer PYTHON_WITH_FASTAI] [--epochs 3]

LeNet-5 on Fashion-MNIST (idx files), batch 256, random shift by up to two pixels and mirroring,
two threads each. Every contestant trains on the same 60,000 pictures; the rate is that of the
training epochs alone, taken inside each process, first epoch left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import harness


def ours(data: Path, epochs: int) -> dict[str, Any]:
    """Train with opsin."""
    script = str(harness.HERE / "peers" / "opsin_scratch.py")
    return last_line(harness.run([sys.executable, script, str(data), str(epochs)]))


def plain(data: Path, epochs: int) -> dict[str, Any]:
    """Train with a DataLoader and the loop of every tutorial."""
    script = str(harness.HERE / "peers" / "plain_scratch.py")
    return last_line(harness.run([sys.executable, script, str(data), str(epochs)]))


def fastai(data: Path, epochs: int, peer: str) -> dict[str, Any]:
    """Train with fastai."""
    script = str(harness.HERE / "peers" / "fastai_scratch.py")
    return last_line(harness.run([peer, script, str(data), str(epochs)]))


def last_line(run: harness.Run) -> dict[str, Any]:
    """Return the JSON a contestant printed last, with the seconds of its whole process."""
    return json.loads(run.output.splitlines()[-1]) | {"whole_process_seconds": run.seconds}


def main() -> None:
    """Run the contestants in turn, several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", help="python of an environment with fastai")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    contestants = {"opsin": ours, "plain PyTorch": plain}
    if given.peer:
        contestants["fastai"] = lambda data, epochs: fastai(data, epochs, given.peer)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for _ in range(given.repeats):
        for name, contest in contestants.items():
            runs[name].append(contest(given.data, given.epochs))
    rates = {
        name: harness.spread([each["images_per_second"] for each in told])
        for name, told in runs.items()
    }
    best = max(rate["median"] for name, rate in rates.items() if name != "opsin")
    results = {
        "images_per_second": rates,
        "test_accuracy": {name: [r["test_accuracy"] for r in told] for name, told in runs.items()},
        "ratio_to_best_peer": rates["opsin"]["median"] / best,
        "left_out": [] if given.peer else ["fastai: no --peer given"],
        "must": "ratio >= 2",
    }
    harness.report("scratch", results)


if __name__ == "__main__":
    main()
