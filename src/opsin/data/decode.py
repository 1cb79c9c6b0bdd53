"""Pictures, whatever they come as, become uint8 arrays (3, H, W) or (4, H, W) by one stated rule.

The rule, in this order:

1. Only JPEG, PNG, WebP, BMP, TIFF and GIF are read, told apart by their first bytes, not by name.
2. The header may promise at most 200 megapixels, and at most 1 GiB while they are decoded; more is
   refused before memory is taken.
3. Of several frames or pages the first is taken.
4. The EXIF orientation is applied; one that cannot be read counts as upright.
5. Numbers become 8 bit by the full range of their type: 16 bits keep their high byte, wider
   integers their highest eight bits (negative is 0), floats are 0..1 (outside is cut, NaN is 0).
6. Palettes are looked up; what is transparent is laid over white; CMYK becomes RGB; grey is
   repeated three times.
7. A TIFF whose pixels are red, green, blue and a fourth sample that is said to be no alpha
   (ExtraSamples 0: near infrared) keeps its fourth band; a net of fewer channels sees the others.

Shapes: H, W of the picture (upright), h, w of the working size, B bands (3 or 4), C channels of the
net (1, 3 or 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.Image import Transpose

from opsin.data.arrays import FOUR, MODES, bands, from_array, to_array
from opsin.data.memory import MOST_DECODED, Memory, held
from opsin.data.opening import (
    MOST_PIXELS,
    SUFFIXES,
    PictureError,
    called,
    hold_to_checksums,
    hold_to_length,
    kind_of,
    opened,
)
from opsin.data.preprocess import Preprocessing
from opsin.data.scaling import draft, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opsin.data.sample import Source

    Pixels = NDArray[np.uint8]

__all__ = [
    "SUFFIXES",
    "Facts",
    "PictureError",
    "centre",
    "decode",
    "full",
    "kind_of",
    "look",
    "prepare",
]

ORIENTATION = 0x0112  # EXIF 2.32, 4.6.4 A
TIFF_WIDTH, TIFF_HEIGHT = 256, 257  # tags of TIFF 6.0
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
BAND = 1 << 20  # pixels whose colours are converted at once


@dataclass(frozen=True, slots=True)
class Facts:
    """Says what a header promises: the upright size, the colour mode and the file format."""

    width: int
    height: int
    mode: str
    format: str

    @property
    def bands(self) -> int:
        """Return how many bands ``decode`` gives: 3 or 4."""
        return 4 if self.mode == FOUR else 3


def decode(source: Source) -> Pixels:
    """Return a picture as uint8 (B, H, W), red, green and blue first, by the rule above.

    ``source`` is a file, the bytes of one, or pixels (B, H, W) or (H, W), which are only checked.
    ``decode(source)[:3]`` is what a person sees of it.
    Raises ``PictureError`` for what is missing, empty, damaged, foreign or over-large.

    >>> import numpy as np
    >>> decode(np.zeros((2, 5), np.uint8)).shape
    (3, 2, 5)
    """
    if isinstance(source, np.ndarray):
        array = _checked(source)
        return np.broadcast_to(array, (3, *array.shape)) if array.ndim == 2 else array
    with _upright(source) as image:
        plain = _eight_bit(image)
        return to_array(plain.convert("RGB") if plain.mode == "L" else plain)


def prepare(source: Source, pre: Preprocessing, memory: Memory | None = None) -> Pixels:
    """Return a picture at the working size of ``pre``, uint8 (C, h, w), in one resize.

    Large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size where that leaves at least twice the
    working size, which is what makes a 24-megapixel photo cheap. Threads that share a ``memory``
    wait for each other where pictures are so large that it would run out.

    >>> import numpy as np
    >>> prepare(np.zeros((40, 50), np.uint8), Preprocessing((28, 28))).shape
    (3, 32, 32)
    """
    return sized(source, pre, memory)[0]


def sized(
    source: Source, pre: Preprocessing, memory: Memory | None = None
) -> tuple[Pixels, tuple[int, int]]:
    """Return a picture at the working size, uint8 (C, h, w), and the (height, width) it had.

    Raises ``PictureError`` as ``decode`` does, and for fewer bands than the net sees.
    """
    if isinstance(source, np.ndarray):
        if _ready(source, pre):
            return source.reshape(pre.channels, *pre.working), pre.working
        image = from_array(_checked(source))
        return fit(image, pre, "an array"), (image.height, image.width)
    with _upright(source, pre, memory) as upright:
        return fit(_eight_bit(upright), pre, called(source)), upright.info["opsin_size"]


def centre(images: Pixels, pre: Preprocessing) -> Pixels:
    """Return the central crop (N, C, H, W) the net sees of working-size pictures (N, C, h, w).

    >>> import numpy as np
    >>> centre(np.zeros((2, 3, 256, 256), np.uint8), Preprocessing((224, 224))).shape
    (2, 3, 224, 224)
    """
    height, width = pre.size
    top, left = ((a - b) // 2 for a, b in zip(images.shape[-2:], pre.size, strict=True))
    return images[..., top : top + height, left : left + width]


def look(source: Source) -> Facts:
    """Return what the header says, without decoding; raise ``PictureError`` as ``decode`` does."""
    if isinstance(source, np.ndarray):
        height, width = _checked(source).shape[-2:]
        return Facts(width, height, MODES[bands(source)], "array")
    with opened(source) as (image, name):
        height, width = _size(image)
        return Facts(width, height, image.mode, name)


def full(source: Source) -> Image.Image:
    """Return a picture upright at its full size, mode L, RGB or RGBX: to cut parts from.

    Raises ``PictureError`` as ``decode`` does.
    """
    if isinstance(source, np.ndarray):
        return from_array(_checked(source))
    with _upright(source) as upright:
        return _eight_bit(upright)


# ── turning ───────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _upright(
    source: Path | bytes, pre: Preprocessing | None = None, memory: Memory | None = None
) -> Iterator[Image.Image]:
    """Decode a picture and turn it upright; its full (height, width) is in ``info``."""
    with opened(source) as (image, name):
        if name == "PNG" and image.fp is not None:
            hold_to_checksums(image.fp)
        turned = _orientation(image)
        height, width = _size(image)
        if pre is not None:
            draft(image, pre, (height, width), turned)
        amount = held(image, (height, width), turned=turned > 1)
        if amount > MOST_DECODED:
            raise _too_much(image, amount, called(source))
        with nullcontext() if memory is None else memory.taken(amount):
            if name == "PNG" and image.fp is not None:
                _loaded_whole(image, image.fp)
            image.load()
            image.info["opsin_size"] = (height, width)
            # Pillow itself turns a TIFF while loading, and then forgets the tag
            move = UPRIGHT.get(_orientation(image))
            upright = image.transpose(move) if move is not None else image
            yield upright


def _too_much(image: Image.Image, amount: int, said: str) -> PictureError:
    """Return the error for a picture that keeps the limit of pixels, but not that of memory."""
    return PictureError(
        "too-large",
        f"{said} of {image.width:,} × {image.height:,} pixels, which take {amount >> 20:,} MB",
        expected=f"at most {MOST_DECODED >> 20:,} MB while it is decoded",
        remedy="Cut it into tiles, scale it down, or save it as JPEG.",
    )


def _loaded_whole(image: Image.Image, stream: IO[bytes]) -> None:
    """Decode a PNG; raise ``EOFError`` where its data ends, in good order, before its last row.

    Rows come in order, so that all are there if the last has anything in it; otherwise, and where
    they are interlaced, the data is unpacked once more and counted.
    """
    interlaced = image.info.get("interlace")
    image.load()
    last = image.crop((0, image.height - 1, image.width, image.height))
    if interlaced or not np.asarray(last).any():
        hold_to_length(stream)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1..8; 1 where there is none that makes sense."""
    try:
        value = Image.Image.getexif(image).get(ORIENTATION, 1)  # that of PNG would decode it first
    except Exception:  # a damaged EXIF block does not make the pixels worse
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _size(image: Image.Image) -> tuple[int, int]:
    """Return the upright (height, width) of a picture that is not decoded yet."""
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # some Pillows turn this size, some do not
        width, height = (image.tag_v2[tag] for tag in (TIFF_WIDTH, TIFF_HEIGHT))
    return (width, height) if _orientation(image) >= 5 else (height, width)


# ── arrays ──────────────────────────────────────────────────────────────────────────────────────


def _ready(array: Pixels, pre: Preprocessing) -> bool:
    """Return whether pixels need no work at all: the working size and the right channels."""
    return array.dtype == np.uint8 and (
        array.shape == (pre.channels, *pre.working)
        or (pre.channels == 1 and array.shape == pre.working)
    )


def _checked(array: Pixels) -> Pixels:
    """Return pixels of shape (B, H, W) or (H, W); raise ``PictureError`` for anything else."""
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[0] in (3, 4))
    if array.dtype != np.uint8 or not shaped or 0 in array.shape:
        remedy = "Use array.transpose(2, 0, 1)." if array.ndim == 3 else ""
        raise PictureError(
            "not-an-image",
            f"an array of {array.dtype} {array.shape}",
            expected="uint8 of shape (3, H, W), RGB, (4, H, W), RGB and a band, or (H, W), grey",
            remedy=remedy,
        )
    if array.shape[-1] * array.shape[-2] > MOST_PIXELS:
        expected = f"at most {MOST_PIXELS // 10**6} megapixels"
        raise PictureError("too-large", f"an array of {array.shape}", expected=expected)
    return array


# ── colours ─────────────────────────────────────────────────────────────────────────────────────


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture in 8-bit mode L, RGB or RGBX, transparency laid over white.

    What needs converting is converted in bands of rows, so that no step copies all of it.
    """
    if image.mode in MODES.values() and not image.has_transparency_data:
        return image
    depth, rows = _depth(image), max(1, BAND // image.width)
    whole = None
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        band = _converted(image.crop(box), depth)
        whole = whole or Image.new(band.mode, image.size)
        whole.paste(band, box)
    assert whole is not None  # no picture is without rows
    return whole


def _converted(band: Image.Image, depth: tuple[int, bool]) -> Image.Image:
    """Return a band of a picture in mode L or RGB."""
    if band.mode.startswith("I") or band.mode == "F":
        return Image.fromarray(_narrow(band, *depth))
    if band.has_transparency_data:
        rgba = band.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return band.convert("L" if band.mode == "1" else "RGB")


def _depth(image: Image.Image) -> tuple[int, bool]:
    """Return how many bits an integer of a picture has, and whether one is its sign."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 16, False
    bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
    return bits, image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == 2


def _narrow(image: Image.Image, bits: int, signed: bool) -> Pixels:
    """Return 16-bit, 32-bit or float grey as 8 bit, by the full range of its type, (H, W)."""
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "F":
        unit: NDArray[np.float32] = np.nan_to_num(np.clip(values, 0, 1), nan=0.0)
        rounded: Pixels = np.rint(unit * 255).astype(np.uint8)
        return rounded
    if image.mode.startswith("I;16"):
        return (values >> 8).astype(np.uint8)
    wide: NDArray[np.int64] = values.astype(np.int64)
    wide = np.maximum(wide, 0) if signed else wide % (1 << bits)
    narrow: Pixels = np.clip(wide >> (bits - signed - 8), 0, 255).astype(np.uint8)
    return narrow
