"""Detectors on real boxes: whole runs within a budget, judged once on pictures held out.

    python benchmarks/detectors.py raccoon --data ROOT [--nets yolo] [--minutes 10] [--seeds 0,1]
    python benchmarks/detectors.py raccoon --data ROOT --nets all --minutes 3 --add
    python benchmarks/detectors.py deeppcb --data ROOT --minutes 20
    python benchmarks/detectors.py neon-trees --data ROOT --minutes 15

ROOT holds the data sets, each in a folder of its name. ``raccoon`` is split 160 to 40 by a fixed
seed, ``deeppcb`` as its authors did, ``neon-trees`` in space: its large picture's left three
quarters teach, the rest is held out, and its two small pictures, of other sites, are judged beside
it as transfer. These are cut into tiles that overlap, so that some trees count twice. What is held
out of the training part to choose the epoch and the threshold is the run's own affair. A run is a
process; its seconds are those from start to exit.
Milliseconds a picture are those from JPEG to boxes, one picture after the other. ``windows`` is no
detector: a classifier, learnt from crops in as many minutes, judges windows that slide, squares as
large as small, middling and large objects are. With ``--add`` runs join those in the file of
results, which names the commit and threads of each.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import harness
import numpy as np

import opsin
from opsin.data import tiles
from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Boxes

SPLIT = 0  # seed of the split of raccoon
TILE = 320  # pixels of a tile of the aerial picture
PARTS = "train 0 0 0.6 1, validation 0.6 0 0.75 1, test 0.75 0 1 1"
WINDOWS = "windows"
NAMES = ("yolo", "yolo9000", "ssd", "faster_rcnn", "fast_rcnn", "rcnn", "rfcn", WINDOWS)


def raccoon(root: Path) -> Dataset:
    """Return 160 pictures to learn from and 40 to be judged on, the same each time."""
    data = Dataset.read(root / "raccoon")
    order = np.random.default_rng(SPLIT).permutation(len(data))
    held_out = set(order[: len(data) // 5].tolist())
    return data.keep(
        replace(sample, split="test" if place in held_out else "train")
        for place, sample in enumerate(data.samples)
    )


def deeppcb(root: Path) -> Dataset:
    """Return circuit boards as their authors split them."""
    return Dataset.read(root / "deeppcb")


def neon_trees(root: Path) -> Dataset:
    """Return tiles of the large picture's left part to learn from, and of its right part."""
    data = Dataset.read(root / "neon-trees")
    large = max(data.samples, key=lambda sample: len(sample.truth.boxes))
    return _tiles(data.keep([large]), PARTS)


def other_sites(root: Path) -> dict[str, Dataset]:
    """Return tiles of each of the small pictures, by its name."""
    data = Dataset.read(root / "neon-trees")
    small = sorted(data.samples, key=lambda sample: len(sample.truth.boxes))[:-1]
    return {Path(sample.image).stem: _tiles(data.keep([sample])) for sample in small}


def _tiles(data: Dataset, parts: str = "test 0 0 1 1") -> Dataset:
    """Cut one large picture, all crowns under one name, whatever state they are in."""
    one = data.keep([replace(sample, truth=_trees(sample.truth)) for sample in data.samples])
    folder = Path(tempfile.mkdtemp()) / "tiles"
    return tiles.cut(one, tiles.Tiling(TILE, 0.3, tiles.parts_of(parts)), folder)


def _trees(truth: Boxes) -> Boxes:
    """Return all crowns under one name, whatever state they are in."""
    return replace(truth, names=("Tree",) * len(truth))


@dataclass(frozen=True)
class Case:
    """Is a data set, what a run on it is given, and what it must reach."""

    read: Callable[[Path], Dataset]
    settings: dict[str, Any]
    minutes: float
    must: str
    elsewhere: Callable[[Path], dict[str, Dataset]] = field(default=lambda root: {})


CASES = {
    "raccoon": Case(raccoon, {}, 10, "ap50 >= 0.85 (mean of 3) in 10 minutes"),
    "deeppcb": Case(deeppcb, {"size": 448}, 20, "ap50 >= 0.90 (mean of 3) in 20 minutes"),
    "neon-trees": Case(
        neon_trees,
        {"size": 640},
        15,
        "recall and precision >= 0.60 at an IoU of 0.4 in 15 minutes",
        other_sites,
    ),
}


def one(case: Case, root: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Train and judge once, in this process; return the scores and milliseconds a picture."""
    data = case.read(root)
    if settings["net"] == WINDOWS:
        return windows(data, settings)
    with tempfile.TemporaryDirectory() as out:
        model = opsin.train(data, opsin.Recipe(**settings), out=Path(out) / "run")
    asked = data.split("test").samples
    model.predict(asked[0].image)  # compiled and warm
    began = time.perf_counter()
    for sample in asked:
        model.predict(sample.image)
    each = (time.perf_counter() - began) / len(asked)
    return {
        "metrics": {name: m["value"] for name, m in model.about["metrics"].items()},
        "intervals": model.about["metrics"],
        "threshold": model.task.state["threshold"],
        "net": model.net_name,
        "runtime": model.runtime.name,
        "milliseconds": 1000 * each,
        "seconds_told": model.about["seconds"],
        "elsewhere": {
            name: {"objects": sum(len(sample.truth) for sample in other.samples)}
            | at_iou(model, other.samples, 0.4)
            for name, other in case.elsewhere(root).items()
        },
    } | at_iou(model, asked, 0.4)


def windows(data: Dataset, settings: dict[str, Any]) -> dict[str, Any]:
    """Train a classifier of crops, let windows slide, and judge what it finds."""
    from opsin.locate import Searcher, crops, scored

    known = data.keep(sample for sample in data.samples if sample.split != "test")
    line = crops.usual(known)
    recipe = opsin.Recipe(**{name: settings[name] for name in ("minutes", "seed")})
    with tempfile.TemporaryDirectory() as out:
        crops.cut(known, Path(out) / "crops", crops.Wish(seed=settings["seed"], context=0.0))
        model = opsin.train(Path(out) / "crops", recipe, out=Path(out) / "run")
    searcher, asked = Searcher(model, line, context=0.0), data.split("test").samples
    found = scored.measured(searcher, data)  # makes all ready, too
    began = time.perf_counter()
    list(searcher.iterate([sample.image for sample in asked]))
    return {
        "metrics": {name: m.value for name, m in found.metrics.items()},
        "intervals": {name: m.to_dict() for name, m in found.metrics.items()},
        "net": model.net_name,
        "proposals": line,
        "runtime": model.runtime.name,
        "milliseconds": 1000 * (time.perf_counter() - began) / len(asked),
    }


def at_iou(model: opsin.Model, asked: tuple[Sample, ...], iou: float) -> dict[str, Any]:
    """Return precision and recall at the model's operating point, boxes right from ``iou`` on."""
    from opsin.metrics.detection_counts import counts
    from opsin.metrics.matches import match
    from opsin.tasks._located import Found

    said = [answer.result for answer in model.predict([sample.image for sample in asked])]
    found = Found(model.classes, said, [sample.truth for sample in asked])
    matches = match(found.said, found.truth, (iou,))
    total = counts(matches, found.said, found.truth, found.images).total()
    return {f"at {iou}": {"precision": float(total.precision), "recall": float(total.recall)}}


def main() -> None:
    """Run one case over nets and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--nets", default="yolo", help="joined by commas, or all")
    parser.add_argument("--minutes", type=float, help="else those of the case")
    parser.add_argument("--seeds", default="0,1,2", help="joined by commas")
    parser.add_argument("--add", action="store_true", help="to the runs in the file of results")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", default="{}", help="further settings as JSON")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    case = CASES[given.case]
    if given.one:
        print(json.dumps(one(case, given.data, json.loads(given.set))))
        return
    runs = _runs(given.case) if given.add else {}
    for net in NAMES if given.nets == "all" else given.nets.split(","):
        for seed in map(int, given.seeds.split(",")):
            settings = case.settings | json.loads(given.set)
            settings |= {"net": net, "minutes": given.minutes or case.minutes, "seed": seed}
            command = [sys.executable, __file__, given.case, "--data", str(given.data), "--one"]
            run = harness.run([*command, "--set", json.dumps(settings)], threads=given.threads)
            done = json.loads(run.output.splitlines()[-1]) | {"settings": settings}
            done |= {"seconds": run.seconds, "peak_mb": run.peak_mb, "threads": given.threads}
            print(net, json.dumps(done), file=sys.stderr, flush=True)
            if given.add:  # another process may have written meanwhile
                runs = _runs(given.case)
            named = f"{net}, {settings['minutes']:g} minutes"  # what had more time is another row
            runs.setdefault(named, []).append(done | {"commit": harness.machine()["commit"]})
            results = {"must": case.must, "nets": {name: summary(r) for name, r in runs.items()}}
            harness.report(f"detectors-{given.case}", results)


def _runs(case: str) -> dict[str, list[dict[str, Any]]]:
    """Return the runs in the file of results, by net and minutes."""
    file = harness.HERE / "results" / f"detectors-{case}.json"
    if not file.exists():
        return {}
    nets = json.loads(file.read_text())["results"]["nets"]
    return {name: found["runs"] for name, found in nets.items()}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over the runs of one net, and the runs."""
    return {
        "ap50": harness.mean_sd([r["metrics"]["ap50"] for r in runs]),
        "f1": harness.mean_sd([r["metrics"]["f1"] for r in runs]),
        "milliseconds": harness.spread([r["milliseconds"] for r in runs]),
        "seconds": harness.spread([r["seconds"] for r in runs]),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
