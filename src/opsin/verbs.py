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
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.events import Event, follow
from opsin.recipe import Recipe

if TYPE_CHECKING:
    from opsin.data.check import Checked
    from opsin.data.convert import Converted
    from opsin.data.dataset import Dataset
    from opsin.figures import Measures
    from opsin.lessons.gallery import Gallery
    from opsin.lessons.net_tables import Described, Listed
    from opsin.lessons.picture import Filtered
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

    Boxes (COCO, Pascal VOC, YOLO, a table) are each held against their picture: what was kept, cut
    and dropped, and why, with file and line.

    Args:
        data: a folder of class folders, a CSV or Parquet table, boxes, or a named set
        root: where a named set lies on this machine, or the folder a table's paths start from
        model: a first model of such pictures, to name labels that are likely wrong

    Examples:
        opsin check photos/
        opsin check labels.csv --json
        opsin check annotations/instances_train.json --root train/
        opsin check mnist --root data/mnist
        opsin check photos/ --model runs/shoes
    """
    from opsin.data import check as room

    read = _read(data, root)
    checked: Checked = follow(room.check(read), watch)
    if model is None:
        return checked
    return replace(checked, problems=(*checked.problems, *_load(model).doubts(read)))


def convert(
    data: str | Path | Dataset,
    *,
    to: str | None = None,
    out: str | Path | None = None,
    root: str | Path | None = None,
) -> Converted:
    """Write a data set in another format, and say what was cut, dropped or could not be held.

    Boxes go from any to any of coco, voc, yolo and table; read again they are the same. Ids of
    classes are kept where the format has ids. Pictures are copied into voc and yolo, and named by
    their paths in coco and table.

    Args:
        data: boxes, labels or numbers in any format that `opsin check` reads
        to: the format: coco, voc, yolo, table, folder
        out: the file (coco: .json, table: .csv, .tsv, .parquet) or the new folder to write
        root: where a named set lies on this machine, or the folder a file's paths start from

    Examples:
        opsin convert annotations/ --to coco --out boxes.json
        opsin convert boxes.json --to yolo --out boxes_yolo
        opsin convert photos/ --to table --out labels.csv
    """
    from opsin.data import convert as room

    if to is None or out is None:
        raise InputError(
            "no to" if to is None else "no out",
            expected="a format and a place to write to",
            remedy="As in: --to coco --out boxes.json",
        )
    return room.convert(_read(data, root), to, Path(out).expanduser())


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


def convolve(
    image: str | Path,
    *,
    out: str | Path | None = None,
    kernel: str | None = None,
    stride: int = 1,
    padding: str | int = "valid",
    dilation: int = 1,
    signed: str = "auto",
    gallery: bool = False,
) -> Filtered | Gallery:
    """Slide a kernel over a picture and write what comes out as a picture.

    Kernels slide as they are written, not turned over, as in nets. Each colour is filtered for
    itself. Says what size comes out and whether the windows end where the picture does.

    Args:
        image: a picture file
        out: the file to write: .png, .jpg, .webp or .bmp
        kernel: a name, as sharpen, gaussian-5, sobel-x, or a matrix, as '1 0 -1; 2 0 -2; 1 0 -1'
        stride: pixels from one place to the next
        padding: zeros around the picture: a number, valid for none, same to keep the size
        dilation: pixels from one number of the kernel to the next
        signed: how to show what may be negative: clip, rescale (0 is grey), absolute, or auto
        gallery: draw what every named kernel does, on one sheet

    Examples:
        opsin convolve photo.jpg --kernel sharpen --out sharp.png
        opsin convolve photo.jpg --kernel sobel-x --signed absolute --out edges.png
        opsin convolve photo.jpg --kernel '1 0 -1; 2 0 -2; 1 0 -1' --stride 2 --out half.png
        opsin convolve --gallery photo.jpg --out kernels.png
    """
    from opsin.lessons import gallery as sheet
    from opsin.lessons import picture
    from opsin.ops.arithmetic import Window, padding_of
    from opsin.ops.kernels import parse

    if out is None:
        raise InputError("no out", expected="a file to write", remedy="Add --out sharp.png.")
    if gallery == (kernel is not None):
        raise InputError(
            "kernel beside gallery" if gallery else "no kernel",
            expected="one kernel, or gallery for all of them",
            remedy="Add --kernel sharpen, or another name or matrix." if not gallery else "",
        )
    ends = padding_of(padding)
    if kernel is None:
        return sheet.draw_file(image, out, stride=stride, padding=ends, dilation=dilation)
    chosen = parse(kernel)
    window = Window(chosen.size, stride, ends, dilation)
    return picture.filter_file(image, chosen, window, out, signed=signed)


def nets(
    net: str | None = None,
    *,
    spec: str | None = None,
    input: str | None = None,
    classes: int | None = None,
    batch: int = 32,
    speed: bool = False,
    draw: str | Path | None = None,
    maps: str | Path | None = None,
    layer: str | None = None,
    out: str | Path | None = None,
    watch: Watch = _ignore,
) -> Listed | Described:
    """List the nets there are, or say what one gives, costs and sees, layer by layer.

    Counts are exact and need no memory for the weights. A net described in a line can be trained,
    too, with the line as --net.

    \b
    conv HxWxK       K filters: stride S, pad P|same|valid, dilation D, groups G, linear
    depthwise HxW    a filter a channel: stride, pad, dilation, linear
    pool N           the largest of NxN: stride S, pad P, ceil; average for the mean
    global           the mean of each map
    dense N          a linear layer: linear
    bn, dropout P, relu, sigmoid, tanh

    A ReLU follows every conv, depthwise and dense but the last, and comes after bn; "linear" or an
    activation of one's own stands instead. No padding where none is given.

    Args:
        net: a name, a model file or run folder, or nothing for the table of nets
        spec: a net described in a line, layers between commas
        input: pictures, height x width x channels; else those the net is made for
        classes: outputs of the last layer instead of the net's own
        batch: pictures to count the memory of activations for
        speed: measure images a second on this machine, and remember it
        draw: an SVG file to draw the net in
        maps: a picture to show kernels and feature maps of a trained net on, with out
        layer: show the maps of this layer alone, and more of them
        out: the picture file to write the maps to

    Examples:
        opsin nets
        opsin nets vgg16 --input 224x224x3 --classes 9
        opsin nets --spec 'conv 5x5x8, pool 2, conv 5x5x16, dense 10' --input 32x32x3
        opsin nets resnet50 --draw resnet50.svg
        opsin nets resnet50 --speed
        opsin nets runs/shoes
        opsin nets runs/shoes --maps photo.jpg --out maps.png
    """
    from opsin.lessons import described as room

    if net is not None and spec is not None:
        raise InputError("a net beside spec", expected="one of the two")
    if net is None and spec is None:
        given = {"input": input, "classes": classes, "draw": draw, "maps": maps}
        if lonely := [name for name, value in given.items() if value is not None]:
            raise InputError(
                f"{lonely[0]} without a net",
                expected="a net, or spec",
                remedy="As in: opsin nets vgg16 --input 224x224x3",
            )
        if speed:
            room.measure([], watch)
        return room.list_nets()
    if (maps is None) != (out is None) or (layer is not None and maps is None):
        raise InputError("one of maps and out", expected="both", remedy="--maps a.jpg --out b.png")
    found = room.answer(net, spec, room.Asked(input, classes, batch))
    if speed:
        found = room.measured(found, watch)
    if draw is not None:
        found = room.drawn(found, draw)
    return found if maps is None or out is None else room.shown(found, net, maps, out, layer)


def _read(data: str | Path | Dataset, root: str | Path | None) -> Dataset:
    from opsin.data.dataset import Dataset

    return data if isinstance(data, Dataset) else Dataset.read(data, root=root)


def _load(model: str | Path | Model) -> Model:
    from opsin.model import Model

    return model if isinstance(model, Model) else Model.load(model)
