"""Drawn pictures on the disc: where they land, and what they show."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opsin.data.decode import decode
from opsin.data.drawn import Album
from opsin.errors import DataError
from opsin.model import Prediction
from opsin.results import Boxes
from opsin.verbs import models


def test_files_keep_their_names_and_none_is_lost_or_lands_elsewhere(tmp_path):
    album = Album(tmp_path / "out")
    grey = np.full((3, 40, 60), 128, np.uint8)
    truth = Boxes(np.array([[10, 8, 50, 30]], np.float32), ("a",))
    names = ["a/x.jpg", "b/x.jpg", "../../x.PNG", "scan.tif", ".."]
    paths = [album.add(grey, name, truth) for name in names]
    assert [path.name for path in paths] == ["x.jpg", "x-2.jpg", "x.PNG", "scan.png", "picture.png"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in paths)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.parent.name != "out"]
    seen = decode(paths[3])
    assert seen.shape == (3, 40, 60) and (seen[:, 0] == 128).all()
    assert (seen[:, 8, 20] != 128).any()  # the frame of the box


def test_a_folder_that_refuses_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError):
        Album(tmp_path / "file").add(
            np.zeros((3, 4, 4), np.uint8), "x.png", Boxes(np.zeros((0, 4), np.float32))
        )


def test_nothing_that_is_there_is_overwritten(tmp_path):
    for name in ("a.png", "a-2.png"):
        (tmp_path / name).write_bytes(b"mine")
    album, grey = Album(tmp_path), np.full((3, 20, 20), 128, np.uint8)
    nothing = Boxes(np.zeros((0, 4), np.float32))
    paths = [album.add(grey, name, nothing) for name in ("a.png", "b.png", "b.png", "b-2.png")]
    assert [path.name for path in paths] == ["a-3.png", "b.png", "b-2.png", "b-2-2.png"]
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "a-2.png").read_bytes() == b"mine"


def test_a_picture_whose_name_is_no_text_is_drawn_too(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    path = Path(os.fsdecode(folder + b"/o\xe9.png"))
    Image.fromarray(np.full((20, 20, 3), 90, np.uint8)).save(path)
    truth = Boxes(np.array([[2, 2, 12, 12]], np.float32), ("a",))
    said = iter([Prediction("named as it is shown", truth)])
    told = list(models._drawn(said, [str(path)], tmp_path / "out"))
    assert told[0].result == truth
    (written,) = (tmp_path / "out").iterdir()
    assert decode(written).shape == (3, 20, 20)
