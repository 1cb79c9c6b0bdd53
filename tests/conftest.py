"""What several tests share: a folder of drawn pictures, and a model trained on it once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import opsin
from opsin.data.formats import yolo
from opsin.data.samples import scattered, shapes


def write_folder(root: Path, n: int = 60, seed: int = 0) -> Path:
    """Write drawn shapes as PNG files into class folders."""
    for index, sample in enumerate(shapes.read(n, seed).samples):
        assert isinstance(sample.truth, opsin.Label)
        path = root / sample.truth.name / f"{index:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(sample.image, np.ndarray)
        Image.fromarray(np.ascontiguousarray(sample.image.transpose(1, 2, 0))).save(path)
    return root


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of class folders with drawn pictures."""
    return write_folder(tmp_path_factory.mktemp("photos"), n=120)


@pytest.fixture(scope="session")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of drawn pictures with boxes, as YOLO has them."""
    folder = tmp_path_factory.mktemp("boxed") / "data"
    yolo.write(scattered.read(48), folder)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """Give the folder of a short run on ``photos``."""
    out = tmp_path_factory.mktemp("runs") / "shapes"
    opsin.train(photos, opsin.Recipe(net="lenet5", epochs=6, seed=1), out=out)
    return out


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a drawn study: three nets, four policies, five seeds."""
    from drawn_study import write_study

    return write_study(tmp_path_factory.mktemp("studies") / "whole", pictures=4000)
