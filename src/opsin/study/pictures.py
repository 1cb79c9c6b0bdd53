"""What every row of a study said of every picture: right or wrong, or how far off.

Shapes: N pictures of the split, K outputs, r rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.study.rows import Row, Study

Merits = NDArray[np.int64] | NDArray[np.float64]


def _right(outputs: NDArray[np.float32], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 1 where the likeliest class of outputs (N, K) is the true one (N,), else 0."""
    return np.asarray(outputs.argmax(1) == truth, np.int64)


def _off(outputs: NDArray[np.float32], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far outputs (N, 1) are from truths (N,), in their unit."""
    return np.abs(outputs.reshape(len(truth), -1)[:, 0].astype(np.float64) - truth)


# Metrics that are a mean over pictures: the truths they need, and their part of one picture.
PARTS: Mapping[str, tuple[str, Callable[..., Merits]]] = {
    "accuracy": ("label", _right),
    "mae": ("value", _off),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Holds the part (N,) of the metric that each row, by its id, owes to each picture.

    ``remark`` says why there are none, or which rows could not be used.
    """

    parts: Mapping[str, Merits]
    remark: str = ""


def answers(study: Study) -> Answers:
    """Read what rows left in their folders; a row whose pictures are others' is left out."""
    path = study.folder / "truths.safetensors"
    if study.metric not in PARTS:
        return Answers({}, f"{study.metric} is not a mean over pictures")
    if not path.is_file():
        return Answers({}, "the study keeps no truths.safetensors")
    name, part = PARTS[study.metric]
    truths = _tensors(path).get(name)
    if truths is None:
        return Answers({}, f"truths.safetensors has no {name}")
    parts: dict[str, Merits] = {}
    common: NDArray[np.int64] | None = None
    odd: list[str] = []
    for row in study.done:
        found = _row(study, row, truths, part)
        if found is None:
            odd.append(row.id)
            continue
        index, merits = found
        common = index if common is None else common
        if np.array_equal(index, common) and _agrees(row, study.split, merits):
            parts[row.id] = merits
        else:
            odd.append(row.id)
    told = ", ".join(odd[:5]) + (" and more" if len(odd) > 5 else "")
    return Answers(parts, f"rows without usable outputs: {told}" if odd else "")


def _row(
    study: Study, row: Row, truths: NDArray[np.int64], part: Callable[..., Merits]
) -> tuple[NDArray[np.int64], Merits] | None:
    """Return the places of a row's pictures in the data, ascending, and its part of each."""
    path = study.folder / row.folder / "outputs.safetensors"
    if not path.is_file():
        return None
    tensors = _tensors(path)
    outputs, index = tensors.get(study.split), tensors.get(f"{study.split}_index")
    if outputs is None or index is None or len(outputs) != len(index) or not len(index):
        return None
    if index.min() < 0 or index.max() >= len(truths):
        return None
    order = np.argsort(index, kind="stable")
    index, outputs = index[order], outputs[order]
    truth = truths[index]
    known = truth >= 0 if truth.dtype.kind == "i" else np.isfinite(truth)
    return index[known], part(outputs[known], truth[known])


def _agrees(row: Row, split: str, merits: Merits) -> bool:
    """Return whether the outputs give the score that the row was written down with."""
    slack = 2 / len(merits) + 1e-4 * abs(row.scores[split])
    return abs(float(merits.mean()) - row.scores[split]) <= slack


def _tensors(path: object) -> dict[str, NDArray[np.int64]]:
    """Return all tensors of a file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: dict[str, NDArray[np.int64]] = load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path}: {error}",
            expected="a safetensors file",
            remedy="Delete its folder, and run the study again with --resume.",
        ) from error
    return tensors
