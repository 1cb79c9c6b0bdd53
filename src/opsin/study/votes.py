"""What ensembles of a study's nets reach on test pictures, and which pictures all of them miss.

Of each value of one field (the nets, say) the setting is taken that is best on validation pictures;
its first seeds vote. A further ensemble is chosen from all rows, greedily, on validation pictures.
No net is run: every row has written down what it said.

Shapes: R rows, N pictures, K outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from torch import Tensor

from opsin.committee import RULES
from opsin.data.dataset import Dataset
from opsin.data.decode import decode
from opsin.ensemble import choose, rows
from opsin.ensemble.diversity import diversity
from opsin.ensemble.held import Asked
from opsin.files import replacing, write_json
from opsin.metrics import wilson
from opsin.model import Model
from opsin.results import Result
from opsin.tasks import Task

SIZES = (3, 5)  # seeds that vote, as in Tabik et al. (2017)
HOW = ("majority", "mean")
MOST = 60  # missed pictures that are kept


@dataclass(frozen=True)
class Vote:
    """Is one ensemble: the places of its members among the rows, and what it says of N pictures."""

    name: str
    how: str
    places: Sequence[int]
    said: Sequence[Result]
    right: Sequence[bool]


def write(folder: Path, field: str, labels: Mapping[str, str]) -> None:
    """Write ensembles.json and missed.safetensors for the study's page.

    ``field`` is what ensembles are made for each value of, ``labels`` what a value is called.
    Where no setting has three seeds on test pictures, nothing is written.
    """
    plan, every = rows.read(folder)
    asked = rows.asked(folder, plan, every)
    if "test" not in asked:
        return
    task = _task(every[0])
    groups = _groups(every, asked["validation"], task, field)
    votes = [
        _vote(f"{labels.get(value, value)} × {size}", how, places[:size], task, asked["test"])
        for value, places in groups.items()
        for size in SIZES
        if len(places) >= size
        for how in HOW
    ]
    if not votes:
        return
    votes += _greedy(task, asked)
    whole = max(len(vote.places) for vote in votes)
    largest = [vote for vote in votes if len(vote.places) == whole]
    lost = np.flatnonzero(~np.any([vote.right for vote in largest], axis=0))[:MOST]
    index = rows.places(every[0], "test")[lost]
    missed = [
        {
            "index": int(place),
            "true": asked["test"].truths[at].words(),
            "said": [vote.said[at].words() for vote in largest],
        }
        for at, place in zip(lost.tolist(), index.tolist(), strict=True)
    ]
    _keep_pictures(folder, plan, [int(place) for place in index])
    told = [_told(vote, every, task, asked["test"]) for vote in votes]
    write_json(folder / "ensembles.json", {"rows": told, "missed": {"by_all": missed}})


def _task(row: rows.Row) -> Task:
    """Return the task of a study's rows, whose outputs are opinions already."""
    first = Model.load(row.folder).task
    return first.together([first])


def _groups(
    every: Sequence[rows.Row], asked: Asked, task: Task, field: str
) -> dict[str, list[int]]:
    """Return for each value of a field the rows of its best setting, by seed."""
    scores = choose.scores(task, asked.opinions, asked.truths)
    cells: dict[str, list[int]] = {}
    for place, row in enumerate(every):
        cells.setdefault(json.dumps(row.cell, sort_keys=True), []).append(place)
    best: dict[str, tuple[float, list[int]]] = {}
    for cell in sorted(cells):
        places = sorted(cells[cell], key=lambda place: every[place].seed)
        mean = float(np.mean([scores[place] for place in places]))
        value = str(every[places[0]].cell.get(field, ""))
        if len(places) >= min(SIZES) and mean > best.get(value, (-np.inf, []))[0]:
            best[value] = mean, places
    return {value: places for value, (_, places) in best.items()}


def _vote(name: str, how: str, places: Sequence[int], task: Task, asked: Asked) -> Vote:
    """Let rows vote on the pictures."""
    opinions = [asked.opinions[place] for place in places]
    said = _decoded(task, RULES[how](opinions, [1.0] * len(opinions)))
    return Vote(name, how, places, said, (task.each(said, asked.truths) > 0).tolist())


def _greedy(task: Task, asked: Mapping[str, Asked]) -> list[Vote]:
    """Return the ensemble of five that validation pictures choose from all rows."""
    held = asked["validation"]
    counts = choose.greedy(task, held.opinions, held.truths, max(SIZES))
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    name = f"{max(SIZES)} chosen from all on validation pictures"
    return [_vote(name, "mean", places, task, asked["test"])]


def _decoded(task: Task, opinions: Tensor) -> list[Result]:
    return task.decode(task.outputs_of(opinions).numpy())


def _told(vote: Vote, every: Sequence[rows.Row], task: Task, asked: Asked) -> dict[str, Any]:
    """Return an ensemble as plain data."""
    each = [_decoded(task, asked.opinions[place]) for place in dict.fromkeys(vote.places)]
    measured = diversity(task, each, asked.truths)
    numbers = {name: metric.value for name, metric in measured.intervals.items()}
    numbers |= {name: value for name, value in measured.means.items() if value is not None}
    return {
        "name": vote.name,
        "how": vote.how,
        "members": [every[place].name for place in vote.places],
        "n": len(vote.said),
        "accuracy": wilson.proportion(np.array(vote.right)).to_dict(),
        "diversity": numbers,
    }


def _keep_pictures(folder: Path, plan: Mapping[str, Any], index: Sequence[int]) -> None:
    """Write the missed pictures, where all have one size."""
    samples = Dataset.read(plan["data"], root=plan.get("root")).samples
    found = [decode(samples[place].image)[:3] for place in index]
    if not found or len({picture.shape for picture in found}) > 1:
        return
    with replacing(folder / "missed.safetensors") as beside:
        save_file({"pictures": np.stack(found)}, beside)
