"""The one rule from files to pixels, against pixels computed by hand."""

import io
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import encoded, put, scene
from PIL import Image, ImageOps

from opsin.data import decode as room
from opsin.data.decode import PictureError, centre, decode, look, prepare
from opsin.data.memory import Memory, held
from opsin.data.opening import READERS
from opsin.data.preprocess import Preprocessing
from opsin.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
SMALL = Preprocessing((24, 24), crop=0.75)  # works at 32 × 32


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_keep_every_pixel(format: str) -> None:
    picture = scene(0)
    wanted = np.asarray(picture).transpose(2, 0, 1)
    assert np.array_equal(decode(encoded(picture, format)), wanted)
    webp = encoded(picture, "WEBP", lossless=True)
    assert np.array_equal(decode(webp), wanted)


def test_a_file_gives_what_its_bytes_give(tmp_path: Path) -> None:
    content = encoded(scene(1), "JPEG")
    path = put(tmp_path / "wrongly named.txt", content)
    assert np.array_equal(decode(path), decode(content))
    assert np.array_equal(prepare(path, SMALL), prepare(content, SMALL))
    assert np.array_equal(decode(content), np.asarray(Image.open(path)).transpose(2, 0, 1))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_all_orientations_give_the_same_pixels(format: str, turned: int) -> None:
    upright = scene(2)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what the camera did, as Pillow numbers it
    stored = upright.transpose(Image.Transpose(undo[turned])) if turned > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"lossless": True} if format == "WEBP" else {}
    content = encoded(stored, format, exif=exif, **options)
    with Image.open(io.BytesIO(content)) as image:
        oracle = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(oracle, np.asarray(upright))
    assert np.array_equal(decode(content), oracle.transpose(2, 0, 1))
    assert np.array_equal(prepare(content, SMALL), prepare(encoded(upright), SMALL))
    assert (look(content).width, look(content).height) == upright.size


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_exif_block_does_no_harm() -> None:
    content = encoded(scene(3), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decode(content).shape == (3, 96, 128)


def test_a_png_may_name_its_orientation_after_its_pixels() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(scene(2), exif=exif)
    start, end = content.index(b"eXIf") - 4, content.index(b"IDAT") - 4
    late = content[:start] + content[end:-12] + content[start:end] + content[-12:]
    assert late.index(b"eXIf") > late.index(b"IDAT")
    assert np.array_equal(decode(late), decode(content))
    assert (look(late).width, look(late).height) == scene(2).size[::-1]


def test_a_look_decodes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for format in FORMATS:
        content = encoded(scene(2), format)
        with monkeypatch.context() as patch:
            patch.setattr(READERS["WebP" if format == "WEBP" else format], "load", None)
            assert (look(content).width, look(content).height) == (128, 96)


def test_sixteen_bits_keep_their_high_byte() -> None:
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    for format in ("PNG", "TIFF"):
        pixels = decode(encoded(Image.fromarray(values), format))
        assert pixels[:, 0].tolist() == [[0, 0, 1, 128, 255]] * 3


def test_sixteen_bits_of_colour_keep_their_high_byte() -> None:
    row = struct.pack(">6H", 0x12FF, 0x3400, 0x5680, 0xFFFF, 0, 0x0100)
    content = png(2, 1, depth=16, colour=2, body=b"\0" + row)
    assert decode(content)[:, 0].tolist() == [[0x12, 0xFF], [0x34, 0], [0x56, 1]]


def test_floats_run_from_0_to_1() -> None:
    values = np.array([[0, 0.5, 1, 7, -1, np.nan]], np.float32)
    assert decode(encoded(Image.fromarray(values), "TIFF"))[0, 0].tolist() == [
        0,
        128,
        255,
        255,
        0,
        0,
    ]


def test_wide_integers_keep_their_highest_eight_bits() -> None:
    values = np.array([[0, 1 << 23, (1 << 31) - 1, -5]], np.int32)
    assert decode(encoded(Image.fromarray(values), "TIFF"))[0, 0].tolist() == [0, 1, 255, 0]


def test_palette_one_bit_and_grey_are_looked_up_and_repeated() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    for format in ("PNG", "GIF"):
        pixels = decode(encoded(palette, format))
        assert pixels[:, 0].tolist() == [[10, 200], [20, 100], [30, 50]]
    bits = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    assert decode(encoded(bits, "PNG"))[:, 0].tolist() == [[0, 255]] * 3


def test_transparency_is_laid_over_white() -> None:
    rgba = np.array([[[100, 0, 200, 255], [100, 0, 200, 0], [100, 0, 200, 51]]], np.uint8)
    found = decode(encoded(Image.fromarray(rgba), "PNG"))[:, 0].T
    assert found.tolist() == [[100, 0, 200], [255, 255, 255], [224, 204, 244]]  # 0.2 c + 0.8 · 255
    grey = Image.fromarray(np.array([[[0, 128]]], np.uint8), "LA")
    assert decode(encoded(grey, "PNG"))[:, 0, 0].tolist() == [127] * 3
    palette = Image.new("P", (1, 1))
    palette.putpalette([10, 20, 30])
    assert decode(encoded(palette, "PNG", transparency=0))[:, 0, 0].tolist() == [255] * 3


def test_cmyk_becomes_rgb() -> None:
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for format in ("TIFF", "JPEG"):
        red = decode(encoded(ink, format))[:, 4, 4].astype(int)
        assert np.abs(red - [255, 0, 0]).max() <= 3


def test_the_first_frame_of_several_is_taken() -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    for format in ("GIF", "TIFF", "PNG", "WEBP"):
        options = {"lossless": True} if format == "WEBP" else {}
        content = encoded(red, format, save_all=True, append_images=[blue], **options)
        assert decode(content)[:, 0, 0].tolist() == [255, 0, 0]


def test_arrays_pass_and_others_are_refused() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.array_equal(decode(grey), np.stack([grey] * 3))
    assert decode(np.zeros((3, 4, 5), np.uint8)).shape == (3, 4, 5)
    for wrong in (np.zeros((5, 4, 3), np.uint8), np.zeros((4, 5)), np.zeros((0, 5), np.uint8)):
        with pytest.raises(DataError, match=r"expected uint8 of shape \(3, H, W\)"):
            decode(wrong)


# ── to the working size ─────────────────────────────────────────────────────────────────────────


def test_cover_cuts_what_hangs_over() -> None:
    picture = Image.new("RGB", (300, 100), "black")
    picture.paste("white", (100, 0, 200, 100))  # the middle third is all that is seen
    pre = Preprocessing((32, 32), crop=1.0, interpolation="bilinear")
    assert prepare(encoded(picture), pre)[:, :, 1:-1].min() == 255


def test_pad_fills_with_grey_and_squash_does_not() -> None:
    content = encoded(Image.new("RGB", (200, 100), "white"))
    padded = prepare(content, Preprocessing((32, 32), crop=1.0, fit="pad"))
    assert padded[0, :, 16].tolist() == [128] * 8 + [255] * 16 + [128] * 8
    assert prepare(content, Preprocessing((32, 32), crop=1.0, fit="squash")).min() == 255


@pytest.mark.parametrize("fit", ["cover", "pad", "squash"])
@pytest.mark.parametrize("channels", [1, 3])
@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90))
def test_prepare_always_gives_the_working_size(
    fit: str, channels: int, height: int, width: int
) -> None:
    pre = Preprocessing((20, 28), fit=fit, mean=(0.5,) * channels, std=(0.5,) * channels)
    shape = (channels, *pre.working)
    assert prepare(np.zeros((height, width), np.uint8), pre).shape == shape
    assert prepare(np.zeros((3, height, width), np.uint8), pre).shape == shape


def test_prepare_is_pillows_resize_of_the_central_box() -> None:
    picture = scene(4, 90, 140)
    box = (25, 0, 115, 90)
    wanted = picture.resize((32, 32), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    assert np.array_equal(prepare(encoded(picture), SMALL), np.asarray(wanted).transpose(2, 0, 1))


def test_luma_is_that_of_itu_601() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    grey = Preprocessing((32, 32), crop=1.0, mean=(0.5,), std=(0.5,))
    wanted = np.tensordot([0.299, 0.587, 0.114], pixels.astype(float), 1)
    assert np.abs(prepare(pixels, grey)[0] - wanted).max() <= 0.51


def test_a_large_jpeg_read_at_reduced_scale_looks_like_itself() -> None:
    picture = scene(5, 1500, 2000)
    pre = Preprocessing((64, 64))
    reduced = prepare(encoded(picture, "JPEG", quality=95), pre).astype(int)
    assert np.abs(reduced - prepare(encoded(picture, "BMP"), pre)).mean() < 2


def test_centre_is_the_middle() -> None:
    images = np.arange(6 * 6, dtype=np.uint8).reshape(1, 1, 6, 6)
    seen = centre(images, Preprocessing((4, 2), crop=1.0))
    assert np.array_equal(seen, images[:, :, 1:5, 2:4])
    assert np.shares_memory(seen, images)


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 2,
    body: bytes = b"",
    interlaced: int = 0,
) -> bytes:
    """Build a PNG by hand, also one that promises more than it has."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    pieces = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty-file"),
        (b"<html>not found</html>", "not-an-image"),
        (b"%PDF-1.7 ...", "not-an-image"),
        (b"\0\0\0\x18ftypheic", "not-an-image"),
        (png(40_000, 40_000), "too-large"),
        (png(14_000, 14_000, depth=16, colour=6), "too-large"),  # in memory, not in pixels
        (png(10, 10, body=b"\0"), "truncated"),
        (encoded(scene(6), "JPEG")[:900], "truncated"),
        (encoded(scene(6), "GIF")[:-200], "truncated"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, kind: str, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jpg", content)
    for source in (path, content):
        with pytest.raises(PictureError, match=r"received .* expected") as caught:
            decode(source)
        assert caught.value.kind == kind
    with pytest.raises(DataError, match=r"a\.jpg"):
        prepare(path, SMALL)


def test_a_png_is_held_to_its_checksums() -> None:
    whole = bytearray(encoded(scene(8)))
    whole[whole.index(b"IDAT") + 300] ^= 1
    with pytest.raises(PictureError, match="wrong checksum of IDAT"):
        decode(bytes(whole))


@pytest.mark.parametrize("colour", ["RGB", "L", "1", "P", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("rows", [0, 1, 20])
def test_a_png_whose_pixels_end_in_order_too_early_is_cut_short(colour: str, rows: int) -> None:
    picture = Image.new(colour, (30, 21))
    if colour == "P":
        picture.putpalette(bytes(range(256)) * 3)  # else a pixel would take one bit
    whole = encoded(picture)
    head = whole[: whole.index(b"IDAT") - 4]
    width, each = 30, {"L": 1, "P": 1, "1": 1 / 8, "RGB": 3, "RGBA": 4}.get(colour, 2)
    line = 1 + -int(-width * each // 1)
    for cut, packed in ((True, rows), (False, 21)):
        data = b"IDAT" + zlib.compress(bytes(line * packed))
        data = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
        content = head + data + whole[-12:]
        if cut:
            with pytest.raises(PictureError, match="cut short") as caught:
                decode(content)
            assert caught.value.kind == "truncated"
        else:
            assert not np.ptp(
                decode(content), axis=(1, 2)
            ).any()  # one even colour is a picture too


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5), (8, 8), (13, 9), (33, 64)])
def test_the_passes_of_an_interlaced_png_are_counted(size: tuple[int, int]) -> None:
    width, height = size
    seven = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    lengths = [
        len(range(y, height, dy)) * (1 + 3 * len(range(x, width, dx)))
        for x, y, dx, dy in [*seven, (0, 1, 1, 2)]
        if range(x, width, dx)
    ]
    for missing in (0, 1):
        content = png(width, height, interlaced=1, body=bytes(sum(lengths) - missing))
        if missing:
            with pytest.raises(PictureError):
                decode(content)
        else:
            assert decode(content).shape == (3, height, width)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_pipes_devices_and_links_in_a_circle_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    said = {"pipe": "a pipe", "zero": "a pipe", "self": "Too many levels of symbolic links"}
    for name, why in said.items():
        for read in (decode, look, lambda source: prepare(source, SMALL)):
            with pytest.raises(PictureError, match=why) as caught:
                read(tmp_path / f"{name}.jpg")
            assert caught.value.kind == "unreadable"


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    for path, kind in ((tmp_path / "none.jpg", "missing"), (tmp_path, "unreadable")):
        with pytest.raises(PictureError) as caught:
            decode(path)
        assert caught.value.kind == kind


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow; users see them, nothing else
@pytest.mark.parametrize("format", FORMATS)
def test_mutated_files_raise_nothing_but_data_errors(format: str) -> None:
    whole = encoded(scene(7, 24, 32), format)
    draws = np.random.default_rng(FORMATS.index(format))
    for _ in range(120):
        broken = bytearray(whole)
        for place in draws.integers(0, len(whole), draws.integers(1, 6)):
            broken[place] = draws.integers(256)
        if draws.random() < 0.4:
            del broken[draws.integers(len(broken)) :]
        for read in (decode, look, lambda source: prepare(source, SMALL)):
            try:
                read(bytes(broken))
            except DataError as error:
                assert "expected" in str(error)


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "CMYK", "I;16", "I", "F"])
def test_converting_in_bands_changes_no_pixel(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 30, 4), np.uint8)
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        picture = Image.fromarray((values[..., 0] * (1 if mode != "F" else 1 / 255)).astype(kind))
    else:
        picture = Image.fromarray(values).convert(mode)
    content = encoded(picture, "TIFF")
    whole = decode(content)
    monkeypatch.setattr(room, "BAND", 70)  # two rows at a time
    assert np.array_equal(decode(content), whole)


@pytest.mark.parametrize(
    ("format", "mode", "options", "each"),
    [
        ("PNG", "RGB", {}, 4),  # Pillow keeps three channels in four bytes
        ("PNG", "L", {}, 1),
        ("PNG", "RGBA", {}, 8),  # itself, and what it is converted to
        ("PNG", "P", {}, 5),
        ("JPEG", "RGB", {}, 4),
        ("JPEG", "RGB", {"progressive": True}, 10),
        ("TIFF", "RGB", {}, 4),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "strip_size": 1 << 20}, 8),
        ("WEBP", "RGB", {}, 17),
    ],
)
def test_what_decoding_holds(format: str, mode: str, options: dict[str, object], each: int) -> None:
    content = encoded(scene(9, 100, 80).convert(mode), format, **options)
    with READERS["WebP" if format == "WEBP" else format](io.BytesIO(content)) as image:
        assert held(image, image.size, turned=False) == 8000 * each


def test_threads_never_take_more_than_there_is() -> None:
    memory, most = Memory(100), []

    def work(amount: int) -> None:
        for _ in range(20):
            with memory.taken(amount):
                most.append((memory.used, amount))

    threads = [threading.Thread(target=work, args=(n,)) for n in (30, 40, 50, 60, 70, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(most) == 120 and memory.used == 0
    assert all(used <= 100 or used == amount == 500 for used, amount in most)


def test_an_error_gives_memory_back() -> None:
    memory = Memory(1)
    for _ in range(2):
        with pytest.raises(PictureError):
            prepare(encoded(scene(6), "JPEG")[:900], SMALL, memory)
    assert memory.used == 0
