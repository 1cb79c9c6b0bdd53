"""Draws on pictures what a result says: a caption, or a frame around each object.

Shapes: an image (3, H, W) uint8 RGB; N boxes (N, 4) as x1 y1 x2 y2.
"""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Color = tuple[int, int, int]

GOLDEN = 0.618034  # steps of this share of the circle keep hues apart, however many there are
THIN = 220  # pixels of the short side that a line of one pixel goes with
LETTERS = 32  # lines of a tag's letters that the short side has room for
SMALLEST = 11  # pixels of letters that can still be read
DASH = 5  # line widths that a dash and a gap are long


def captioned(image: Image, text: str) -> Image:
    """Write ``text`` on a dark band along the lower edge of a copy of ``image`` (3, H, W)."""
    picture, canvas = _canvas(image)
    font = _font(max(10, picture.height // 14))
    left, top, _, bottom = canvas.textbbox((0, 0), text, font=font)
    band = bottom - top + 8
    lowest = (0, picture.height - band, picture.width, picture.height)
    canvas.rectangle(lowest, fill=(0, 0, 0, 160))
    canvas.text((4 - left, picture.height - band + 4 - top), text, font=font, fill="white")
    return _pixels(picture)


def framed(
    image: Image,
    boxes: NDArray[np.float32],
    names: Sequence[str],
    tags: Sequence[str],
    *,
    dashed: NDArray[np.bool_],
) -> Image:
    """Frame each box in the colour of its name on a copy of ``image``, its tag at a corner.

    Lines and letters grow with the picture. Large boxes are drawn first, so that none hides
    another; a tag twice as wide as its box is left out, for it would hide the neighbours.
    """
    picture, canvas = _canvas(image)
    short = min(picture.size)
    width, font = max(1, round(short / THIN)), _font(max(SMALLEST, short // LETTERS))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])  # (N,)
    order = (-areas).argsort(kind="stable").tolist()
    for place in order:
        x1, y1, x2, y2 = (float(edge) for edge in boxes[place])
        _frame(canvas, (x1, y1, x2, y2), color(names[place]), width, dashed=bool(dashed[place]))
    for place in order:
        _tag(canvas, boxes[place].tolist(), tags[place], color(names[place]), font, picture.size)
    return _pixels(picture)


def color(name: str) -> Color:
    """Return the colour of a class, the same for the same name wherever it is drawn.

    >>> color("cat") == color("cat"), color("cat") == color("dog")
    (True, False)
    """
    number = zlib.crc32(name.encode())
    hue, light = number % 1009 * GOLDEN % 1, (0.42, 0.55, 0.68)[number // 1009 % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, light, 0.9)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ink(paper: Color) -> str:
    """Return black or white, whichever is read more easily on a colour (ITU-R BT.601 luma)."""
    red, green, blue = paper
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"


def _frame(
    canvas: Any, box: tuple[float, float, float, float], paint: Color, width: int, *, dashed: bool
) -> None:
    """Draw the four sides of a box inside its edges, whole or dashed, on a thin dark ground."""
    x1, y1, x2, y2 = box
    right, low = max(x1, x2 - 1), max(y1, y2 - 1)  # edges are continuous, lines are pixels
    if width > 1:
        canvas.rectangle((x1 - 1, y1 - 1, right + 1, low + 1), outline=(0, 0, 0, 120), width=1)
    if not dashed:
        canvas.rectangle((x1, y1, right, low), outline=paint, width=width)
        return
    step = DASH * width
    for start in range(0, int(right - x1) + 1, 2 * step):
        end = min(x1 + start + step, right)
        for y in (y1, max(y1, low - width + 1)):
            canvas.rectangle((x1 + start, y, end, min(y + width - 1, low)), fill=paint)
    for start in range(0, int(low - y1) + 1, 2 * step):
        end = min(y1 + start + step, low)
        for x in (x1, max(x1, right - width + 1)):
            canvas.rectangle((x, y1 + start, min(x + width - 1, right), end), fill=paint)


def _tag(
    canvas: Any, box: list[float], text: str, paint: Color, font: Any, size: tuple[int, int]
) -> None:
    """Write a tag on a plate above the upper left corner of a box, or inside where there's none."""
    left, _, right, _ = canvas.textbbox((0, 0), text, font=font)
    high = sum(font.getmetrics())  # of any letters: plates of one size, letters on one line
    edge = max(2, high // 5)
    wide = right - left + 2 * edge
    if wide > 2 * (box[2] - box[0]):
        return
    x = max(0.0, min(box[0], size[0] - wide))
    y = box[1] - high if box[1] >= high else box[1]
    canvas.rectangle((x, y, x + wide - 1, y + high - 1), fill=paint)
    canvas.text((x + edge - left, y), text, font=font, fill=_ink(paint))


def _canvas(image: Image) -> tuple[Any, Any]:
    """Return a copy of ``image`` (3, H, W) as a picture, and what draws on it."""
    import numpy as np
    from PIL import Image as Pillow
    from PIL import ImageDraw

    picture = Pillow.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))  # (H, W, 3)
    return picture, ImageDraw.Draw(picture, "RGBA")


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=size)


def _pixels(picture: Any) -> Image:
    import numpy as np

    return np.asarray(picture).transpose(2, 0, 1).copy()  # (3, H, W)
