"""What is asked of a model: to learn, to be measured, to say what pictures show and where."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.events import Note, follow
from opsin.recipe import Recipe
from opsin.verbs._asked import Watch, ignore, load, new_file, read

if TYPE_CHECKING:
    from opsin.data.dataset import Dataset
    from opsin.figures import Measures
    from opsin.model import Model, Prediction
    from opsin.quantized import Quantized


def train(
    data: str | Path | Dataset | None = None,
    recipe: Recipe | None = None,
    *,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    root: str | Path | None = None,
    watch: Watch = ignore,
) -> Model:
    """Train a model on labelled pictures, measure it on held-out ones and write a report.

    Writes model.safetensors, report.html and the log of the run into the folder ``out``. Ctrl-C
    ends the run early and keeps the best model so far.

    Args:
        data: a folder of class folders, a CSV or Parquet table, boxes, or a named set
        recipe: every setting of the run
        out: folder for the model, the report and the log; runs/NAME of the data if not given
        resume: folder of a run that was stopped: goes on exactly where it was
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin train photos/ --minutes 2 --out runs/shoes
        opsin train --resume runs/shoes
        opsin train samples:digits --policy scratch --net lenet5 --epochs 5
        opsin train prices.csv --minutes 5 --out runs/prices
        opsin train boxes.json --net yolo --backbone mobilenet_v2 --minutes 10 --out runs/rac
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
    tta: int = 1,
    proposals: str | None = None,
    background: str | None = None,
    context: float | None = None,
) -> Measures:
    """Measure a model on labelled pictures it has not seen.

    A classifier of crops is measured on boxes by what `opsin locate` finds with it; from which
    score on, validation pictures among them decide.

    Args:
        model: a model file, or the folder of a run
        data: labelled pictures; where they have a test split, that is what is measured
        root: where a named set lies on this machine, or the folder a table's paths start from
        tta: views of each picture to average, drawn from what the model learnt with; 1 is plain
        proposals: of a classifier of crops, where it looks for objects, as in `opsin locate`
        background: of such a one, the class of no object, as in `opsin locate`
        context: of such a one, what its crops showed round a box, as a share of its longer side;
            0.25 if not given

    Examples:
        opsin evaluate runs/shoes/model.safetensors photos_test/
        opsin evaluate runs/digits samples:digits --tta 5 --json
        opsin evaluate runs/crops boxes.json --proposals 'dense, scales 64'
    """
    if proposals is not None:
        from opsin.locate import scored
        from opsin.locate.frames import CONTEXT
        from opsin.locate.searcher import Searcher

        if tta != 1:
            raise InputError(f"tta={tta} with proposals", expected="one of the two")
        around = CONTEXT if context is None else context
        searcher = Searcher(load(model), proposals, background=background, context=around)
        return scored.measured(searcher, read(data, root))
    for word, given in {"background": background, "context": context}.items():
        if given is not None:
            remedy = "Add --proposals sliding to search pictures with a classifier."
            raise InputError(f"{word} without proposals", expected="both", remedy=remedy)
    return load(model).evaluate(data, root=root, tta=tta)


def predict(
    model: str | Path | Model,
    images: Sequence[str],
    *,
    tta: int = 1,
    score: float | None = None,
    draw: str | Path | None = None,
) -> Iterator[Prediction]:
    """Say what a model sees in each picture.

    One bad file is one line with an error; the others are still answered.

    Args:
        model: a model file, or the folder of a run
        images: files, folders or globs
        tta: views of each picture to average, drawn from what the model learnt with; 1 is plain
        score: of boxes, tell those of this score or more; else those of the model's own threshold
        draw: folder for the pictures with what was said drawn in

    Examples:
        opsin predict runs/rac/model.safetensors photos/ --draw out/ --json
        opsin predict runs/shoes/model.safetensors a.jpg more/ 'x/*.png'
        opsin predict runs/shoes/model.safetensors photos/ --json > said.jsonl
        opsin predict runs/shoes/model.safetensors photos/ --csv > said.csv
    """
    said = load(model).iterate(images, tta=tta, score=score)
    return said if draw is None else _drawn(said, images, draw)


def locate(
    model: str | Path | Model,
    images: Sequence[str],
    *,
    proposals: str = "sliding",
    background: str | None = None,
    context: float = 0.25,
    score: float = 0.5,
    draw: str | Path | None = None,
    watch: Watch = ignore,
) -> Iterator[Prediction]:
    """Find objects in whole pictures with a classifier of crops, one class of which is no object.

    Boxes that are proposed are cut out and classified; of those that overlap the surest is told.
    Where to look is a name and settings between commas. One bad file is one line with an error.

    \b
    sliding    windows of several scales, each cut out: scales, ratios, step, most
    dense      the net itself slides over the picture, which is far faster: scales
    contour    what is darker or brighter than the ground: threshold, dark, smallest, largest
    blobs      round things of any size: smallest, largest, scales, dark, threshold
    selective  segments and groups of them

    Args:
        model: a model file, or the folder of a run; `opsin crops` cuts what it learns from
        images: files, folders or globs
        proposals: where to look, as 'sliding', 'dense, scales 64 128', 'contour, threshold 90'
        background: the class of no object, if not background, none, other or negative
        context: what the crops it learnt from showed round a box, as a share of its longer side
        score: tell boxes of this score or more
        draw: folder for the pictures with what was said drawn in

    Examples:
        opsin locate runs/crops photos/ --proposals 'sliding, scales 48 96'
        opsin locate runs/crops field.jpg --proposals 'contour, threshold 90' --draw out/
        opsin locate runs/crops photos/ --proposals 'dense, scales 64' --score 0.9 --json
    """
    from opsin.locate.searcher import Searcher

    searcher = Searcher(load(model), proposals, background=background, context=context)
    for note in searcher.notes():
        watch(Note(note))
    said = searcher.iterate(images, score)
    return said if draw is None else _drawn(said, images, draw)


def quantize(
    model: str | Path | Model,
    data: str | Path | Dataset,
    *,
    out: str | Path | None = None,
    root: str | Path | None = None,
    watch: Watch = ignore,
) -> Quantized:
    """Make a model whose convolutions multiply whole numbers of 8 bits, and say what that costs.

    The model file that comes out is used like any other, and runs so wherever OpenVINO does. Its
    weights stay what they were. Pictures say what the numbers in the net range over; its score is
    measured beside that of the model as it was, picture by picture.

    Args:
        model: a model file, or the folder of a run
        data: labelled pictures like those it learnt from; a test split among them is what judges
        out: the model file to write
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin quantize runs/shoes photos/ --out shoes-int8.safetensors
        opsin quantize runs/rac boxes.json --out rac-int8.safetensors --json
        opsin predict rac-int8.safetensors photos/ --draw out/
    """
    from opsin import quantized

    known = load(model)
    path = new_file(out, [known.path] if known.path else [])
    return follow(quantized.quantize(known, read(data, root), path), watch)


def _drawn(
    said: Iterator[Prediction], images: Sequence[str], folder: str | Path
) -> Iterator[Prediction]:
    """Draw each prediction on its picture as it comes by."""
    from opsin.data.drawn import Album
    from opsin.model import sources

    album = Album(folder)
    # The pictures are listed once more: what a prediction is called need not be a path.
    for each, (name, source) in zip(said, sources(images), strict=True):
        if each.result is not None:
            album.add(source, name, each.result)
        yield each
