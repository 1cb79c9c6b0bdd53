"""Augmentation: images/s beside torchvision, kornia, albumentations and Pillow, and what it costs.

    python benchmarks/augment.py --peer PYTHON_WITH_PEERS [--data MNIST]

Single operations and chains, 28x28 grey and 224x224 colour, batches of 1 and 128: the cases stand
in peers/augment_cases.py. Every contestant is a process of its own with two threads; all have their
turn, several times. Pictures are uint8 in memory, in the layout each likes best; what comes out is
a normalised float32 tensor of the same size, and every picture has draws of its own. Where a peer
draws once for a whole batch, that is shown beside and is not what is compared with.

With ``--data`` LeNet-5 is trained on MNIST through our verb, with and without augmentation.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import harness

FREE = {"OMP_WAIT_POLICY": ""}  # peers do what their libraries let them do
PEERS = {
    "torchvision": ["augment_torchvision.py"],
    "torchvision, one draw a batch": ["augment_torchvision.py", "together"],
    "kornia": ["augment_kornia.py"],
    "albumentations": ["augment_albumentations.py"],
    "albumentations, two threads": ["augment_albumentations.py", "threads"],
    "Pillow": ["augment_pillow.py"],
}
BESIDE = "torchvision, one draw a batch"
MUST = {
    "28 chain batch 128": (5.0, ("torchvision", "kornia", "albumentations", "Pillow")),
    "224 chain batch 128": (2.0, ("torchvision", "kornia")),
}
ON_ARRAYS = ("224 chain batch 128", 1.0, ("albumentations", "albumentations, two threads"))


def rates(python: str, words: list[str], threads: int, **env: str) -> dict[str, float]:
    """Run one contestant; return its images/s by case."""
    script = str(harness.HERE / "peers" / words[0])
    run = harness.run([python, script, *words[1:]], threads=threads, env=env)
    found: dict[str, float] = json.loads(run.output.splitlines()[-1])
    return found


def contest(peer: str, repeats: int, threads: int) -> dict[str, dict[str, Any]]:
    """Return for each case the spread of images/s of every contestant, in turns."""
    told: dict[str, dict[str, list[float]]] = {}
    for _ in range(repeats):
        done = {"opsin": rates(sys.executable, ["augment_opsin.py"], threads)}
        done |= {name: rates(peer, words, threads, **FREE) for name, words in PEERS.items()}
        for name, found in done.items():
            for case, rate in found.items():
                told.setdefault(case, {}).setdefault(name, []).append(rate)
    return {
        case: {name: harness.spread(values) for name, values in by_name.items()}
        for case, by_name in told.items()
    }


def ratio(case: dict[str, Any], against: tuple[str, ...]) -> dict[str, Any]:
    """Return how many times faster we are than the fastest of some contestants."""
    best = max((name for name in against if name in case), key=lambda n: case[n]["median"])
    return {"peer": best, "ratio": case["opsin"]["median"] / case[best]["median"]}


def verdict(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what was asked for beside what was measured, and every ratio."""
    every = {
        case: ratio(found, tuple(name for name in found if name not in ("opsin", BESIDE)))
        for case, found in cases.items()
    }
    asked = {
        f"{name} against {', '.join(against)}": {"must": must, **ratio(cases[name], against)}
        for name, (must, against) in MUST.items()
    }
    name, must, against = ON_ARRAYS
    asked[f"{name} against albumentations"] = {"must": must, **ratio(cases[name], against)}
    return {"asked": asked, "fastest_peer": every}


def epochs(data: Path, repeats: int, threads: int) -> dict[str, Any]:
    """Return the seconds of a LeNet epoch on MNIST, with and without augmentation, in turns."""
    seconds: dict[str, list[float]] = {"none": [], "rotation-elastic": []}
    for _ in range(repeats):
        for line, found in seconds.items():
            script = str(harness.HERE / "peers" / "augment_epoch.py")
            run = harness.run([sys.executable, script, str(data), line], threads=threads)
            found.append(json.loads(run.output.splitlines()[-1])["seconds"])
    pairs = zip(seconds["rotation-elastic"], seconds["none"], strict=True)
    return {
        "seconds": {line: harness.spread(found) for line, found in seconds.items()},
        "ratio": statistics.median(with_it / without for with_it, without in pairs),
        "must": "ratio <= 1.3",
    }


def main() -> None:
    """Run all contestants and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="python of an environment with the peers")
    parser.add_argument("--data", type=Path, help="a folder with the idx files of MNIST")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of every contestant")
    given = parser.parse_args()
    cases = contest(given.peer, given.repeats, given.threads)
    results: dict[str, Any] = {"threads": given.threads, **verdict(cases)}
    results["images_per_second"] = cases
    if given.data:
        results["lenet_epoch"] = epochs(given.data, given.repeats, given.threads)
    harness.report("augment", results)


if __name__ == "__main__":
    main()
