"""A sheet of what a trained net sees in one picture: kernels and maps, labelled.

Shapes: C channels, h and w of a map, K kernels of k×k; a drawing is uint8 (3, H, W), in pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.lessons import picture
from opsin.lessons.gallery import INK, LESS, MORE, NONE, PAPER, QUIET
from opsin.lessons.looking import Looked, look, trained
from opsin.report.axis import fit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    Numbers = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

SIDE, ROW, GAP, EDGE = 112, 12, 10, 36  # of a map, maps in a row, between them, around all
KERNEL, KERNELS = 64, 32  # side of a kernel, how many are shown
SHOWN, ALONE = 24, 96  # maps of a stage, and of a stage that was asked for alone
LARGE = 232  # side of the picture
HEAD, CELL = 62, SIDE + GAP + 16  # of a stage: its words, a row with the channels' numbers
LEGEND = (
    "Warm is above zero, cold below, pale is zero, each map in its own range; kernels over three "
    "colours are shown as colours, grey is zero."
)


def draw_file(net: str, image: str | Path, out: str | Path, *, layer: str | None = None) -> Path:
    """Write the sheet of a trained net and a picture file to ``out``, whole or not at all.

    Raises as ``looking.trained`` and ``looking.look`` do, and ``InputError`` for a file name that
    is no picture's.
    """
    path = picture.writable(out, image)
    seen = look(trained(net), image, layer)
    picture.write(path, draw(seen, Path(image).name, alone=layer is not None))
    return path


def draw(seen: Looked, image: str, *, alone: bool = False) -> Pixels:
    """Return the sheet: the picture, the kernels of the first layer, the maps of each stage.

    Of a stage those maps are shown that vary most over the picture; more of one that is ``alone``.
    """
    from PIL import Image, ImageDraw

    most = ALONE if alone else SHOWN
    wide = 2 * EDGE + ROW * (SIDE + GAP) - GAP
    kernels = -(-min(KERNELS, len(seen.kernels)) // _per_row()) * (KERNEL + GAP)
    begin = EDGE + 132 + max(LARGE, 34 + kernels) + EDGE
    tall = [HEAD + -(-min(most, len(maps)) // ROW) * CELL for maps in seen.maps.values()]
    sheet = Image.new("RGB", (wide, begin + sum(tall) + EDGE), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((EDGE, EDGE), fit(f"What {seen.name} sees in {image}", 78), INK, _font(34))
    pen.text((EDGE, EDGE + 48), fit(f"It says: {seen.says}", 120), INK, _font(22))
    pen.text((EDGE, EDGE + 82), LEGEND, QUIET, _font(18))
    _kernels(sheet, pen, seen, EDGE + 132)
    for (name, maps), high in zip(seen.maps.items(), tall, strict=True):
        _stage(sheet, pen, (name, maps), begin, most)
        begin += high
    return np.asarray(sheet).transpose(2, 0, 1)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _per_row() -> int:
    """Return how many kernels stand in a row beside the picture."""
    return (ROW * (SIDE + GAP) - LARGE - EDGE) // (KERNEL + GAP)


def _kernels(sheet: Image, pen: ImageDraw, seen: Looked, top: int) -> None:
    """Draw the picture as the net sees it, and beside it the first kernels."""
    sheet.paste(tile(seen.picture, LARGE), (EDGE, top))
    left = EDGE + LARGE + EDGE
    count, depth, high, wide = seen.kernels.shape
    shown = min(KERNELS, count)
    told = f"{shown} of its {count} kernels" if shown < count else f"its {count} kernels"
    pen.text((left, top - 4), f"{seen.first}: {told}, {high}x{wide}x{depth}", INK, _font(20))
    for index, kernel in enumerate(seen.kernels[:KERNELS]):
        x = left + index % _per_row() * (KERNEL + GAP)
        y = top + 34 + index // _per_row() * (KERNEL + GAP)
        sheet.paste(tile(_shades(kernel), KERNEL), (x, y))


def _stage(sheet: Image, pen: ImageDraw, stage: tuple[str, Numbers], top: int, most: int) -> None:
    """Draw the maps of a stage in rows, each with its channel's number."""
    name, maps = stage
    depth, high, wide = maps.shape
    chosen = liveliest(maps, most)
    which = f"{len(chosen)} of {depth} maps, those that vary most" if len(chosen) < depth else ""
    pen.text((EDGE, top), name, INK, _font(22))
    right = EDGE + pen.textlength(name, _font(22)) + 14
    told = f"{high}x{wide}x{depth}" + (f"; {which}" if which else "")
    pen.text((right, top + 3), told, QUIET, _font(18))
    for index, channel in enumerate(chosen):
        x = EDGE + index % ROW * (SIDE + GAP)
        y = top + 38 + index // ROW * CELL
        sheet.paste(tile(_shades(maps[channel][None]), SIDE), (x, y))
        pen.text((x, y + SIDE + 2), str(channel), QUIET, _font(12))


def liveliest(maps: Numbers, most: int) -> list[int]:
    """Return the channels of maps (C, h, w) that vary most, at most ``most``, in their order.

    >>> liveliest(np.array([[[0, 9]], [[1, 1]], [[0, 2]]], np.float32), 2)
    [0, 2]
    """
    spread = maps.reshape(len(maps), -1).std(axis=1)
    return sorted(np.argsort(-spread, kind="stable")[:most].tolist())


def _shades(values: Numbers) -> Pixels:
    """Return numbers (C, h, w) as colours (3, h, w): three channels mix, one is warm or cold.

    Other numbers of channels are shown by their mean.
    """
    largest = float(np.abs(values).max()) or 1.0
    if len(values) == 3:
        colours: Pixels = np.rint(127.5 * (1 + values / largest)).astype(np.uint8)
        return colours
    share = values.mean(axis=0) / largest  # (h, w), -1 to 1
    far = np.where(share[..., None] > 0, np.array(MORE), np.array(LESS))  # (h, w, 3)
    mixed = np.array(NONE) + (far - np.array(NONE)) * np.abs(share[..., None]) ** 0.7
    shades: Pixels = np.rint(mixed).astype(np.uint8).transpose(2, 0, 1)
    return shades


def tile(pixels: Pixels, side: int) -> Image:
    """Return a picture (C, h, w) on a square: few pixels stay pixels, many are averaged.

    >>> tile(np.zeros((1, 5, 9), np.uint8), 90).size
    (90, 90)
    """
    from PIL import Image

    wide = np.broadcast_to(pixels, (3, *pixels.shape[1:])) if len(pixels) == 1 else pixels
    found = Image.fromarray(np.ascontiguousarray(wide.transpose(1, 2, 0)))
    ratio = side / max(found.size)
    size = (max(1, round(found.width * ratio)), max(1, round(found.height * ratio)))
    way = Image.Resampling.NEAREST if ratio >= 1 else Image.Resampling.BOX
    square = Image.new("RGB", (side, side), PAPER)
    square.paste(found.resize(size, way), ((side - size[0]) // 2, (side - size[1]) // 2))
    return square
