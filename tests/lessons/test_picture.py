"""Filtered pictures against scipy, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from opsin.errors import DataError, InputError, SizeError
from opsin.lessons import gallery, picture
from opsin.ops.arithmetic import Window
from opsin.ops.kernels import GALLERY, Kernel, parse

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 37, 50), np.uint8)


def read(path: Path) -> Image.Image:
    """Return a picture, its file closed again."""
    with Image.open(path) as image:
        image.load()
        return image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Write a picture and give its path."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.ascontiguousarray(PIXELS.transpose(1, 2, 0))).save(path)
    return path


def scipys(kernel: Kernel, stride: int, padding: int, dilation: int) -> Any:
    """Return what scipy makes of each colour, (3, N, M): zeros around, then every stride-th."""
    values = np.array(kernel.values)
    spread = np.zeros([dilation * (side - 1) + 1 for side in values.shape])
    spread[::dilation, ::dilation] = values
    padded = np.pad(PIXELS.astype(float), ((0, 0), (padding,) * 2, (padding,) * 2))
    top, left = (side // 2 for side in spread.shape)
    maps = [ndimage.correlate(colour, spread, mode="constant") for colour in padded]
    rows, columns = (n - s + 1 for n, s in zip(padded.shape[1:], spread.shape, strict=True))
    whole = np.stack(maps)[:, top : top + rows, left : left + columns]
    return whole[:, ::stride, ::stride]


BOX = ";".join(" ".join(["1/15"] * 15) for _ in range(15))  # so large that waves are cheaper


@pytest.mark.parametrize("text", [*GALLERY, "1 2 -3; 0 1/3 .5", BOX])
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, 4, 2)])
@pytest.mark.parametrize("band", [1, 1 << 20])
def test_colours_are_filtered_as_scipy_does(
    monkeypatch: pytest.MonkeyPatch, text: str, stride: int, padding: int, dilation: int, band: int
) -> None:
    monkeypatch.setattr(picture, "BAND", band)
    kernel = parse(text)
    window = Window(kernel.size, stride, padding, dilation)
    wanted = scipys(kernel, stride, padding, dilation)
    parts = [values for _, values in picture.bands(PIXELS, kernel, window)]
    assert np.allclose(np.concatenate(parts, axis=1), wanted, rtol=1e-5, atol=1e-2)
    seen, low, high = picture.slide(PIXELS, kernel, window, "clip")
    assert np.abs(seen - np.clip(wanted, 0, 255)).max() <= 0.51
    assert (low, high) == pytest.approx((wanted.min(), wanted.max()), rel=1e-5, abs=1e-2)


def test_ways_to_show_what_is_negative(photo: Path, tmp_path: Path) -> None:
    values = scipys(GALLERY["sobel-y"], 1, 0, 1)
    largest = np.abs(values).max()
    wanted = {
        "clip": np.clip(values, 0, 255),
        "absolute": np.minimum(np.abs(values), 255),
        "rescale": 128 + 127 * values / largest,
    }
    assert set(wanted) == set(picture.SIGNED)
    for signed, each in wanted.items():
        out = tmp_path / f"{signed}.png"
        found = picture.filter_file(photo, GALLERY["sobel-y"], Window(3), out, signed=signed)
        seen = np.asarray(read(out)).transpose(2, 0, 1)
        assert np.abs(seen - each).max() <= 0.51
        assert found.shown == signed
        assert (found.low, found.high) == (values.min(), values.max())
        assert (found.before, found.after) == ((37, 50), (35, 48))
    for name, kernel in GALLERY.items():
        assert picture.way_to_show("auto", kernel) == ("clip" if kernel.total else "rescale"), name


def test_whether_the_size_comes_out_even_is_said(photo: Path, tmp_path: Path) -> None:
    out, kernel = tmp_path / "out.png", GALLERY["box-blur"]
    even = picture.filter_file(photo, kernel, Window(3), out)
    assert even.uneven == ()
    assert "The size comes out even." in even.lines()
    odd = picture.filter_file(photo, kernel, Window(3, 3), out)
    assert [each.split()[0] for each in odd.uneven] == ["height", "width"]
    assert "12.33 is not an integer" in odd.uneven[0]
    assert all(each in odd.lines() for each in odd.uneven)
    assert odd.to_dict()["after"] == [12, 16]


def test_blank_and_tiny_pictures_come_through(tmp_path: Path) -> None:
    path, out = tmp_path / "blank.png", tmp_path / "out.png"
    Image.new("L", (3, 3), 90).save(path)
    found = picture.filter_file(path, GALLERY["edge-outline"], Window(3), out)
    assert (found.low, found.high, found.after) == (0, 0, (1, 1))
    assert np.asarray(read(out)).tolist() == [[[128] * 3]]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp", "a.bmp"])
def test_formats_that_are_written(photo: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "new" / name
    picture.filter_file(photo, GALLERY["gaussian-5"], Window(5), out)
    assert read(out).size == (46, 33)


WRONG = {
    "no picture's name": (InputError, "out.gif", Window(3), "clip"),
    "no name": (InputError, "", Window(3), "clip"),
    "the picture itself": (InputError, "photo.png", Window(3), "clip"),
    "a folder": (DataError, "folder.png", Window(3), "clip"),
    "a folder that is a file": (DataError, "photo.png/out.png", Window(3), "clip"),
    "too small for it": (SizeError, "out.png", Window(3, dilation=20), "clip"),
    "padded beyond measure": (SizeError, "out.png", Window(3, padding=10**6), "clip"),
    "a word that is none": (InputError, "out.png", Window(3), "loud"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_leaves_nothing_behind(photo: Path, tmp_path: Path, name: str) -> None:
    error, out, window, signed = WRONG[name]
    (tmp_path / "folder.png").mkdir()
    before, bytes_before = sorted(tmp_path.rglob("*")), photo.read_bytes()
    with pytest.raises(error) as caught:
        picture.filter_file(
            photo, GALLERY["sharpen"], window, tmp_path / out if out else "", signed=signed
        )
    assert caught.value.exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before
    assert photo.read_bytes() == bytes_before


def test_a_side_too_long_for_its_format_is_said(tmp_path: Path) -> None:
    out = tmp_path / "wide.webp"
    with pytest.raises(DataError, match="for WebP"):
        picture.write(out, np.zeros((3, 1, 17000), np.uint8))
    assert not list(tmp_path.iterdir())


# ── the gallery ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [(37, 50), (5, 5), (1000, 60), (20, 3000)])
def test_gallery_shows_every_kernel(tmp_path: Path, size: tuple[int, int]) -> None:
    path, out = tmp_path / "photo.png", tmp_path / "kernels.png"
    grey = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    Image.fromarray(grey).save(path)
    found = gallery.draw_file(path, out)
    assert found.kernels == tuple(GALLERY)
    assert read(out).size == found.size[::-1]


def test_gallery_lays_out_what_the_kernels_make() -> None:
    kernel = GALLERY["box-blur"]
    made = gallery.shaded(PIXELS, kernel, Window(3))
    sheet = gallery.draw([(kernel, made)] * 7)
    times = gallery.SIDE // 48
    shown = made.repeat(times, 1).repeat(times, 2)
    high, wide = shown.shape[1:]
    for row, column in [(0, 0), (0, 4), (1, 1)]:
        top = gallery.HEAD + row * (high + gallery.FOOT + gallery.GAP)
        left = gallery.GAP + column * (wide + gallery.GAP)
        assert np.array_equal(sheet[:, top : top + high, left : left + wide], shown)
    background = sheet[:, -1, -1]
    last = gallery.HEAD + high + gallery.FOOT + gallery.GAP
    empty = sheet[:, last : last + high, gallery.GAP + 2 * (wide + gallery.GAP) :]
    assert (empty == background[:, None, None]).all()  # seven cards: the eighth place is empty


def test_gallery_of_a_picture_smaller_than_a_kernel_is_refused(tmp_path: Path) -> None:
    path, out = tmp_path / "photo.png", tmp_path / "kernels.png"
    Image.new("L", (4, 40)).save(path)
    with pytest.raises(SizeError, match="40×4"):
        gallery.draw_file(path, out)
    assert not out.exists()
    gallery.draw_file(path, out, padding="same")
