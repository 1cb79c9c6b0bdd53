"""One picture stored in eight ways, as cameras do: the same to every verb, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

import opsin
from opsin import cli

pytestmark = pytest.mark.contracts

ORIENTATION = 0x0112
# What has to be done to the upright picture so that orientation k brings it back (EXIF 2.32).
STORED = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
# JPEG gives the same pixels whichever way it is stored where every block of 8 × 8 is even.
OPTIONS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "TIFF": {},
    "WebP": {"lossless": True, "exact": True},
}


def mosaic(seed: int, high: int = 6, wide: int = 10) -> Image.Image:
    """Draw a picture of even blocks of 8 × 8 pixels, in no way symmetric."""
    blocks = np.random.default_rng(seed).integers(0, 256, (high, wide, 3), dtype=np.uint8)
    return Image.fromarray(blocks.repeat(8, axis=0).repeat(8, axis=1))


def store(image: Image.Image, folder: Path, format: str) -> list[Path]:
    """Write a picture in all eight orientations."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for turned, move in STORED.items():
        exif = Image.Exif()
        exif[ORIENTATION] = turned
        stored = image if move is None else image.transpose(move)
        path = folder / f"{turned}.{format.lower()}"
        stored.save(path, format, exif=exif, **OPTIONS[format])
        paths.append(path)
    return paths


@pytest.mark.parametrize("blocks", [(6, 10), (60, 100)], ids=["small", "reduced while decoding"])
@pytest.mark.parametrize("format", OPTIONS)
def test_prediction_is_the_same_bit_for_bit(
    trained: Path, tmp_path: Path, format: str, blocks: tuple[int, int]
) -> None:
    model = opsin.Model.load(trained)
    said = model.predict(store(mosaic(1, *blocks), tmp_path, format))
    assert said[0].error is None
    assert [each.result for each in said] == [said[0].result] * 8


@pytest.mark.parametrize("format", OPTIONS)
def test_check_sees_one_picture_and_its_upright_size(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, format: str
) -> None:
    store(mosaic(1), tmp_path / "one", format)
    mosaic(2).save(_made(tmp_path / "other") / "a.png")
    assert cli.run(["check", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    copies = [p for p in told["problems"] if "duplicate" in p["kind"]]
    assert len(copies) == 7
    assert told["sizes"]["min"] == told["sizes"]["max"] == [48, 80]


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_training_sees_one_picture(tmp_path: Path, format: str) -> None:
    data = tmp_path / "data"
    store(mosaic(1), data / "one", format)
    for index in range(12):
        mosaic(10 + index).save(_made(data / "other") / f"{index}.png")
    model = opsin.train(data, opsin.Recipe(net="lenet5", epochs=1), out=tmp_path / "run")
    splits = model.about["split"]
    assert splits["train"] + splits["validation"] + splits["test"] == 20
    # Copies stay together in a cut: all eight were learnt from, none was measured on.
    assert splits["train"] >= 8


@pytest.mark.parametrize("format", OPTIONS)
def test_training_on_any_orientation_gives_the_same_weights(tmp_path: Path, format: str) -> None:
    weights = []
    for turned in (1, 6, 7):
        data = tmp_path / f"data{turned}"
        for index in range(10):
            wanted = _made(data / "ab"[index % 2]) / f"{index}.{format.lower()}"
            store(mosaic(index), tmp_path / "all", format)[turned - 1].rename(wanted)
        recipe = opsin.Recipe(net="lenet5", epochs=1, precision="float32")
        model = opsin.train(data, recipe, out=tmp_path / f"run{turned}")
        weights.append(model.net.state_dict())
    for other in weights[1:]:
        assert all((other[name] == weights[0][name]).all() for name in other)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
