"""A study's folder as a finished study leaves it, drawn: no net is trained.

Every picture is so hard and every setting and seed so good; a net is wrong where the picture is
harder than it can do. So the errors of nets go together, as those of real nets do.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

NETS = {"lenet": 0.0, "network3": 0.35, "dropconnect": 0.2}
POLICIES = {"original": 0.0, "rotation": 0.25, "elastic": 0.4, "rotation-elastic": 0.55}


def write_study(
    folder: Path,
    fields: Mapping[str, Mapping[str, float]] | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    pictures: int = 2000,
    failed: Sequence[tuple[tuple[str, ...], int]] = (),
    left_out: Sequence[tuple[tuple[str, ...], int]] = (),
    luck: float = 0.06,
    outputs: bool = True,
    epochs: int = 8,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write a study of ``fields``: the value of each says how much it adds to how good a net is.

    Rows in ``failed`` and ``left_out`` are named by their values and seed.
    """
    fields = fields or {"net": NETS, "augment": POLICIES}
    draws = np.random.default_rng(7)
    labels = draws.integers(0, 10, 2 * pictures).astype(np.int64)
    hard = draws.gumbel(-1.2, 1.0, 2 * pictures)  # most are easy, a few are very hard
    folder.mkdir(parents=True, exist_ok=True)
    plain = {
        "name": "mnist-augmentation",
        "task": "classify",
        "metric": "accuracy",
        "sign": 1,
        "data": "mnist",
        "root": None,
        "fields": {name: list(values) for name, values in fields.items()},
        "seeds": list(seeds),
        "base": {"epochs": epochs, "batch": 128},
        "machine": "2 cores, x86_64",
        "versions": {"opsin": "0.1.0", "torch": "2.8.0"},
        "created": "2026-11-21T03:50:55+00:00",
        "classes": [str(digit) for digit in range(10)],
    }
    (folder / "study.json").write_text(json.dumps(plain | dict(about or {})), "utf-8")
    save_file({"label": labels}, folder / "truths.safetensors")
    lines = []
    for values, seed in itertools.product(itertools.product(*fields.values()), seeds):
        if (values, seed) in left_out:
            continue
        cell = dict(zip(fields, values, strict=True))
        key = hashlib.sha256(f"{values} {seed}".encode()).hexdigest()[:12]
        row: dict[str, Any] = {"id": key, "cell": cell, "seed": seed, "folder": f"rows/{key}"}
        if (values, seed) in failed:
            lines.append(
                row | {"state": "failed", "reason": "killed (out of memory)", "worker": "a"}
            )
            continue
        good = 2.6 + sum(fields[name][value] for name, value in cell.items())
        own = np.random.default_rng((seed, int(key, 16)))
        scores = _answers(
            own, hard, labels, good + luck * own.normal(), folder / "rows" / key, outputs
        )
        seconds = 60.0 * (1 + 0.5 * len(values[-1]) / 10) * float(own.uniform(0.95, 1.1))
        lines.append(
            row
            | {
                "state": "done",
                "reason": None,
                "scores": scores,
                "n": {"validation": pictures, "test": pictures},
                "seconds": round(seconds, 2),
                "images": 55_000 * epochs,
                "epochs": epochs,
                "curve": _curve(own, scores["validation"], seconds, epochs),
                "worker": "local-0",
            }
        )
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "rows.jsonl").write_text(text, "utf-8")
    return folder


def _answers(
    draws: np.random.Generator,
    hard: np.ndarray,
    labels: np.ndarray,
    good: float,
    folder: Path,
    kept: bool,
) -> dict[str, float]:
    """Write what one net says of all pictures and return how often it is right."""
    n = len(labels) // 2
    wrong = hard + 0.5 * draws.normal(size=2 * n) > good
    said = np.where(wrong, (labels + draws.integers(1, 10, 2 * n)) % 10, labels)
    sure = np.full((2 * n, 10), 0.02, np.float32)
    sure[np.arange(2 * n), said] = 0.82
    halves = {"validation": slice(0, n), "test": slice(n, 2 * n)}
    if kept:
        folder.mkdir(parents=True, exist_ok=True)
        tensors: dict[str, np.ndarray] = {}
        for name, half in halves.items():
            tensors[name] = sure[half]
            tensors[f"{name}_index"] = np.arange(2 * n)[half].astype(np.int64)
        save_file(tensors, folder / "outputs.safetensors")
    return {name: float(1 - wrong[half].mean()) for name, half in halves.items()}


def _curve(
    draws: np.random.Generator, last: float, seconds: float, epochs: int
) -> list[list[float]]:
    """Return a curve that ends at the score it should, falling in error as curves do."""
    return [
        [
            epoch,
            round(seconds * epoch / epochs, 2),
            1
            - (1 - last)
            * (epochs / epoch) ** 0.8
            * float(1 + 0.04 * draws.normal() * (epoch < epochs)),
        ]
        for epoch in range(1, epochs + 1)
    ]
