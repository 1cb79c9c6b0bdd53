"""What a person can ask for: one short function a verb.

The command line is derived from these signatures: positional parameters become arguments, keyword
parameters and the fields of ``Recipe`` become options of the same name. Heavy imports stay inside,
so that ``opsin --help`` does not wait for torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsin.errors import InputError
from opsin.events import Event, follow
from opsin.recipe import Recipe

if TYPE_CHECKING:
    from opsin.data.check import Checked
    from opsin.data.dataset import Dataset
    from opsin.figures import Measures
    from opsin.model import Model, Prediction

Watch = Callable[[Event], None]


def _ignore(event: Event) -> None:
    """Is the watcher of those who do not watch."""


def check(
    data: str | Path | Dataset,
    *,
    root: str | Path | None = None,
    model: str | Path | Model | None = None,
    watch: Watch = _ignore,
) -> Checked:
    """Say what is in a data set and what is wrong with it, before any training.

    Args:
        data: a folder of class folders, a CSV or Parquet table, or a named set
        root: where a named set lies on this machine, or the folder a table's paths start from
        model: a first model of such pictures, to name labels that are likely wrong

    Examples:
        opsin check photos/
        opsin check labels.csv --json
        opsin check mnist --root data/mnist
        opsin check photos/ --model runs/shoes
    """
    from opsin.data import check as room

    read = _read(data, root)
    checked: Checked = follow(room.check(read), watch)
    if model is None:
        return checked
    return replace(checked, problems=(*checked.problems, *_load(model).doubts(read)))


def train(
    data: str | Path | Dataset | None = None,
    recipe: Recipe | None = None,
    *,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    root: str | Path | None = None,
    watch: Watch = _ignore,
) -> Model:
    """Train a model on labelled pictures, measure it on held-out ones and write a report.

    Writes model.safetensors, report.html and the log of the run into the folder ``out``. Ctrl-C
    ends the run early and keeps the best model so far.

    Args:
        data: a folder of class folders, a CSV or Parquet table, or a named set
        recipe: every setting of the run
        out: folder for the model, the report and the log; runs/NAME of the data if not given
        resume: folder of a run that was stopped: goes on exactly where it was
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin train photos/ --minutes 2 --out runs/shoes
        opsin train --resume runs/shoes
        opsin train samples:digits --policy scratch --net lenet5 --epochs 5
        opsin train prices.csv --minutes 5 --out runs/prices
    """
    born = time.monotonic()  # the imports below take seconds that belong to the budget
    from opsin.training import job

    if resume is not None:
        given = {"data": data, "recipe": recipe, "out": out, "root": root}
        if beside := [name for name, value in given.items() if value is not None]:
            raise InputError(
                f"{beside[0]} beside resume",
                expected="resume alone",
                remedy="A resumed run keeps the data and the settings it was started with.",
            )
        return job.resume(Path(resume), watch, born)
    if data is None:
        raise InputError("no data", expected="a folder, a table or a named set, or --resume RUN")
    if out is not None and not str(out):
        raise InputError("an empty out", expected="a folder")
    folder = job.free_folder(data) if out is None else Path(out).expanduser()
    return job.start(data, recipe or Recipe(), folder, root, watch, born)


def evaluate(
    model: str | Path | Model,
    data: str | Path | Dataset,
    *,
    root: str | Path | None = None,
) -> Measures:
    """Measure a model on labelled pictures it has not seen.

    Args:
        model: a model file, or the folder of a run
        data: labelled pictures; where they have a test split, that is what is measured
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin evaluate runs/shoes/model.safetensors photos_test/
        opsin evaluate runs/digits samples:digits --json
    """
    return _load(model).evaluate(data, root=root)


def predict(model: str | Path | Model, images: Sequence[str]) -> Iterator[Prediction]:
    """Say what a model sees in each picture.

    One bad file is one line with an error; the others are still answered.

    Args:
        model: a model file, or the folder of a run
        images: files, folders or globs

    Examples:
        opsin predict runs/shoes/model.safetensors a.jpg more/ 'x/*.png'
        opsin predict runs/shoes/model.safetensors photos/ --json > said.jsonl
        opsin predict runs/shoes/model.safetensors photos/ --csv > said.csv
    """
    return _load(model).iterate(images)


def nets() -> list[dict[str, Any]]:
    """List what can be trained, with sizes and where pretrained weights come from.

    Examples:
        opsin nets
        opsin nets --json
    """
    from opsin import nets as room

    return room.catalogue()


def _read(data: str | Path | Dataset, root: str | Path | None) -> Dataset:
    from opsin.data.dataset import Dataset

    return data if isinstance(data, Dataset) else Dataset.read(data, root=root)


def _load(model: str | Path | Model) -> Model:
    from opsin.model import Model

    return model if isinstance(model, Model) else Model.load(model)
