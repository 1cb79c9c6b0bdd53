"""Every kernel of the gallery on one picture: what it makes, its name, and its numbers.

Shapes: a picture is uint8 (3, H, W); sizes of the drawing are in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.decode import decode
from opsin.lessons import picture
from opsin.ops.arithmetic import Padding, Window
from opsin.ops.kernels import GALLERY, Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    Pixels = NDArray[np.uint8]

COLUMNS = 5
SIDE, LEAST = 380, 9  # the longest and the shortest side a picture is brought to
NARROWEST = 320  # width of a card
GAP, HEAD, FOOT, MATRIX = 28, 124, 158, 132  # between cards, above all, under a picture; numbers
TITLE = "What small matrices do to a picture"
LEGEND = (
    "Each number is multiplied with the pixel under it; the sum is the new pixel. "
    "Where the numbers add up to 0, grey is zero, lighter is above it, darker below."
)
PAPER, INK, QUIET = "#fbfaf7", "#1f2430", "#6b7280"
MORE, LESS, NONE = (217, 95, 64), (66, 116, 184), (236, 234, 228)  # above, below and at zero


@dataclass(frozen=True)
class Gallery:
    """Says where the gallery lies, and what is in it."""

    image: str
    out: str
    kernels: tuple[str, ...]
    size: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "image": self.image,
            "out": self.out,
            "kernels": list(self.kernels),
            "size": list(self.size),
        }

    def lines(self) -> list[str]:
        """Return what a person wants to know, a sentence a line."""
        high, wide = self.size
        return [f"{len(self.kernels)} kernels on one picture of {high}×{wide}", self.out]


def draw_file(
    image: str | Path, out: str | Path, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> Gallery:
    """Draw the whole gallery for the picture file ``image`` into ``out``, whole or not at all.

    Raises as ``picture.filter_file`` does.
    """
    path = picture.writable(out, image)
    pixels = fitted(decode(Path(image).expanduser())[:3])
    cards = []
    for kernel in GALLERY.values():
        window = Window(kernel.size, stride, padding, dilation)
        cards.append((kernel, shaded(pixels, kernel, window)))
    sheet = draw(cards)
    picture.write(path, sheet)
    return Gallery(str(image), str(path), tuple(GALLERY), sheet.shape[1:])


def fitted(pixels: Pixels) -> Pixels:
    """Return a picture (3, H, W) made smaller, so that no side is longer than ``SIDE``.

    No side becomes too small for a kernel that it was large enough for.
    """
    from PIL import Image

    high, wide = pixels.shape[1:]
    ratio = SIDE / max(high, wide)
    if ratio >= 1:
        return pixels
    size = tuple(max(min(side, LEAST), round(side * ratio)) for side in (wide, high))
    small = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return np.asarray(small.resize(size, Image.Resampling.LANCZOS)).transpose(2, 0, 1)


def shaded(pixels: Pixels, kernel: Kernel, window: Window) -> Pixels:
    """Return what ``kernel`` makes of a picture, as one (3, N, M).

    Where grey is zero, the strongest 0.5 % may be cut off: the rest can be seen better.
    """
    values = np.concatenate([band for _, band in picture.bands(pixels, kernel, window)], axis=1)
    strongest = float(np.quantile(np.abs(values), 0.995))
    return picture.shade(values, picture.way_to_show("auto", kernel), strongest)


def draw(cards: list[tuple[Kernel, Pixels]]) -> Pixels:
    """Return cards of kernels and what they made (3, h, w) in rows of five, as one picture."""
    from PIL import Image, ImageDraw, ImageFont

    pictures = [_large(seen) for _, seen in cards]
    high = max(seen.height for seen in pictures)
    wide = max(NARROWEST, *(seen.width for seen in pictures))
    rows = -(-len(cards) // COLUMNS)
    size = COLUMNS * (wide + GAP) + GAP, HEAD + rows * (high + FOOT + GAP)
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), TITLE, INK, ImageFont.load_default(34))
    pen.text((GAP, GAP + 48), LEGEND, QUIET, ImageFont.load_default(19))
    for index, ((kernel, _), seen) in enumerate(zip(cards, pictures, strict=True)):
        left = GAP + index % COLUMNS * (wide + GAP)
        top = HEAD + index // COLUMNS * (high + FOOT + GAP)
        sheet.paste(seen, (left, top))
        _words(pen, kernel, left, top + high + 14, wide - MATRIX - 16)
        _matrix(pen, kernel, left + wide, top + high + 14)
    return np.asarray(sheet).transpose(2, 0, 1)


def _large(seen: Pixels) -> Image:
    """Return a small picture enlarged by a whole number, so that its pixels can be seen."""
    from PIL import Image

    times = max(1, SIDE // max(seen.shape[1:]))
    whole = seen.repeat(times, axis=1).repeat(times, axis=2)
    return Image.fromarray(np.ascontiguousarray(whole.transpose(1, 2, 0)))


def _words(pen: ImageDraw, kernel: Kernel, left: int, top: int, room: int) -> None:
    """Write the name and what the kernel does, in lines of at most ``room`` pixels."""
    from PIL import ImageFont

    pen.text((left, top), kernel.name, INK, ImageFont.load_default(24))
    font, line, y = ImageFont.load_default(17), "", top + 36
    for word in kernel.about.split():
        longer = f"{line} {word}".strip()
        if pen.textlength(longer, font) > room:
            pen.text((left, y), line, QUIET, font)
            longer, y = word, y + 23
        line = longer
    pen.text((left, y), line, QUIET, font)


def _matrix(pen: ImageDraw, kernel: Kernel, right: int, top: int) -> None:
    """Draw the numbers in squares, warm above zero and cold below, and what divides them."""
    from PIL import ImageFont

    rows, columns = kernel.size
    side = MATRIX // max(rows, columns)
    font = ImageFont.load_default(side * 2 // 5)
    most = max(abs(n) for row in kernel.whole for n in row) or 1
    for i, row in enumerate(kernel.whole):
        for j, number in enumerate(row):
            x, y = right - (columns - j) * side, top + i * side
            pen.rectangle((x, y, x + side - 2, y + side - 2), _colour(number / most))
            middle = x + side / 2 - 1, y + side / 2 - 1
            pen.text(middle, str(number), INK, font, anchor="mm")
    if kernel.divisor > 1:
        below = right, top + rows * side + 3
        pen.text(below, f"divided by {kernel.divisor}", QUIET, ImageFont.load_default(14), "ra")


def _colour(share: float) -> tuple[int, ...]:
    """Return the colour of a number, -1 to 1."""
    far = MORE if share > 0 else LESS
    strength = abs(share) ** 0.5 * 0.8  # small numbers should still be told from zero
    return tuple(round(n + (f - n) * strength) for n, f in zip(NONE, far, strict=True))
