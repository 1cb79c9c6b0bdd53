"""The pictures that say how much each member counts, and how good all are together.

Runs write down what they held out. Where all held out the same pictures, their validation pictures
choose and weigh, and their test pictures judge. Otherwise somebody's training pictures would be
among them, and only pictures that are given serve.

Shapes: M members, N pictures, C channels, H and W of the working size, K outputs.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from opsin.committee import frame
from opsin.data.cache import fill
from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.engine.policies import Part
from opsin.ensemble.members import Candidate
from opsin.errors import DataError, InputError, ModelError
from opsin.events import Advanced, Event, Finished, Note, Started
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.training import material

BLOCK = 256
ASKED = ("validation", "test")
GIVE = "Give labelled pictures that none of them has learnt from with --data."


@dataclass(frozen=True, eq=False)
class Asked:
    """Is what M members say of the N pictures of one part: opinions, float64 (M, N, K)."""

    opinions: Tensor
    truths: Sequence[Result]


def parts(
    found: Sequence[Candidate], data: Dataset | None
) -> Generator[Event, None, dict[str, Part]]:
    """Return the pictures to work with, by part: train, validation and test, those there are.

    Test pictures are those of ``data`` where it is given. Raises ``ModelError`` where the runs held
    out different pictures, or say nothing about it, and no data is given.
    """
    pre = frame(found[0].model.preprocessing)
    trouble = _trouble(found)
    made: dict[str, Part] = {}
    if trouble is None:
        try:
            made = yield from _recorded(found, pre)
        except DataError as error:
            if data is None:
                raise
            trouble = ModelError(str(error), expected="the data of the runs")
    if data is None:
        if trouble is not None:
            raise trouble
        return made
    if trouble is not None:
        yield Note(f"What the runs held out does not serve: {trouble.received}.")
    found[0].model.must_know(data)
    given = yield from _given(data, pre)
    return given | made | {"test": given["test"]}


def _trouble(found: Sequence[Candidate]) -> ModelError | None:
    """Return why the runs' own records do not serve, naming the first who differs; or None."""
    first = next((each for each in found if each.seen), found[0])
    for other in found:
        if not other.seen:
            return ModelError(
                f"{other.name}, which does not say what it was trained on",
                expected="models that say so",
                remedy=GIVE,
            )
        if other.seen != first.seen:
            return ModelError(
                f"{other.name}, which held out other pictures than {first.name}"
                f"{_difference(first, other)}",
                expected="runs that agree about which pictures are for validation",
                remedy=f"{GIVE} Or train all with one --split, such as --split 0, "
                "whatever their --seed.",
            )
    if not any(each.facts.get("data") for each in found):
        return ModelError(
            f"{found[0].name} without the record of a run on data with a path",
            expected="the folder of at least one run, with its run.json",
            remedy=GIVE,
        )
    return None


def _difference(first: Candidate, other: Candidate) -> str:
    """Return in brackets what most likely made two runs hold out other pictures, or ""."""

    def facts(each: Candidate) -> dict[str, Any]:
        recipe = each.model.recipe
        seed = recipe.seed if recipe.split is None else recipe.split
        return {"data": each.facts.get("data"), "seed of the split": seed}

    one, another = facts(first), facts(other)
    told = [
        f"{name} {another[name]} against {one[name]}" for name in one if one[name] != another[name]
    ]
    return f" ({', '.join(told)})" if told else ""


def _recorded(
    found: Sequence[Candidate], pre: Preprocessing
) -> Generator[Event, None, dict[str, Part]]:
    """Return the parts that the runs were trained, checked and measured on."""
    run = next(each for each in found if each.facts.get("data"))
    read = Dataset.read(run.facts["data"], root=run.facts.get("root"))
    made = yield from material.prepare(read, pre, Recipe.from_dict(run.facts["recipe"]), None)
    if made.fingerprint != run.seen:
        raise DataError(
            f"{run.facts['data']} with other pictures, labels or splits than {run.name} was "
            "trained on",
            expected="the same data",
            remedy=f"Put back what has changed. {GIVE}",
        )
    every = {name: made.part(name) for name in ("train", "validation", "test")}
    return {name: part for name, part in every.items() if len(part)}


def _given(data: Dataset, pre: Preprocessing) -> Generator[Event, None, dict[str, Part]]:
    """Return the test and validation split of data; without a test split, all of it is test."""
    labelled = data.keep(sample for sample in data.samples if sample.truth is not None)
    test = labelled.split("test") if len(labelled.split("test")) else labelled
    named = {"test": test}
    if test is not labelled and len(labelled.split("validation")):
        named["validation"] = labelled.split("validation")
    made = {}
    for name, some in named.items():
        pixels = yield from fill(some.samples, pre)
        truths = [some.samples[place].truth for place in pixels.keep]
        if not truths:
            raise DataError(
                f"{len(some)} pictures, none of which could be read",
                expected="at least one picture with a label",
                remedy="See `opsin check`.",
            )
        made[name] = Part(pixels.images[pixels.keep], [t for t in truths if t is not None])
    return made


def ask(models: Sequence[Model], part: Part, name: str) -> Generator[Event, None, Asked]:
    """Return what models say of pictures (N, C, H, W), each in its fastest runtime."""
    began = time.monotonic()
    yield Started(name, len(models) * len(part))
    opinions = []
    for model in models:
        outputs = []
        for start in range(0, len(part), BLOCK):
            some = part.pixels[start : start + BLOCK]
            outputs.append(torch.from_numpy(model.outputs(some)).double())
            yield Advanced(name, len(some))
        opinions.append(model.task.opinions(torch.cat(outputs)))
    yield Finished(name, time.monotonic() - began, f"{len(models)} models, {len(part)} pictures")
    return Asked(torch.stack(opinions), part.truths)


def read(data: str | Path | Dataset | None, root: str | Path | None) -> Dataset | None:
    """Return the data that was given, or None; raise ``InputError`` for a root without data."""
    if data is None:
        if root is not None:
            raise InputError("a root without data", expected="data", remedy="Add --data mnist.")
        return None
    return data if isinstance(data, Dataset) else Dataset.read(data, root=root)
