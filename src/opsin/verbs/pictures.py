"""What is asked of pictures before anything learns: are they sound, in another form, as crops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.events import follow
from opsin.verbs._asked import Watch, ignore, load, read

if TYPE_CHECKING:
    from opsin.data.check import Checked
    from opsin.data.convert import Converted
    from opsin.data.dataset import Dataset
    from opsin.locate.crops import Cropped
    from opsin.model import Model


def check(
    data: str | Path | Dataset,
    *,
    root: str | Path | None = None,
    model: str | Path | Model | None = None,
    watch: Watch = ignore,
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

    found = read(data, root)
    checked: Checked = follow(room.check(found), watch)
    if model is None:
        return checked
    return replace(checked, problems=(*checked.problems, *load(model).doubts(found)))


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
    return room.convert(read(data, root), to, Path(out).expanduser(), tiling if asked else None)


def crops(
    data: str | Path | Dataset,
    *,
    out: str | Path | None = None,
    root: str | Path | None = None,
    negatives: int = 3,
    mine: str | Path | Model | None = None,
    background: str | None = None,
    context: float = 0.25,
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
        background: the class of no object, as it is to be called; else background
        context: what is shown round each box, as a share of its longer side, on each side
        seed: another seed draws other ground

    Examples:
        opsin crops boxes.json --out crops/
        opsin train crops/ --out runs/crops
        opsin crops boxes.json --mine runs/crops --out crops_hard/
        opsin crops aerial.csv --context 0.5 --background soil --out crops_wide/
    """
    from opsin.locate import crops as room

    if out is None:
        raise InputError("no out", expected="a folder to write", remedy="Add --out crops/.")
    model = None if mine is None else load(mine)
    wish = room.Wish(negatives, seed, context, background)
    return room.cut(read(data, root), Path(out).expanduser(), wish, model)
