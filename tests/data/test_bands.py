"""Pictures of four bands: what keeps the fourth, what shows three, and who refuses three."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import drained, put
from PIL import Image

import opsin
from banded import field, noise, tiff
from opsin.data import formats, tiles
from opsin.data.arrays import to_array
from opsin.data.cache import fill
from opsin.data.dataset import Dataset
from opsin.data.decode import PictureError, decode, full, look, prepare
from opsin.data.drawn import Album
from opsin.data.memory import held
from opsin.data.opening import READERS
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample

FOUR = Preprocessing((16, 24), crop=1.0, mean=(0.5,) * 4, std=(0.5,) * 4)
THREE = Preprocessing((16, 24), crop=1.0, mean=(0.5,) * 3, std=(0.5,) * 3)
GREY = Preprocessing((16, 24), crop=1.0, mean=(0.5,), std=(0.5,))


def by_another_hand(pixels: np.ndarray, extra: str, **options: Any) -> bytes:
    """Return pixels (4, H, W) as a TIFF file that tifffile writes."""
    buffer = io.BytesIO()
    turned = pixels.transpose(1, 2, 0)
    tifffile.imwrite(buffer, turned, photometric="rgb", extrasamples=[extra], **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "deflate", "predictor": True}, {"tile": (16, 16)}, {"byteorder": ">"}],
)
def test_four_bands_come_back_as_they_were_written(options: dict[str, Any]) -> None:
    pixels = noise(0)
    content = by_another_hand(pixels, "unspecified", **options)
    assert np.array_equal(decode(content), pixels)
    assert np.array_equal(to_array(full(content)), pixels)
    assert look(content).bands == 4
    sixteen = by_another_hand(pixels * np.uint16(256) + np.uint16(7), "unspecified", **options)
    assert np.array_equal(decode(sixteen), pixels)


@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha"])
def test_a_fourth_band_that_is_alpha_is_laid_over_white(extra: str) -> None:
    content = by_another_hand(noise(0), extra)
    assert decode(content).shape == (3, 37, 53)
    assert look(content).bands == 3


def test_orientation_turns_all_four() -> None:
    pixels = noise(1)
    exif = Image.Exif()
    exif[274] = 6
    assert np.array_equal(decode(tiff(pixels, exif=exif)), np.rot90(pixels, -1, (1, 2)))


def test_a_net_sees_the_bands_it_was_made_for() -> None:
    pixels = noise(2)
    for source in (pixels, tiff(pixels)):
        seen = prepare(source, FOUR)
        assert seen.shape == (4, 16, 24)
        assert np.array_equal(prepare(source, THREE), prepare(pixels[:3], THREE))
        assert np.array_equal(seen[:3], prepare(pixels[:3], THREE))
        assert np.array_equal(seen[3:], prepare(pixels[3], GREY))
        assert np.array_equal(prepare(source, GREY), prepare(pixels[:3], GREY))


def test_what_pads_is_grey_in_four_bands() -> None:
    square = Preprocessing((32, 32), 1.0, "pad", "bilinear", (0.5,) * 4, (0.5,) * 4)
    assert (prepare(noise(3), square)[:, 0] == 128).all()


@pytest.mark.parametrize("bands", [1, 3])
def test_fewer_bands_than_the_net_sees_are_refused(bands: int, tmp_path: Path) -> None:
    pixels = noise(4)[0] if bands == 1 else noise(4)[:3]
    for source in (pixels, put(tmp_path / "three.tif", tiff(pixels))):
        with pytest.raises(PictureError, match=rf"of {bands} bands?; expected 4 bands") as caught:
            prepare(source, FOUR)
        assert caught.value.kind == "too-few-bands"


def test_what_decoding_four_bands_holds() -> None:
    with READERS["TIFF"](io.BytesIO(tiff(noise(5)))) as image:
        assert held(image, image.size, turned=False) == 37 * 53 * 4


def test_the_cache_keeps_four_and_names_those_of_three(tmp_path: Path) -> None:
    truth = opsin.Label("a")
    samples = [
        Sample(put(tmp_path / f"{n}.tif", tiff(noise(n, b))), truth) for n, b in [(0, 4), (1, 3)]
    ]
    pixels, _ = drained(fill(samples, FOUR, folder=tmp_path / "kept"))
    assert pixels.images.shape == (2, 4, 16, 24)
    assert np.array_equal(pixels.images[0], prepare(noise(0), FOUR))
    assert [problem.kind for problem in pixels.problems] == ["too-few-bands"]


def test_twins_are_told_by_what_a_person_sees() -> None:
    smooth = Image.fromarray(noise(6, 3, 4, 4).transpose(1, 2, 0)).resize((64, 64))
    twin = np.concatenate([to_array(smooth), noise(7, 1, 64, 64)])
    lighter = np.clip(twin.astype(int) + 9, 0, 255).astype(np.uint8)
    other = noise(8, 4, 64, 64)
    pixels, _ = drained(fill([Sample(each) for each in (twin, lighter, other)], FOUR))
    assert pixels.hashes[0] == pixels.hashes[1] != pixels.hashes[2]


def test_a_drawn_picture_shows_three(tmp_path: Path) -> None:
    pixels, truth = field(0)
    path = Album(tmp_path).add(tiff(pixels), "field.tif", truth)
    assert decode(path).shape == (3, 48, 48)


def test_tiles_and_written_pixels_keep_the_fourth(tmp_path: Path) -> None:
    pixels, truth = field(1, 64)
    data = Dataset((Sample(put(tmp_path / "one.tif", tiff(pixels)), truth, name="one.tif"),), "one")
    cut = tiles.cut(data, tiles.Tiling(32, 0.0), tmp_path / "tiles")
    assert np.array_equal(decode(cut.samples[1].image), pixels[:, :32, 32:])
    labelled = Dataset((Sample(pixels, opsin.Label("a"), name="one.png"),), "one")
    formats.write(labelled, tmp_path / "written", "folder")
    again = Dataset.read(tmp_path / "written").samples[0].image
    assert np.array_equal(decode(again), pixels)
