"""Pictures, whatever they come as, become uint8 arrays of shape (3, H, W) by one stated rule.

The rule, in this order:

1. Only JPEG, PNG, WebP, BMP, TIFF and GIF are read, told apart by their first bytes, not by name.
2. The header may promise at most 200 megapixels; more is refused before memory is taken.
3. Of several frames or pages the first is taken.
4. The EXIF orientation is applied; one that cannot be read counts as upright.
5. Numbers become 8 bit by the full range of their type: 16 bits keep their high byte, wider
   integers their highest eight bits (negative is 0), floats are 0..1 (outside is cut, NaN is 0).
6. Palettes are looked up; what is transparent is laid over white; CMYK becomes RGB; grey is
   repeated three times.

Shapes: H, W of the picture (upright), h, w of the working size, C channels of the net (1 or 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.Image import Resampling, Transpose

from opsin.data.opening import (
    MOST_PIXELS,
    SUFFIXES,
    PictureError,
    hold_to_checksums,
    kind_of,
    opened,
)
from opsin.data.preprocess import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opsin.data.sample import Source

    Pixels = NDArray[np.uint8]

__all__ = ["SUFFIXES", "Facts", "PictureError", "centre", "decode", "kind_of", "look", "prepare"]

GREY = 128  # what `pad` fills with
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
FILTERS = {"bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}


@dataclass(frozen=True, slots=True)
class Facts:
    """Says what a header promises: the upright size, the colour mode and the file format."""

    width: int
    height: int
    mode: str
    format: str


def decode(source: Source) -> Pixels:
    """Return a picture as uint8 RGB of shape (3, H, W), by the rule at the head of this file.

    ``source`` is a file, the bytes of one, or pixels (3, H, W) or (H, W), which are only checked.
    Raises ``PictureError`` for what is missing, empty, damaged, foreign or over-large.

    >>> import numpy as np
    >>> decode(np.zeros((2, 5), np.uint8)).shape
    (3, 2, 5)
    """
    if isinstance(source, np.ndarray):
        array = _checked(source)
        return np.broadcast_to(array, (3, *array.shape)) if array.ndim == 2 else array
    with _upright(source) as image:
        return np.asarray(_eight_bit(image).convert("RGB")).transpose(2, 0, 1)  # (3, H, W)


def prepare(source: Source, pre: Preprocessing) -> Pixels:
    """Return a picture at the working size of ``pre``, uint8 (C, h, w), in one resize.

    Large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size where that leaves at least twice the
    working size, which is what makes a 24-megapixel photo cheap.

    >>> import numpy as np
    >>> prepare(np.zeros((40, 50), np.uint8), Preprocessing((28, 28))).shape
    (3, 32, 32)
    """
    if isinstance(source, np.ndarray) and _ready(source, pre):
        return source.reshape(pre.channels, *pre.working)
    return to_array(fitted(source, pre)[0])


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
        return Facts(width, height, "L" if source.ndim == 2 else "RGB", "array")
    with opened(source) as (image, name):
        height, width = _size(image)
        return Facts(width, height, image.mode, name)


def fitted(source: Source, pre: Preprocessing) -> tuple[Image.Image, tuple[int, int]]:
    """Return a picture at the working size, mode L or RGB, and the (height, width) it had."""
    mode = "L" if pre.channels == 1 else "RGB"
    if isinstance(source, np.ndarray):
        image = _from_array(_checked(source))
        size = image.height, image.width
    else:
        with _upright(source, pre) as opened:
            image, size = _eight_bit(opened), opened.info["opsin_size"]
    if image.mode != "L" or mode == "L":
        image = image.convert(mode)  # grey is repeated after the resize: a third of the work
    return _fit(image, pre).convert(mode), size


def to_array(image: Image.Image) -> Pixels:
    """Return a picture of mode L or RGB as uint8 (C, H, W)."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)  # (C, H, W)


# ── turning and scaling ─────────────────────────────────────────────────────────────────────────


@contextmanager
def _upright(source: Path | bytes, pre: Preprocessing | None = None) -> Iterator[Image.Image]:
    """Decode a picture and turn it upright; its full (height, width) is in ``info``."""
    with opened(source) as (image, name):
        if name == "PNG" and image.fp is not None:
            hold_to_checksums(image.fp)
        turned = _orientation(image)
        height, width = _size(image)
        if pre is not None:
            _draft(image, pre, (height, width), turned)
        image.load()
        image.info["opsin_size"] = (height, width)
        # Pillow itself turns a TIFF while loading, and then forgets the tag
        move = UPRIGHT.get(_orientation(image))
        upright = image.transpose(move) if move is not None else image
        yield upright


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1..8; 1 where there is none that makes sense."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block does not make the pixels worse
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _size(image: Image.Image) -> tuple[int, int]:
    """Return the upright (height, width) of a picture that is not decoded yet."""
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # some Pillows turn this size, some do not
        width, height = (image.tag_v2[tag] for tag in (TIFF_WIDTH, TIFF_HEIGHT))
    return (width, height) if _orientation(image) >= 5 else (height, width)


def _draft(image: Image.Image, pre: Preprocessing, size: tuple[int, int], turned: int) -> None:
    """Ask a JPEG for a reduced scale that still holds twice what the resize needs."""
    height, width = size
    scale = 2 * max(_scales(height, width, pre))
    if scale < 1:
        wanted = round(width * scale), round(height * scale)
        image.draft(None, wanted if turned < 5 else wanted[::-1])


def _scales(height: int, width: int, pre: Preprocessing) -> tuple[float, float]:
    """Return how much smaller the working size is, down and across."""
    if pre.fit == "squash":
        return pre.working[0] / height, pre.working[1] / width
    choose = max if pre.fit == "cover" else min
    scale = choose(pre.working[0] / height, pre.working[1] / width)
    return scale, scale


def _fit(image: Image.Image, pre: Preprocessing) -> Image.Image:
    """Bring a picture of mode L or RGB to the working size, in one resize."""
    height, width = pre.working
    down, across = _scales(image.height, image.width, pre)
    inner = (
        min(width, max(1, round(image.width * across))),
        min(height, max(1, round(image.height * down))),
    )
    wide, high = min(image.width, width / across), min(image.height, height / down)
    left, top = (image.width - wide) / 2, (image.height - high) / 2
    box = (left, top, left + wide, top + high)
    scaled = image
    if (image.width, image.height) != inner or (wide, high) != image.size:
        scaled = image.resize(inner, FILTERS[pre.interpolation], box=box, reducing_gap=2.0)
    if inner == (width, height):
        return scaled
    canvas = Image.new(image.mode, (width, height), GREY if image.mode == "L" else (GREY,) * 3)
    canvas.paste(scaled, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


# ── arrays ──────────────────────────────────────────────────────────────────────────────────────


def _ready(array: Pixels, pre: Preprocessing) -> bool:
    """Return whether pixels need no work at all: the working size and the right channels."""
    return array.dtype == np.uint8 and (
        array.shape == (pre.channels, *pre.working)
        or (pre.channels == 1 and array.shape == pre.working)
    )


def _checked(array: Pixels) -> Pixels:
    """Return pixels of shape (3, H, W) or (H, W); raise ``PictureError`` for anything else."""
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[0] == 3)
    if array.dtype != np.uint8 or not shaped or 0 in array.shape:
        remedy = "Use array.transpose(2, 0, 1)." if array.ndim == 3 else ""
        raise PictureError(
            "not-an-image",
            f"an array of {array.dtype} {array.shape}",
            expected="uint8 of shape (3, H, W), RGB, or (H, W), grey",
            remedy=remedy,
        )
    if array.shape[-1] * array.shape[-2] > MOST_PIXELS:
        expected = f"at most {MOST_PIXELS // 10**6} megapixels"
        raise PictureError("too-large", f"an array of {array.shape}", expected=expected)
    return array


def _from_array(array: Pixels) -> Image.Image:
    """Return pixels (3, H, W) or (H, W) as a picture of mode RGB or L."""
    turned = array if array.ndim == 2 else array.transpose(1, 2, 0)  # (H, W, 3)
    return Image.fromarray(np.ascontiguousarray(turned))


# ── colours ─────────────────────────────────────────────────────────────────────────────────────


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture in 8-bit mode L or RGB, transparency laid over white."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_narrow(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _narrow(image: Image.Image) -> Pixels:
    """Return 16-bit, 32-bit or float grey as 8 bit, by the full range of its type, (H, W)."""
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "F":
        unit: NDArray[np.float32] = np.nan_to_num(np.clip(values, 0, 1), nan=0.0)
        rounded: Pixels = np.rint(unit * 255).astype(np.uint8)
        return rounded
    if image.mode.startswith("I;16"):
        return (values >> 8).astype(np.uint8)
    bits, signed = 16, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
        signed = image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == 2
    wide: NDArray[np.int64] = values.astype(np.int64)
    wide = np.maximum(wide, 0) if signed else wide % (1 << bits)
    narrow: Pixels = np.clip(wide >> (bits - signed - 8), 0, 255).astype(np.uint8)
    return narrow
