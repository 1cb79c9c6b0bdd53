"""Photos to a measured model, as whole processes, beside fastai.

    python benchmarks/transfer.py --data CLOTHING [--peer PYTHON_WITH_FASTAI] [--only NAME ...]

CLOTHING is a folder with train/, validation/ and test/ above class folders: the small clothing
data set (CC0, alexeygrigorev/clothing-dataset-small). fastai lives in an environment of its own,
whose python is given with --peer; without it that row is left out, and said to be.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import harness

OPSIN = [sys.executable, "-m", "opsin"]


def train(data: Path, *options: str) -> dict[str, Any]:
    """Train in a new folder; return what was printed, the seconds and the peak memory."""
    folder = tempfile.mkdtemp(prefix="opsin-bench-")
    try:
        done = harness.run(
            [*OPSIN, "train", str(data), "--json", "--out", f"{folder}/run", *options]
        )
        told = json.loads(done.output)
        return told | {"wall": done.seconds, "peak_mb": done.peak_mb}
    finally:
        shutil.rmtree(folder)


def probe(data: Path, repeats: int = 3) -> dict[str, Any]:
    """Time the probe from start to exit."""
    runs = [train(data, "--policy", "probe", "--seed", str(seed)) for seed in range(repeats)]
    return {
        "test_accuracy": harness.mean_sd([r["metrics"]["accuracy"]["value"] for r in runs]),
        "interval_of_first": runs[0]["metrics"]["accuracy"],
        "seconds": harness.spread([r["wall"] for r in runs]),
        "peak_mb": runs[0]["peak_mb"],
        "must": "accuracy >= 0.86 in <= 25 s, peak <= 2500 MB",
    }


def minutes3(data: Path, seeds: int = 3) -> dict[str, Any]:
    """Train for three minutes with several seeds."""
    runs = [train(data, "--minutes", "3", "--seed", str(seed)) for seed in range(seeds)]
    return {
        "test_accuracy": harness.mean_sd([r["metrics"]["accuracy"]["value"] for r in runs]),
        "each": [r["metrics"]["accuracy"] for r in runs],
        "policy": [r["policy"] for r in runs],
        "seconds": harness.spread([r["wall"] for r in runs]),
        "peak_mb": max(r["peak_mb"] for r in runs),
        "must": "mean accuracy >= 0.89 over 3 seeds",
    }


def fastai(data: Path, peer: str) -> dict[str, Any]:
    """Time fastai to one frozen epoch, and the probe with the same weights to that accuracy."""
    script = str(harness.HERE / "peers" / "fastai_transfer.py")
    weights = _mobilenet()
    theirs = harness.run([peer, script, str(data), weights])
    told = json.loads(theirs.output.splitlines()[-1])
    ours = [
        train(data, "--policy", "probe", "--net", "mobilenet_v2", "--seed", str(seed))
        for seed in range(3)
    ]
    seconds = [r["wall"] for r in ours]
    return {
        "fastai": {"seconds": theirs.seconds, **told},
        "opsin": {
            "seconds": harness.spread(seconds),
            "test_accuracy": [r["metrics"]["accuracy"]["value"] for r in ours],
        },
        "ratio": theirs.seconds / statistics.median(seconds),
        "must": "ratio >= 10 with our accuracy at least theirs",
    }


def _mobilenet() -> str:
    from opsin.nets.weights import resolve

    found = resolve("mobilenet_v2")
    assert found is not None
    return str(found.path)


def forward(data: Path) -> dict[str, Any]:
    """Compare features from JPEG files with eager torch, and with decoding and runtime alone."""
    script = str(harness.HERE / "forward.py")
    return dict(json.loads(harness.run([sys.executable, script, str(data)]).output))


def memory(data: Path, images: int = 20_000) -> dict[str, Any]:
    """Predict over many images and look at the peak after few and after all."""
    script = str(harness.HERE / "memory.py")
    done = harness.run([sys.executable, script, str(data), str(images)])
    return dict(json.loads(done.output.splitlines()[-1]))


def startup() -> dict[str, Any]:
    """Time ``import opsin`` and ``opsin --help`` beside an empty interpreter."""
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "import opsin": [sys.executable, "-c", "import opsin"],
        "opsin --help": [*OPSIN, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(15):
        for name, command in commands.items():
            times[name].append(1000 * harness.run(command).seconds)
    return {name: harness.spread(values) for name, values in times.items()} | {"unit": "ms"}


def main() -> None:
    """Run the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", help="python of an environment with fastai")
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    parts = {
        "startup": startup,
        "forward": lambda: forward(given.data),
        "probe": lambda: probe(given.data),
        "fastai": lambda: fastai(given.data, given.peer) if given.peer else "no --peer given",
        "memory": lambda: memory(given.data),
        "minutes3": lambda: minutes3(given.data),
    }
    chosen = given.only or list(parts)
    for name in chosen:
        harness.report(f"transfer-{name}", parts[name]())


if __name__ == "__main__":
    main()
