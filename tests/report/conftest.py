"""Two stories to tell: an everyday one, and one whose every word and number is hostile."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from opsin.data.preprocess import Preprocessing
from opsin.events import Epoch, Finished, Planned, Problem
from opsin.figures import Bars, Lines, Matrix, Measures, Metric
from opsin.recipe import Recipe
from opsin.report import Picture, Story

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single'",
    "قميص طويل الأكمام",
    "👗👠",
    "a" * 180,
    "连衣裙和衬衫以及鞋子",
    "tab\tline\n\x00\x1b[31m",
    "\udcff surrogate",
    "]]>",
    "-->",
    "' onload='alert(1)",
    "http://example.org/x.js",
)


def _image(seed: int, tall: int = 60, wide: int = 45, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (channels, tall, wide), dtype=np.uint8)


@pytest.fixture
def everyday() -> Story:
    """Tell a run on three classes, with everything a page can show."""
    classes = ("boot", "hat", "shirt")
    confusion = ((40, 1, 2), (0, 30, 3), (4, 5, 115))
    rows = {
        "boot": {"precision": 40 / 44, "recall": 40 / 43, "f1": 0.9195, "n": 43},
        "hat": {"precision": 30 / 36, "recall": 30 / 33, "f1": 0.8696, "n": 33},
        "shirt": {"precision": 115 / 120, "recall": 115 / 124, "f1": 0.9426, "n": 124},
    }
    metrics = {
        "accuracy": Metric(0.925, 0.885, 0.96, 200),
        "macro_f1": Metric(0.91057, 0.861, 0.9521, 200),
        "log_loss": Metric(0.21349, 0.15, 0.29, 200),
        "calibration_error": Metric(0.031, 0.02, 0.06, 200),
    }
    points = tuple((x / 10, x / 10 - 0.03) for x in range(4, 11))
    figures = (
        Lines("Reliability", "score", "share right", {"model": points}, diagonal=True),
        Bars("Pictures at each score", "pictures", {"low": 12.0, "high": 188.0}),
    )
    wrong = Picture(_image(1), "hat", "shirt", 0.97, "test/shirt/7.jpg")
    return Story(
        title="shoes & hats",
        task="classify",
        net="lenet5",
        policy="probe",
        when="2026-11-21 03:15",
        seconds=93.2,
        better="accuracy",
        held_out=Measures(metrics, rows, confusion, classes, figures),
        counts={name: {"train": 300, "test": int(row["n"])} for name, row in rows.items()},
        pictures={"train": 300 * len(rows), "test": sum(int(row["n"]) for row in rows.values())},
        sizes=((400, 300), (640, 480), (300, 400)),
        problems=tuple(Problem("truncated", f"{i}.jpg", "the file ends early") for i in range(25)),
        epochs=tuple(
            Epoch(
                "full", e, 3, 10 * e, 1.0, {"train_loss": 1 / e, "validation_loss": 1.2 / e}, e == 3
            )
            for e in (1, 2, 3)
        ),
        plan=Planned((("features", 10.0), ("full", 80.0)), 120.0),
        parts=(Finished("features", 9.5, "306 images/s"), Finished("full", 83.0)),
        notes=("The lower layers stay frozen.",),
        baselines={
            "commonest class": Measures({"accuracy": Metric(0.62, 0.55, 0.69, 200)}, {}, (), ()),
        },
        mistakes=(wrong,),
        suspects=(replace(wrong, path="train/hat/2.jpg"),),
        samples=(Picture(_image(2, channels=1), "hat", "hat", 0.9),),
        speed={"Prediction": (679.6, "images/s")},
        weights="none",
        licence="Apache-2.0",
        model="runs/shoes/model.safetensors",
        model_bytes=13_704_192,
        sha256="ab" * 32,
        recipe=Recipe(minutes=2),
        preprocessing=Preprocessing((28, 28)),
        versions={"opsin": "0.1.0"},
        commands=("opsin train shoes --minutes 2",),
    )


@pytest.fixture
def hostile(everyday: Story) -> Story:
    """Tell a run on a hundred classes with names and numbers that nobody wishes for."""
    nan, rng = math.nan, np.random.default_rng(0)
    names = tuple(sorted((*HOSTILE, *(f"class {i:02}" for i in range(100 - len(HOSTILE))))))
    counts = np.diag(rng.integers(3, 20, 100)) + rng.integers(0, 2, (100, 100))
    counts[7] = 0
    rows = {name: {"recall": nan if i % 9 else 0.5, "n": 5} for i, name in enumerate(names)}
    metrics = {
        "accuracy": Metric(0.61234, 0.58, 0.64, 1500),
        "odd <b>": Metric(nan, nan, nan, 0),
        "log_loss": Metric(1e-5, 0.0, math.inf, 3),
    }
    figures = (
        Lines("empty", "x", "y", {}),
        Lines(HOSTILE[0], HOSTILE[1], HOSTILE[4], dict.fromkeys(HOSTILE, ((0.0, nan), (1.0, 2.0)))),
        Bars("none", "", {}),
        Bars(HOSTILE[0], HOSTILE[0], {"a": -3.0, HOSTILE[4]: nan, HOSTILE[2]: 2.0}),
        Matrix("not square", HOSTILE[:2], HOSTILE[2:5], ((0.0, 1.0, 2.5), (0.0, 0.0, 0.0))),
    )
    word = HOSTILE[0]
    return replace(
        everyday,
        title=word + "x" * 200,
        net="n" * 120,
        split="validation",
        held_out=Measures(metrics, rows, tuple(map(tuple, counts.tolist())), names, figures),
        counts={name: {"train": 3, "validation": 5} for name in names},
        pictures={"train": 3 * len(names), "validation": 5 * len(names)},
        problems=tuple(Problem(w, w, w) for w in HOSTILE),
        notes=HOSTILE,
        baselines={
            w: Measures({"accuracy": Metric(0.6, 0.5, 0.7, 3)}, {}, (), ()) for w in HOSTILE
        },
        mistakes=tuple(Picture(_image(3, 2, 300), w, w, None, w) for w in HOSTILE),
        speed={HOSTILE[4]: (nan, word)},
        weights=HOSTILE[4],
        model=HOSTILE[7],
        parts=tuple(Finished(w, nan, w) for w in HOSTILE),
        versions={word: word},
        commands=HOSTILE,
    )
