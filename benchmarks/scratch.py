"""Training a small net from scratch: images/s beside Keras 3, fastai and a plain PyTorch loop.

    python benchmarks/scratch.py --data MNIST [--peer PYTHON_WITH_PEERS] [--net lenet-8-32]

A LeNet on idx files, batch 256, random shift by a pixel, two threads each. Every contestant trains
on the training pictures; the rate is that of the training epochs alone, taken inside each process,
first epoch left out. A waiting thread of ours sleeps, as our command sets it; those of the peers
do what their libraries let them do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness

BACKENDS = ("tensorflow", "jax", "torch")


def contest(python: str, script: str, given: argparse.Namespace, **env: str) -> dict[str, Any]:
    """Run one contestant; return the JSON it printed last, with the seconds of its process."""
    file = str(harness.HERE / "peers" / script)
    command = [python, file, str(given.data), str(given.epochs), given.net]
    run = harness.run(command, env=env)
    return json.loads(run.output.splitlines()[-1]) | {"whole_process_seconds": run.seconds}


def contestants(given: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return who takes part: ours, the plain loop, and what the peers' environment has."""
    free = dict.fromkeys(harness.WAITING, "")
    found = {
        "opsin": lambda: contest(sys.executable, "opsin_scratch.py", given),
        "plain PyTorch": lambda: contest(sys.executable, "plain_scratch.py", given, **free),
    }
    if given.peer and has(given.peer, "fastai"):
        found["fastai"] = lambda: contest(given.peer, "fastai_scratch.py", given, **free)
    for backend in BACKENDS if given.peer and has(given.peer, "keras") else ():
        if has(given.peer, backend):
            found[f"Keras 3 on {backend}"] = lambda backend=backend: contest(
                given.peer, "keras_scratch.py", given, KERAS_BACKEND=backend, **free
            )
    return found


def has(python: str, module: str) -> bool:
    """Say whether an environment has a module."""
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", look]).returncode == 0


def main() -> None:
    """Run the contestants in turn, several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", help="python of an environment with fastai and keras")
    parser.add_argument("--net", default="lenet-8-32", choices=("lenet5", "lenet-8-32"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    taking_part = contestants(given)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in taking_part}
    for _ in range(given.repeats):
        for name, run in taking_part.items():
            runs[name].append(run())
    rates = {
        name: harness.spread([each["images_per_second"] for each in told])
        for name, told in runs.items()
    }
    best = max((name for name in rates if name != "opsin"), key=lambda n: rates[n]["median"])
    results = {
        "net": given.net,
        "images_per_second": rates,
        "test_accuracy": {name: [r["test_accuracy"] for r in told] for name, told in runs.items()},
        "best_peer": best,
        "ratio_to_best_peer": rates["opsin"]["median"] / rates[best]["median"],
        "must": "ratio >= 3",
    }
    harness.report(f"scratch-{given.net}", results)


if __name__ == "__main__":
    main()
