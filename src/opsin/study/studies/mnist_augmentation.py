"""Which augmentation helps which net on MNIST, and what do votes add?

The study of Tabik, Peralta, Herrera-Poyatos and Herrera, "A snapshot of image pre-processing for
convolutional neural networks: case study of MNIST", International Journal of Computational
Intelligence Systems 10, 2017, with its table beside ours.

``full`` is theirs: three nets, twelve sets with as many distinct pictures as they had (copies),
both schedules, five seeds. LeNet is that of Caffe's example (20 and 50 filters, 500 units; they
write "two convolutions and two dense layers").

``laptop`` ends within 20 minutes on two cores (Zen 4). It leaves out: the longer schedules, the
copies (every epoch draws anew), ten of twelve sets for Network3 and DropConnect, two of five seeds,
and most of the pictures that each net sees. LeNet has 8 and 32 filters and 128 units. It adds a
small net of today with batch norm and a mild set, five times, to vote with.

They train on all 60,000 pictures; here 5,000 of them are held out to choose the best epoch by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from opsin.files import write_json
from opsin.report.study_story import Setting
from opsin.study import votes
from opsin.study.plan import Plan, preset_of
from opsin.study.rows import read

LENET = "conv 5x5x20, pool 2, conv 5x5x50, pool 2, dense 500, dense 10"
SMALL_LENET = "conv 5x5x8 pad 2, pool 2, conv 5x5x32, pool 2, dense 128, dense 10"
TODAY = (
    "conv 5x5x16, pool 2, bn, conv 3x3x32, bn, conv 3x3x64, pool 2, bn, conv 3x3x128, bn, dense 10"
)
MILD = "rotate 10, translate 0.07, scale 0.9 1.1"
LABELS = {
    LENET: "LeNet",
    SMALL_LENET: "LeNet",
    "network3": "Network3",
    "dropconnect": "DropConnect",
    TODAY: "Four convolutions",
}
FEW = 3  # seeds of what is there to compare, not to vote, in the shorter study
TRAINED = 55_000  # pictures
BATCH = 64  # of theirs, of which LeNet takes 10,000 or 50,000

# From their tables 3 to 5, as in the lecture: % right on the test set, mean of five (best of five).
TABLE = """
original                 99.08 (99.18)  99.05 (99.21)  99.01 (99.07)  99.25 (99.25)  98.32 (98.83)  98.98 (98.99)
centred                  98.85 (99.06)  98.95          98.73 (98.80)  98.97 (99.01)  95.35          95.13
elastic                  99.09 (99.19)  99.36 (99.44)  99.49 (99.54)  99.61 (99.67)  99.33 (99.35)  99.36 (99.36)
translation              99.09 (99.32)  99.30 (99.41)  99.49 (99.55)  99.59 (99.63)  99.43 (99.46)  99.47 (99.47)
rotation                 99.05 (99.10)  99.25 (99.37)  99.44 (99.50)  99.44 (99.50)  99.18 (99.29)  99.37 (99.47)
elastic-centred          99.17 (99.26)  99.27 (99.36)  99.32 (99.39)  99.57 (99.60)  96.58 (96.69)  97.08 (97.09)
rotation-centred         98.90 (99.07)  99.19 (99.33)  98.88 (98.94)  99.31 (99.32)  98.30 (98.41)  98.55 (98.63)
translation-elastic      99.18 (99.32)  99.39 (99.54)  99.54 (99.57)  99.58 (99.63)  99.40 (99.57)  99.58 (99.58)
translation-rotation     99.16 (99.40)  99.40          99.57 (99.61)  99.58 (99.60)  99.57 (99.59)  99.69 (99.69)
rotation-elastic         99.31 (99.39)  99.47 (99.57)  99.62 (99.67)  99.67 (99.69)  99.54 (99.60)  99.56 (99.56)
rotation-elastic-centred 99.19 (99.24)  99.43 (99.52)  99.43 (99.51)  99.51 (99.52)  99.47 (99.49)  99.44 (99.46)
elastic-elastic          99.27 (99.45)  99.40 (99.50)  99.65 (99.66)  99.67 (99.70)  99.58 (99.59)  99.59 (99.61)
"""  # noqa: E501
SOURCE = "Tabik et al., IJCIS 10, 2017"
SCHEDULES = (
    ("LeNet", "10,000 steps"),
    ("LeNet", "50,000 steps"),
    ("Network3", "10 passes"),
    ("Network3", "20 passes"),
    ("DropConnect", "100 passes"),
    ("DropConnect", "200 passes"),
)


def published() -> Iterator[tuple[str, tuple[str, str], float, float | None]]:
    """Yield set, (net, schedule), mean and best of five, as shares, of their tables.

    >>> list(published())[0]
    ('original', ('LeNet', '10,000 steps'), 0.9908, 0.9918)
    >>> len(list(published())), list(published())[6][3]
    (72, 0.9906)
    """
    for line in TABLE.strip().splitlines():
        name, rest = line.split(None, 1)
        found = re.findall(r"(\d\d\.\d\d)(?: \((\d\d\.\d\d)\))?", rest)
        for which, (mean, best) in zip(SCHEDULES, found, strict=True):
            share = None if not best else round(float(best) / 100, 4)
            yield name, which, round(float(mean) / 100, 4), share


SETS = tuple(line.split()[0] for line in TABLE.strip().splitlines())


def copies(name: str) -> int:
    """Return how many pictures their set has for each of the 60,000.

    >>> copies("centred"), copies("rotation-centred"), copies("elastic-elastic")
    (1, 5, 25)
    """
    drawn = [word for word in name.split("-") if word not in ("original", "centred")]
    return int(5 ** len(drawn))


def plan(preset: str, root: Path | None) -> Plan:
    """Return the plan of ``laptop`` or ``full``; ``root`` is where the idx files of MNIST lie."""
    picked = PRESETS[preset_of(preset, PRESETS)]
    return Plan(
        name="mnist-augmentation",
        data="mnist",
        root=None if root is None else str(root),
        base={
            "policy": "scratch",
            "batch": 256,
            "rate": 0.2,
            "warmup": 0.2,
            "clip": 1.0,
            "smoothing": 0.0,
        },
        picked=tuple(picked()),
        seeds=(0, 1, 2, 3, 4),
        built_in="mnist-augmentation",
        labels={"net": LABELS, "augment": {MILD: "turned, shifted, scaled"}},
    )


def _laptop() -> Iterator[dict[str, Any]]:
    """Yield the cells that two cores get through in 20 minutes."""
    for name in SETS:
        yield {"net": SMALL_LENET, "augment": name, "epochs": 5, "seeds": FEW}
    for net in ("network3", "dropconnect"):
        for name in ("original", "elastic"):
            yield {"net": net, "augment": name, "epochs": 1, "seeds": FEW}
    yield {"net": TODAY, "augment": MILD, "epochs": 16, "batch": 128, "rate": 0.1}


def _full() -> Iterator[dict[str, Any]]:
    """Yield their 72 cells: a pass over a set of n copies is n epochs, all with their copies."""
    for name in SETS:
        n = copies(name)
        line = f"{name}, copies {n}" if n > 1 else name
        for steps in (10_000, 50_000):
            yield {"net": LENET, "augment": line, "epochs": -(-steps * BATCH // TRAINED)}
        for passes in (10, 20):
            yield {"net": "network3", "augment": line, "epochs": passes * n}
        for passes in (100, 200):
            yield {"net": "dropconnect", "augment": line, "epochs": passes * n}


PRESETS = {"laptop": _laptop, "full": _full}


def finish(folder: Path) -> None:
    """Set their table beside ours, and let the nets vote."""
    study = read(folder)
    cells = [
        {"cell": dict(setting), "mean": mean, "best": best}
        for setting, (mean, best) in _beside([setting for setting, _ in study.settings()])
    ]
    write_json(folder / "published.json", {"source": SOURCE, "cells": cells})
    votes.write(folder, "net", LABELS)


def _beside(settings: Sequence[Setting]) -> Iterator[tuple[Setting, tuple[float, float | None]]]:
    """Yield each setting with what they reached: the shorter of two schedules beside theirs."""
    theirs: dict[tuple[str, str], list[tuple[float, float | None]]] = {}
    for name, (net, _), mean, best in published():
        theirs.setdefault((net, name), []).append((mean, best))
    ours: dict[tuple[str, str], list[Setting]] = {}
    for setting in sorted(settings, key=lambda each: int(dict(each).get("epochs", 0))):
        given = dict(setting)
        ours.setdefault((given["net"], given["augment"].split(",")[0]), []).append(setting)
    for place, found in ours.items():
        yield from zip(found, theirs.get(place, ()), strict=False)
