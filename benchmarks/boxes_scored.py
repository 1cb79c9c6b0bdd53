"""COCO's twelve numbers: seconds beside pycocotools and faster-coco-eval, and how far they differ.

    pip install pycocotools faster-coco-eval
    python benchmarks/boxes_scored.py [TIMES]

Boxes are drawn: half of those said near a true one, half anywhere. All are judged in one process in
turn, ``TIMES`` times, seconds of processor time; bringing boxes into a peer's form is not counted.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import time
from typing import Any

import harness
import numpy as np

from opsin.metrics.average_precision import IOUS, coco, mean_precision, ranked
from opsin.metrics.detections import Said, Truths, said, truths
from opsin.metrics.matches import match

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
PEERS = {
    "pycocotools": ("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
    "faster-coco-eval": ("faster_coco_eval", "faster_coco_eval", "COCOeval_faster"),
}
CASES = [  # pictures, boxes said and true in each, classes, peers
    (500, 100, 10, 20, ["pycocotools", "faster-coco-eval"]),
    (5000, 100, 10, 80, ["faster-coco-eval"]),
    (5000, 100, 100, 1, ["faster-coco-eval"]),
]


def drawn(images: int, many: int, true: int, classes: int) -> tuple[Said, Truths]:
    """Draw boxes in quarters of a pixel, so that no form rounds them."""
    draws = np.random.default_rng(0)

    def boxes(n: int) -> tuple[np.ndarray, np.ndarray]:
        corner = np.rint(draws.uniform(0, 2000, (n, 2))) / 4
        sides = np.rint(4 * np.exp(draws.uniform(2, 5, (n, 2)))) / 4
        return np.concatenate([corner, corner + sides], axis=1), sides

    image, label = np.repeat(np.arange(images), true), draws.integers(0, classes, images * true)
    known, sides = boxes(len(image))
    near = (
        draws.integers(0, true, (images, many // 2)) + np.arange(images)[:, None] * true
    ).ravel()
    shaken = draws.normal(0, 0.1, (len(near), 4)) * np.tile(sides[near], 2)
    moved = np.rint(4 * (known[near] + shaken)) / 4
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    ghosts = boxes(images * (many - many // 2))[0]
    where = np.concatenate([image[near], np.repeat(np.arange(images), many - many // 2)])
    called = np.concatenate([label[near], draws.integers(0, classes, len(ghosts))])
    one = said(where, called, np.concatenate([moved, ghosts]), draws.random(len(where)))
    return one, truths(image, label, known)


def peer(name: str, one: Said, other: Truths, images: int, classes: int) -> tuple[Any, float]:
    """Return a peer's twelve numbers and its seconds."""
    home, judge, kind = PEERS[name]

    def rows(columns: Said | Truths) -> list[dict[str, Any]]:
        places = zip(columns.image.tolist(), columns.label.tolist(), columns.boxes, strict=True)
        return [
            {
                "image_id": i + 1,
                "category_id": k + 1,
                "bbox": [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
            }
            for i, k, box in places
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        known = importlib.import_module(home).COCO()
        known.dataset = {
            "images": [{"id": i + 1} for i in range(images)],
            "categories": [{"id": k + 1, "name": str(k)} for k in range(classes)],
            "annotations": [
                {**row, "id": g + 1, "area": float(other.area[g]), "iscrowd": 0}
                for g, row in enumerate(rows(other))
            ],
        }
        known.createIndex()
        scored = [
            {**row, "score": score}
            for row, score in zip(rows(one), one.scores.tolist(), strict=True)
        ]
        found = known.loadRes(scored)
        began = time.process_time()
        judged = getattr(importlib.import_module(judge), kind)(known, found, "bbox")
        judged.evaluate()
        judged.accumulate()
        seconds = time.process_time() - began
        judged.summarize()
    return np.asarray(judged.stats[:12], np.float64), seconds


def main() -> None:
    """Judge every case in turn and report."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    results: dict[str, Any] = {}
    for images, many, true, classes, peers in CASES:
        one, other = drawn(images, many, true, classes)
        seconds: dict[str, list[float]] = {name: [] for name in ["opsin", *peers]}
        apart: dict[str, float] = {}
        for _ in range(times):
            began = time.process_time()
            ours = coco(one, other, images, classes)
            seconds["opsin"].append(time.process_time() - began)
            for name in peers:
                theirs, took = peer(name, one, other, images, classes)
                seconds[name].append(took)
                apart[name] = float(np.abs(theirs - [ours[n] for n in NAMES]).max())
        intervals = {}
        for metric, ious in {"AP50": (0.5,), "AP": IOUS}.items():
            table = ranked(match(one, other, ious), one, other, images, classes)
            began = time.process_time()
            mean_precision(table)
            intervals[metric] = time.process_time() - began
        results[f"{images} pictures, {many} said, {true} true, {classes} classes"] = {
            "seconds": {name: harness.spread(values) for name, values in seconds.items()},
            "largest difference": apart,
            "interval, seconds": intervals,
        }
    harness.report("boxes_scored", results)


if __name__ == "__main__":
    main()
