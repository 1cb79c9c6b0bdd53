"""Shrubs in a large picture: every window cut out, beside contours and a net that slides.

    python benchmarks/locate.py [--size 4000] [--times 5] [--nets small,wide]

After Guirado et al., Deep-learning Versus OBIA for Scattered Shrub Detection, 2017: RGB → grey →
threshold → contours → patches, judged by a classifier of crops. The picture is drawn, dark shrubs
and dark stones on sand, one or the other in each 180 x 180 pixels: 484 candidates of 4,000 x 4,000
pixels, where windows of 80 pixels, 8 apart, are 241,081. One net without padding, learnt from crops
of other drawn pictures with a round of false alarms, judges all three ways; each takes the score of
the best F1 on one more picture. The less a net computes, the more of the candidates' time is taken
by finding and cutting them: there is a small net and a wide one, both far below the study's.
Windows are judged once, the others ``times`` times, in one process, all made ready before; seconds
are those from decoded pixels to boxes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import harness
import numpy as np

import opsin
from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.locate import Searcher
from opsin.locate.crops import Wish, cut
from opsin.locate.scored import measured
from opsin.model import Model
from opsin.proposals import sliding
from opsin.results import Boxes

CELL, RADIUS = 180, (23.0, 29.0)  # pixels
LINES = {
    "small": "conv 5x5x8, pool 2, conv 3x3x16, pool 2, conv 3x3x32, pool 2, conv 3x3x32, global, "
    "dense 2",
    "wide": "conv 5x5x16, pool 2, conv 3x3x32, pool 2, conv 3x3x64, pool 2, conv 3x3x64, global, "
    "dense 2",
}
SIDE = 80  # pixels that the net sees: a window as it is
OBJECT = 80 / 1.5  # of which a window of 80 shows the context, too
WAYS = {
    "windows": f"sliding, scales {OBJECT}, step 0.1, most 1000000",
    "contours": "contour, threshold 110, smallest 200",
    "dense": f"dense, scales {OBJECT}",
}


def drawn(size: int, seed: int, split: str | None = None) -> Sample:
    """Draw a picture of sand with a shrub or a stone in each cell, shrubs as its truth."""
    draws = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(draws.normal(0, 40, (size, size)).astype(np.float32), (0, 0), 3)
    ground = 170 + soft * 2
    tint = np.array([1.0, 0.92, 0.75], np.float32)  # of sand
    picture = ground[..., None] * tint  # (size, size, 3)
    boxes = []
    for top in range(0, size - CELL + 1, CELL):
        for left in range(0, size - CELL + 1, CELL):
            radius = draws.uniform(*RADIUS)
            middle = np.array([left, top]) + draws.uniform(radius * 1.3, CELL - radius * 1.3, 2)
            shrub = bool(draws.random() < 0.6)
            box = _put(picture, middle, radius, shrub, draws)
            if shrub:
                boxes.append(box)
    pixels = np.clip(picture, 0, 255).astype(np.uint8).transpose(2, 0, 1)  # (3, size, size)
    truth = Boxes(np.array(boxes), ("shrub",) * len(boxes), size=(size, size))
    return Sample(pixels, truth, split, name=f"drawn/{seed}")


def _put(
    picture: np.ndarray, middle: np.ndarray, radius: float, shrub: bool, draws: np.random.Generator
) -> list[float]:
    """Draw a round, leafy shrub or a stone with corners, and return its box."""
    corners = 40 if shrub else int(draws.integers(4, 7))
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + draws.uniform(0, np.pi)
    reach = radius * (draws.uniform(0.86, 1.0, corners) if shrub else np.ones(corners))
    outline = middle + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x1, y1 = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(outline.max(axis=0)), picture.shape[1::-1]).astype(int)
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline - [x1, y1]).astype(np.int32)], 255)
    rough = draws.normal(0, 22 if shrub else 4, (*mask.shape, 1))
    colour = np.array([55, 75, 50] if shrub else [75, 68, 62]) + rough
    part = picture[y1:y2, x1:x2]
    part[mask > 0] = colour[mask > 0]
    return [x1, y1, x2, y2]


def learnt(folder: Path, line: str) -> Model:
    """Train on crops of six pictures, and again with what was taken for shrubs in them."""
    data = Dataset(tuple(drawn(1080, 100 + seed) for seed in range(6)))
    recipe = opsin.Recipe(net=line, size=SIDE, policy="scratch", epochs=15, augment="flip")
    wish = Wish(negatives=100, proposals=WAYS["dense"], most=60)
    cut(data, folder / "crops", wish)
    first = opsin.train(folder / "crops", recipe, out=folder / "first")
    cut(data, folder / "hard", wish, first)
    return opsin.train(folder / "hard", recipe, out=folder / "second")


def judged(model: Model, line: str, size: int, times: int) -> dict[str, Any]:
    """Return seconds from pixels to boxes, and how good these are."""
    searcher = Searcher(model, line)
    field, choosing = drawn(size, 0, "test"), drawn(1080, 1, "validation")
    metrics = measured(searcher, Dataset((choosing, field))).metrics  # makes all ready, too
    seconds, found = [], Boxes(np.zeros((0, 4)))
    for _ in range(times):
        began = time.perf_counter()
        found = searcher.find(np.asarray(field.image), metrics["threshold"].value)
        seconds.append(time.perf_counter() - began)
    return {
        "seconds": harness.spread(seconds),
        "said": len(found),
        "true": len(field.truth) if isinstance(field.truth, Boxes) else 0,
        **{name: metric.value for name, metric in metrics.items()},
        "notes": searcher.notes(),
    }


def compared(line: str, size: int, times: int) -> dict[str, Any]:
    """Compare the three ways on one picture, judged by one net."""
    with tempfile.TemporaryDirectory() as folder:
        model = learnt(Path(folder), line)
        runtime = model.runtime.name
        ways = {
            name: judged(model, way, size, 1 if name == "windows" else times)
            for name, way in WAYS.items()
        }
    slow = ways["windows"]
    return {
        "net": line,
        "runtime": runtime,
        "ways": ways,
        "times less": {
            name: slow["seconds"]["median"] / way["seconds"]["median"] for name, way in ways.items()
        },
        "f1 apart": {name: way["f1"] - slow["f1"] for name, way in ways.items()},
    }


def main() -> None:
    """Compare the ways for each net."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--size", type=int, default=4000)
    words.add_argument("--times", type=int, default=5)
    words.add_argument("--nets", default=",".join(LINES), help="joined by commas")
    asked = words.parse_args()
    windows = sliding.Settings(scales=(SIDE,), step=0.1)
    results = {
        "size": asked.size,
        "windows": sliding.count((asked.size, asked.size), windows),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "nets": {
            name: compared(LINES[name], asked.size, asked.times) for name in asked.nets.split(",")
        },
    }
    harness.report("locate" if asked.size == 4000 else f"locate-{asked.size}", results)


if __name__ == "__main__":
    main()
