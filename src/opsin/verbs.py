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
from opsin.events import Event, Note, follow
from opsin.recipe import Recipe

if TYPE_CHECKING:
    from opsin.data.check import Checked
    from opsin.data.convert import Converted
    from opsin.data.dataset import Dataset
    from opsin.ensemble.joined import Joined
    from opsin.figures import Measures
    from opsin.lessons.augmented import Sheet
    from opsin.lessons.gallery import Gallery
    from opsin.lessons.net_tables import Described, Listed
    from opsin.lessons.picture import Filtered
    from opsin.locate.crops import Cropped
    from opsin.model import Model, Prediction
    from opsin.study.plan import Plan
    from opsin.study.told import Studied

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
    tiles: int | None = None,
    overlap: float | None = None,
    parts: str | None = None,
) -> Converted:
    """Write a data set in another format, and say what was cut, dropped or could not be held.

    Boxes go from any to any of coco, voc, yolo and table; read again they are the same. Ids of
    classes are kept where the format has ids. Pictures are copied into voc and yolo, and named by
    their paths in coco and table.

    Large pictures become tiles, in a new folder, as coco or table. Boxes are cut at their edges;
    one that a tile shows less than 30 % of is flagged ignore there. Parts of a picture may be named
    after the splits they are for, and no tile lies in two. All tiles of one picture stay together
    otherwise, so that to learn from a single picture and be tested on the rest of it takes

    \b
        --parts 'train 0 0 0.6 1, validation 0.6 0 0.75 1, test 0.75 0 1 1'

    Args:
        data: boxes, labels or numbers in any format that `opsin check` reads
        to: the format: coco, voc, yolo, table, folder
        out: the file (coco: .json, table: .csv, .tsv, .parquet) or the new folder to write
        root: where a named set lies on this machine, or the folder a file's paths start from
        tiles: cut pictures into tiles of so many pixels a side
        overlap: least share of its side that a tile has in common with the next; else 0.2
        parts: what to keep of each picture: '[SPLIT] x1 y1 x2 y2' as shares, between commas

    Examples:
        opsin convert annotations/ --to coco --out boxes.json
        opsin convert boxes.json --to yolo --out boxes_yolo
        opsin convert photos/ --to table --out labels.csv
        opsin convert aerial.json --to coco --tiles 400 --out tiles
        opsin convert aerial.json --to coco --tiles 400 --out tiles --parts '0 0 0.75 1'
    """
    from opsin.data import convert as room
    from opsin.data.tiles import Tiling, parts_of

    if to is None or out is None:
        raise InputError(
            "no to" if to is None else "no out",
            expected="a format and a place to write to",
            remedy="As in: --to coco --out boxes.json",
        )
    if overlap is not None and tiles is None:
        raise InputError("overlap without tiles", expected="both", remedy="Add --tiles 400.")
    tiling = Tiling(tiles, 0.2 if overlap is None else overlap, parts_of(parts))
    asked = tiles is not None or parts is not None
    return room.convert(_read(data, root), to, Path(out).expanduser(), tiling if asked else None)


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
    tta: int = 1,
    proposals: str | None = None,
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

    Examples:
        opsin evaluate runs/shoes/model.safetensors photos_test/
        opsin evaluate runs/digits samples:digits --tta 5 --json
        opsin evaluate runs/crops boxes.json --proposals 'dense, scales 64'
    """
    if proposals is not None:
        from opsin.locate import scored
        from opsin.locate.searcher import Searcher

        if tta != 1:
            raise InputError(f"tta={tta} with proposals", expected="one of the two")
        return scored.measured(Searcher(_load(model), proposals), _read(data, root))
    return _load(model).evaluate(data, root=root, tta=tta)


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
    said = _load(model).iterate(images, tta=tta, score=score)
    return said if draw is None else _drawn(said, images, draw)


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


def locate(
    model: str | Path | Model,
    images: Sequence[str],
    *,
    proposals: str = "sliding",
    background: str | None = None,
    score: float = 0.5,
    draw: str | Path | None = None,
    watch: Watch = _ignore,
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
        score: tell boxes of this score or more
        draw: folder for the pictures with what was said drawn in

    Examples:
        opsin locate runs/crops photos/ --proposals 'sliding, scales 48 96'
        opsin locate runs/crops field.jpg --proposals 'contour, threshold 90' --draw out/
        opsin locate runs/crops photos/ --proposals 'dense, scales 64' --score 0.9 --json
    """
    from opsin.locate.searcher import Searcher

    searcher = Searcher(_load(model), proposals, background=background)
    for note in searcher.notes():
        watch(Note(note))
    said = searcher.iterate(images, score)
    return said if draw is None else _drawn(said, images, draw)


def crops(
    data: str | Path | Dataset,
    *,
    out: str | Path | None = None,
    root: str | Path | None = None,
    negatives: int = 3,
    mine: str | Path | Model | None = None,
    seed: int = 0,
) -> Cropped:
    """Cut what a classifier needs to find objects: each object with its surroundings, and ground.

    Writes a folder of class folders, one of which is background, to train on. With a model learnt
    from such a folder, what it takes for an object and is none is added as background: train again
    on the new folder, and it errs less.

    Args:
        data: boxes in any format that `opsin check` reads
        out: the new folder to write
        root: the folder a file's paths start from
        negatives: crops of ground for each picture, as large as its objects are
        mine: a classifier, or its run, whose false alarms are added
        seed: another seed draws other ground

    Examples:
        opsin crops boxes.json --out crops/
        opsin train crops/ --out runs/crops
        opsin crops boxes.json --mine runs/crops --out crops_hard/
    """
    from opsin.locate import crops as room

    if out is None:
        raise InputError("no out", expected="a folder to write", remedy="Add --out crops/.")
    model = None if mine is None else _load(mine)
    return room.cut(_read(data, root), Path(out).expanduser(), room.Wish(negatives, seed), model)


def study(
    plan: str | Path | Plan | None = None,
    *,
    out: str | Path | None = None,
    root: str | Path | None = None,
    preset: str | None = None,
    on: str | None = None,
    workers: int | None = None,
    retries: int = 1,
    resume: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    watch: Watch = _ignore,
) -> Studied:
    """Train a grid of settings with several seeds each, and say what each makes of it.

    A plan is a TOML file with data, seeds, [recipe] (settings in common) and [grid] (lists of
    values for any setting; every combination is a cell), or the name of a study that is built in.
    Each cell and seed is a row, written down when it is done. The cost is told before the first.
    Several commands on one folder share its rows.

    Args:
        plan: a TOML file, or the name of a study
        out: folder for the rows and the report
        root: where a named set lies on this machine, or the folder a table's paths start from
        preset: how much of a built-in study: laptop (if not given) or full
        on: address of a Ray cluster that works on the rows, as ray://HOST:PORT, HOST:PORT or auto
        workers: rows in work at a time; as many as there are cores if not given
        retries: how often a row that failed is tried again
        resume: go on with the study in out, and try again what failed
        dry_run: say what would be done and what it costs, and do nothing
        yes: more than 10,000 rows are meant

    Examples:
        opsin study study.toml --out studies/nets --dry-run
        opsin study study.toml --out studies/nets
        opsin study --resume --out studies/nets
        opsin study digits-augmentation --out studies/digits
        opsin study study.toml --out studies/nets --on ray://head:10001
    """
    from opsin.study import job

    if plan is None and not (resume and out is not None):
        raise InputError(
            "no plan", expected="a TOML file or the name of a study, or --resume with --out"
        )
    if out is None and not dry_run:
        raise InputError("no out", expected="a folder", remedy="Add --out studies/NAME.")
    way = job.Way(on, workers, retries, large=yes)
    asked = job.asked(plan, preset, root, None if out is None else Path(out).expanduser())
    if dry_run:
        return follow(job.dry_run(asked, way), watch)
    return follow(job.start(asked, Path(str(out)).expanduser(), way, resume=resume), watch)


def augment(
    subject: str | Path | Dataset,
    *,
    policy: str = "auto",
    out: str | Path | None = None,
    seed: int = 0,
    root: str | Path | None = None,
) -> Sheet:
    """Show what an augmentation makes of pictures: a sheet of eight by eight.

    One picture is shown 64 times, of a data set eight pictures eight times, the first of each as
    it is. What a policy means is printed; any line that `opsin train --augment` takes will do.

    \b
    Geometry   flip [CHANCE], rotate DEGREES, translate SHARE, scale LEAST MOST, shear DEGREES,
               crop, centre, perspective SHARE, elastic ALPHA SIGMA
    Colour     color SHARE, brightness SHARE, contrast SHARE, saturation SHARE, hue DEGREES,
               grey [CHANCE]
    Pixels     noise SHARE, blur SIGMA, jpeg LEAST MOST
    Covers     cutout SHARE, erase [CHANCE]
    At the end copies N [plain]: N fixed versions of each picture instead of new ones for ever

    Policies: none, light, strong, digits, auto, and the twelve sets of the MNIST study: original,
    centred, elastic, translation, rotation, elastic-centred, rotation-centred,
    translation-elastic, translation-rotation, rotation-elastic, rotation-elastic-centred,
    elastic-elastic.

    Args:
        subject: a picture, a folder of class folders, a table or a named set
        policy: a name, or operations between commas
        out: the file to write: .png, .jpg, .webp or .bmp
        seed: another seed shows other draws
        root: where a named set lies on this machine, or the folder a table's paths start from

    Examples:
        opsin augment photo.jpg --policy strong --out sheet.png
        opsin augment photo.jpg --policy 'rotate 15, elastic 300 16, jpeg 20 80' --out sheet.png
        opsin augment samples:digits --policy rotation-elastic --out digits.png
    """
    from opsin.lessons import augmented

    if out is None:
        raise InputError("no out", expected="a file to write", remedy="Add --out sheet.png.")
    return augmented.draw_file(subject, policy, out, seed, root)


def ensemble(
    models: Sequence[str],
    *,
    out: str | Path | None = None,
    vote: str = "mean",
    data: str | Path | Dataset | None = None,
    root: str | Path | None = None,
    select: str | None = None,
    size: int | None = None,
    snapshots: bool = False,
    watch: Watch = _ignore,
) -> Joined:
    """Make one model of several, and say what that adds.

    The model file that comes out is used like any other: evaluate, predict, nets. All must answer
    the same question about pictures of one size. What is learnt or chosen here comes from the
    validation pictures the runs held out, which must be the same ones: train with one --split.

    \b
    mean       of the calibrated probabilities, or numbers
    weighted   mean; the weights have the least loss on validation pictures
    majority   each votes for a class, ties are broken by mean probability
    weights    of the nets themselves are averaged: one net, as from snapshots of one run

    Args:
        models: runs or model files; or the folder of one study
        out: the model file to write
        vote: mean, weighted, majority or weights
        data: labelled pictures none has learnt from, to report on (and to weigh by, without runs)
        root: where a named set lies on this machine, or the folder a table's paths start from
        select: who takes part: all, the best, or greedy (a model may be chosen again and again)
        size: how many are selected; else 5
        snapshots: make one of what each run kept on the way

    Examples:
        opsin ensemble runs/a runs/b runs/c --vote majority --out three.safetensors
        opsin ensemble runs/a runs/b runs/c --vote weighted --data photos_test/ --out w.safetensors
        opsin ensemble studies/mnist --select greedy --size 5 --out five.safetensors
        opsin train samples:digits --schedule cyclic --snapshots 5 --epochs 50 --out runs/cyclic
        opsin ensemble runs/cyclic --snapshots --out cycles.safetensors
    """
    from opsin.ensemble import held, job, rows

    path = job.check_out(out, models)
    studied = len(models) == 1 and rows.is_study(models[0])
    who = select or ("greedy" if studied or size is not None else "all")
    wish = job.Wish(vote, who, job.SIZE if size is None else size)
    given = held.read(data, root)
    return follow(job.join(models, wish, path, given, snapshots=snapshots), watch)


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
