"""From JPEG to boxes: a detector of ours beside torchvision's SSDLite320, on the same photos.

    python benchmarks/boxes_forward.py --data ROOT [--model FILE] [--times 5]

ROOT holds ``raccoon``. Without FILE, a yolo on MobileNetV2 at 320 px is trained on it for two
minutes, 40 photos held out, which say what 8 bits cost; ``int8`` is that model after ``opsin
quantize``. The peer is
``ssdlite320_mobilenet_v3_large``, eager, given torchvision's own decoder and ``inference_mode``, in
six ways: as it comes and channels last, batches of 1, 8 and 32. Its way is the one with the least
median over all runs. Its weights are drawn and nothing reaches its threshold, so that it has no
boxes to suppress, which favours it. All see every photo of the set, and have seen them once before;
files are in the page cache. Contestants are processes of their own, in turn, two threads each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import detectors
import harness

import opsin
from opsin.data.dataset import Dataset

BATCHES = (1, 8, 32)


def ours(model: Path, photos: list[Path]) -> dict[str, Any]:
    """Return seconds a photo, many at a time and one after the other, of a model file."""
    loaded = opsin.Model.load(model)
    loaded.predict(photos)  # compiled and warm, as the peer is
    many, found = timed(lambda: loaded.predict(photos))
    each, _ = timed(lambda: [loaded.predict(photo) for photo in photos])
    boxes = sum(len(said.result) for said in found if said.result is not None)
    rest = {"net": loaded.net_name, "runtime": loaded.runtime.name, "boxes": boxes}
    return {"many": many / len(photos), "each": each / len(photos)} | rest


def peer(photos: list[Path]) -> dict[str, Any]:
    """Return seconds a photo of torchvision's SSDLite320, at its best and one after the other."""
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    net = ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=2, score_thresh=1.0
    ).eval()

    def found(batch: int) -> None:
        for start in range(0, len(photos), batch):
            files = photos[start : start + batch]
            pixels = [decode_image(str(file), ImageReadMode.RGB).float() / 255 for file in files]
            net(pixels)

    seconds: dict[str, float] = {}
    with torch.inference_mode():
        for layout in ("contiguous_format", "channels_last"):
            net.to(memory_format=getattr(torch, layout))
            found(len(photos) // 4)  # warm
            for batch in BATCHES:
                taken, _ = timed(lambda batch=batch: found(batch))
                seconds[f"{layout} {batch}"] = taken / len(photos)
    return seconds


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a piece of work took, and what it gave."""
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def trained(data: Dataset, folder: Path) -> Path:
    """Train a detector for two minutes."""
    recipe = opsin.Recipe(net="yolo", backbone="mobilenet_v2", size=320, minutes=2)
    opsin.train(data, recipe, out=folder / "run")
    return folder / "run" / "model.safetensors"


def main() -> None:
    """Measure both in turn and write benchmarks/results/boxes_forward.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--who", choices=("ours", "int8", "peer"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    photos = sorted((given.data / "raccoon").rglob("*.jpg"))
    if given.who:
        print(json.dumps(peer(photos) if given.who == "peer" else ours(given.model, photos)))
        return
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "int8": [], "peer": []}
    with tempfile.TemporaryDirectory() as folder:
        data = detectors.raccoon(given.data)  # 160 to learn from, 40 held out
        model = given.model or trained(data, Path(folder))
        eight = Path(folder) / "int8.safetensors"
        costs = opsin.verbs.quantize(model, data, out=eight).to_dict() | {"model": ""}
        files = {"ours": model, "int8": eight, "peer": model}
        for _ in range(given.times):
            for who, done in runs.items():
                command = [sys.executable, __file__, "--data", str(given.data), "--who", who]
                command += ["--model", str(files[who])]
                done.append(json.loads(harness.run(command).output))
                print(who, json.dumps(done[-1]), file=sys.stderr, flush=True)
    results = {"photos": len(photos), "must": "ratio of many >= 5", **compared(runs)}
    results |= {"costs of 8 bits": costs, "runs": runs}
    harness.report("boxes_forward", results)


def compared(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return milliseconds a photo and, run by run, how many times as long the peer takes."""
    ways = {  # ours, and the peer's
        "many": ("many", best(runs["peer"], "")),
        "many, as it comes": ("many", best(runs["peer"], "contiguous")),
        "each": ("each", best(runs["peer"], " 1")),
    }
    ratio: dict[str, Any] = {}
    theirs = {f"{name} ({way})": spread(runs["peer"], way) for name, (_, way) in ways.items()}
    taken = {"peer": theirs}
    for who in ("ours", "int8"):
        pairs = list(zip(runs[who], runs["peer"], strict=True))
        ratio[who] = {
            name: harness.spread([other[way] / mine[own] for mine, other in pairs])
            for name, (own, way) in ways.items()
        }
        taken[who] = {own: spread(runs[who], own) for own in ("many", "each")}
    return {"ratio": ratio, "milliseconds": taken}


def best(runs: list[dict[str, Any]], part: str) -> str:
    """Return the way with ``part`` in its name whose median over the runs is least."""
    named = [way for way in runs[0] if part in way]
    return min(named, key=lambda way: statistics.median(run[way] for run in runs))


def spread(runs: list[dict[str, Any]], way: str) -> dict[str, Any]:
    """Return the spread of the milliseconds that one way took."""
    return harness.spread([1000 * run[way] for run in runs])


if __name__ == "__main__":
    main()
