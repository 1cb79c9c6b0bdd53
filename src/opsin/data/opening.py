"""Opens picture files: a list of formats, two limits, and one error for whatever goes wrong."""

from __future__ import annotations

import io
import math
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from opsin.data.arrays import FOUR
from opsin.data.sample import shown
from opsin.errors import DataError

MOST_PIXELS = 200_000_000
MOST_BYTES = 1 << 30
SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"]
)  # in a folder, what is taken for a picture without looking inside


class Tiff(TiffImagePlugin.TiffImageFile):
    """Reads TIFF; where a fourth sample is said to be no alpha, it is kept.

    Pillow unpacks such pixels into four bytes and calls them RGB, unless each band lies by itself.
    """

    def _open(self) -> None:
        super()._open()
        other = self.tag_v2.get(TiffImagePlugin.EXTRASAMPLES) == (0,)
        together = self.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1
        if other and together and self.mode == "RGB":
            self._mode = FOUR


# The readers are called by name rather than through Image.open: no other format can be reached,
# and the size limit is ours instead of a module variable of Pillow's.
READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": Tiff,
    "GIF": GifImagePlugin.GifImageFile,
}
SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
ADAM7 = (  # first column and row, and steps, of each pass of an interlaced PNG
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


class PictureError(DataError):
    """Is raised for a picture that cannot be read; ``kind`` is the word `check` files it under."""

    def __init__(self, kind: str, received: str, *, expected: str, remedy: str = "") -> None:
        super().__init__(received, expected=expected, remedy=remedy)
        self.kind = kind


def kind_of(head: bytes) -> str | None:
    """Name the format that the first 16 bytes of a file stand for, None where it is foreign.

    >>> kind_of(b"GIF89a..")
    'GIF'
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in SIGNATURES if head.startswith(magic)), None)


def called(source: Path | bytes) -> str:
    """Return what messages call a picture: its path, or how long it is."""
    return shown(source) if isinstance(source, Path) else f"a picture of {len(source):,} bytes"


@contextmanager
def opened(source: Path | bytes) -> Iterator[tuple[ImageFile.ImageFile, str]]:
    """Open a picture whose header keeps the limits; turn whatever goes wrong into one error."""
    said = called(source)
    try:
        with _regular(source) if isinstance(source, Path) else io.BytesIO(source) as stream:
            length = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            head = stream.read(16)
            name = _accepted(head, length, said)
            stream.seek(0)
            with READERS[name](stream) as image:
                _bounded(image, said)
                if name == "PNG" and "exif" not in image.info and (exif := _exif(stream)):
                    image.info["exif"] = exif
                yield image, name
    except PictureError:
        raise
    except FileNotFoundError as error:
        raise PictureError("missing", said, expected="a file that exists") from error
    except (Exception, MemoryError) as error:  # damaged files make Pillow raise anything
        if isinstance(error, OSError) and error.errno is not None:  # it was the system, not Pillow
            why = f"{said} ({error.strerror})"
            raise PictureError("unreadable", why, expected="a file that may be read") from error
        raise _damaged(said, error) from error


def _regular(path: Path) -> IO[bytes]:
    """Open a file, but no pipe and no device: those may keep a reader waiting for ever."""
    if not stat.S_ISREG(path.stat().st_mode):
        kind = "folder" if path.is_dir() else "pipe, a socket or a device"
        raise PictureError("unreadable", f"{shown(path)}, a {kind}", expected="a file")
    return path.open("rb")


def _accepted(head: bytes, length: int, said: str) -> str:
    """Return the format of a file, or refuse it by what its first bytes and its length say."""
    if length == 0:
        expected = "a picture; this file is empty"
        raise PictureError("empty-file", said, expected=expected, remedy="Copy it here again.")
    name = kind_of(head)
    if name is None:
        remedy = "Save it as JPEG or PNG." if head[4:8] == b"ftyp" else "Remove it, or convert it."
        expected = f"a picture; its first bytes are not those of {', '.join(READERS)}"
        raise PictureError("not-an-image", said, expected=expected, remedy=remedy)
    if length > MOST_BYTES:
        expected = f"at most {MOST_BYTES >> 20:,} MB in one file"
        raise PictureError("too-large", said, expected=expected, remedy="Cut it into tiles.")
    return name


def _bounded(image: ImageFile.ImageFile, said: str) -> None:
    """Refuse a picture whose header promises no pixels, or more than memory should hold."""
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError("corrupt", said, expected=f"pixels; it is {width} × {height}")
    if width * height > MOST_PIXELS:
        raise PictureError(
            "too-large",
            f"{said} of {width:,} × {height:,} pixels",
            expected=f"at most {MOST_PIXELS // 10**6} megapixels",
            remedy="Cut it into tiles, or scale it down.",
        )


def _damaged(said: str, error: Exception) -> PictureError:
    """Return the error for a file that begins like a picture and does not go on like one."""
    why = " ".join(str(error).split())[:120] or type(error).__name__
    short = any(word in why.lower() for word in ("truncated", "not enough", "end of file", "eof"))
    kind = "truncated" if short or isinstance(error, EOFError) else "corrupt"
    return PictureError(
        kind,
        f"{said}, which is {'cut short' if kind == 'truncated' else 'damaged'} ({why})",
        expected="a whole picture",
        remedy="Copy it here again, or remove it.",
    )


def hold_to_checksums(stream: IO[bytes]) -> None:
    """Raise ``ValueError`` where a chunk of a PNG differs from its checksum.

    Pillow asks up to the first pixel and stops once it has enough of them; libpng, and so every
    browser, refuses wrong pixels too (PNG specification, 13.2). The stream is left where it was.
    """
    place = stream.tell()
    for name, length in _chunks(stream):
        sum_, left = zlib.crc32(name), length
        while left and (body := stream.read(min(left, 1 << 20))):
            sum_, left = zlib.crc32(body, sum_), left - len(body)
        said = stream.read(4)
        if left or len(said) < 4:
            break  # cut short, which Pillow notices by itself
        if sum_ != int.from_bytes(said, "big"):
            raise ValueError(f"wrong checksum of {name.decode('latin-1')}")
    stream.seek(place)


def hold_to_length(stream: IO[bytes]) -> None:
    """Raise ``EOFError`` where the pixels of a PNG end before its last row.

    Pillow leaves the rows black that packed data which ends in order does not reach.
    """
    unpacker, wanted = zlib.decompressobj(), 0
    for name, length in _chunks(stream):
        body = stream.read(length + 4)[:length]
        if name == b"IHDR":
            wanted = _raster(body)
        if name != b"IDAT":
            continue
        while body and wanted > 0 and not unpacker.eof:
            wanted -= len(unpacker.decompress(body, 1 << 20))
            body = unpacker.unconsumed_tail
    if wanted > 0:
        raise EOFError("not enough image data")


def _exif(stream: IO[bytes]) -> bytes | None:
    """Return the EXIF block of a PNG, which may stand after the pixels, without decoding those."""
    place, found = stream.tell(), None
    for name, length in _chunks(stream):
        if name == b"eXIf" and length < 1 << 20:
            found = b"Exif\0\0" + stream.read(length)
            break
        stream.seek(length + 4, io.SEEK_CUR)
    stream.seek(place)
    return found


def _chunks(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the name and length of each chunk of a PNG; the caller reads it, checksum and all."""
    stream.seek(8)
    while len(head := stream.read(8)) == 8 and head[4:] != b"IEND":
        yield head[4:], int.from_bytes(head[:4], "big")


def _raster(header: bytes) -> int:
    """Return how many bytes a PNG of this IHDR unpacks to (PNG specification, 8.2 and 9.1)."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[9]]
    passes = ADAM7 if header[12] else ((0, 0, 1, 1),)
    sizes = ((math.ceil((width - x) / dx), math.ceil((height - y) / dy)) for x, y, dx, dy in passes)
    return sum(high * (1 + (wide * bits + 7) // 8) for wide, high in sizes if wide > 0 and high > 0)
