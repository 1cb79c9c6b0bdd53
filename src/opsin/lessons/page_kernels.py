"""The gallery of kernels for the page: a drawn scene, what each kernel makes of it, its numbers.

The scene is drawn with +, ×, ÷ and square roots alone, and pictures are stored without compression:
any machine makes the same bytes of them.

Shapes: a grey picture is uint8 (H, W).
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from opsin.lessons import gallery
from opsin.ops.arithmetic import Window
from opsin.ops.kernels import GALLERY, Kernel
from opsin.report.markup import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Numbers = NDArray[np.float64]

SHOWN = 76  # pixels a side
EDGE = 2  # drawn around them, for what the largest kernel needs to see
STORED = 0xFFFF  # bytes of the longest block that deflate stores as it is


def scene(side: int = SHOWN + 2 * EDGE) -> Grey:
    """Draw a house under a moon: flat walls, slanted edges, thin lines, a soft glow, rough grass.

    >>> scene().shape, scene()[20:24, 20].tolist()
    ((80, 80), [68, 132, 132, 132])
    """
    down, across = (axis / side for axis in np.mgrid[:side, :side].astype(np.float64) + 0.5)
    picture = 40 + 75 * down  # the sky gets lighter towards the ground
    far = np.sqrt((across - 0.78) ** 2 + (down - 0.2) ** 2)
    picture += 70 * np.clip(1 - far / 0.3, 0, 1) ** 2
    picture = _over(picture, (0.1 - far) * side, 245)
    hill = 0.62 + 0.9 * (across - 0.72) ** 2
    picture = _over(picture, (down - hill) * side, 62)
    rows, columns = np.mgrid[:side, :side]
    grass = (rows * 73 + columns * 151 + rows * columns * 37) % 23 - 11
    picture = np.where(down > 0.82, 118 + 2.2 * grass, picture)
    _house(picture, down, across)
    posts = (columns % 6 < 2) & (down > 0.78) & (down < 0.92) & (across > 0.56)
    rail = (rows == round(0.82 * side)) & (across > 0.56)
    picture[posts | rail] = 214
    grey: Grey = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    return grey


def _house(picture: Numbers, down: Numbers, across: Numbers) -> None:
    """Draw walls, a roof, two windows with their crossings, a door and a chimney."""
    side = len(picture)
    inside = np.minimum(
        np.minimum(across - 0.12, 0.5 - across), np.minimum(down - 0.47, 0.9 - down)
    )
    picture[:] = _over(picture, inside * side, 196)
    picture[(across > 0.39) & (across < 0.45) & (down > 0.2) & (down < 0.4)] = 168
    slope = np.minimum(down - 0.21 - 0.95 * np.abs(across - 0.31), 0.49 - down)
    picture[:] = _over(picture, slope * side, 132)
    for left in (0.17, 0.345):
        pane = (across > left) & (across < left + 0.11) & (down > 0.55) & (down < 0.68)
        bars = (np.abs(across - left - 0.055) < 0.007) | (np.abs(down - 0.615) < 0.007)
        picture[pane] = 238
        picture[pane & bars] = 70
    picture[(across > 0.26) & (across < 0.36) & (down > 0.73) & (down < 0.9)] = 52


def _over(picture: Numbers, inside: Numbers, grey: float) -> Numbers:
    """Return a picture with ``grey`` where ``inside`` is over half a pixel, and a soft edge."""
    share = np.clip(inside + 0.5, 0, 1)
    return picture + share * (grey - picture)


def seen_by(kernel: Kernel, picture: Grey) -> Grey:
    """Return what a kernel makes of the middle of a picture, (76, 76), as the gallery shows it."""
    shaded: Grey = gallery.shaded(picture[None], kernel, Window(kernel.size))[0]
    edge = (len(shaded) - SHOWN) // 2
    middle: Grey = shaded[edge : edge + SHOWN, edge : edge + SHOWN]
    return middle


def png(picture: Grey) -> bytes:
    """Return a grey picture as a PNG file, stored as it is: the same bytes with any library."""
    high, wide = picture.shape
    lines = b"".join(b"\0" + bytes(row) for row in np.ascontiguousarray(picture))
    parts = [lines[i : i + STORED] for i in range(0, len(lines), STORED)]
    stored = b"".join(
        struct.pack("<BHH", part is parts[-1], len(part), STORED - len(part)) + part
        for part in parts
    )
    packed = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(lines))
    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, inside: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + inside))
    return struct.pack(">I", len(inside)) + kind + inside + check


def image(picture: Grey, alt: str) -> str:
    """Return a picture as markup that needs no file."""
    code = base64.b64encode(png(picture)).decode("ascii")
    high, wide = picture.shape
    return (
        f'<img src="data:image/png;base64,{code}" alt="{safe(alt)}" width="{wide}" '
        f'height="{high}"/>'
    )


def plate(shown: str) -> str:
    """Return all kernels as cards: what each makes of the scene, its name, a sentence, numbers.

    ``shown`` is the name of the one that is chosen at first.
    """
    picture = scene()
    cards = "".join(_card(kernel, picture, kernel.name == shown) for kernel in GALLERY.values())
    return f'<ul class="plate">{cards}</ul>'


def _card(kernel: Kernel, picture: Grey, chosen: bool) -> str:
    shown = image(seen_by(kernel, picture), f"The scene through {kernel.name}")
    return (
        f'<li><button type="button" data-kernel="{safe(kernel.name)}" '
        f'aria-pressed="{str(chosen).lower()}">'
        f"{shown}</button>"
        f'<div class="words"><b>{safe(kernel.name)}</b><span>{safe(kernel.about)}</span></div>'
        f"{matrix(kernel)}</li>"
    )


def matrix(kernel: Kernel) -> str:
    """Return the numbers of a kernel as a small table, and what divides them."""
    most = max(abs(n) for row in kernel.whole for n in row) or 1
    rows = "".join(f"<tr>{''.join(_cell(n, most) for n in row)}</tr>" for row in kernel.whole)
    under = f"<caption>divided by {kernel.divisor}</caption>" if kernel.divisor > 1 else ""
    return f'<table class="matrix of{len(kernel.rows)}">{under}<tbody>{rows}</tbody></table>'


def _cell(number: int, most: int) -> str:
    """Return one number in a colour of three strengths: small numbers are told from zero."""
    strength = 0 if not number else 1 + (abs(number) * 6 >= most) + (abs(number) * 2 > most)
    kind = f"{'more' if number > 0 else 'less'}{strength}" if strength else ""
    text = str(number).replace("-", "−")
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"
