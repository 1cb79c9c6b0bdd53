"""A picture file through one kernel, and back into a file that can be looked at.

Each colour is filtered for itself. What comes out is not a picture yet: it may be negative or
beyond white, so it must be said how it is shown.

Shapes: a picture is uint8 (3, H, W), what comes out (3, N, M).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opsin.data.decode import decode
from opsin.data.opening import MOST_PIXELS
from opsin.errors import DataError, InputError, SizeError
from opsin.files import replacing
from opsin.ops.arithmetic import Pair, Window, output_size, uneven
from opsin.ops.convolution import WAYS, costs
from opsin.ops.kernels import Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.float32]

WRITTEN = 7  # rows and columns of the largest matrix that is told in full
BAND = 1 << 20  # numbers of one colour computed at a time
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP", ".bmp": "BMP"}
SIGNED = {
    "clip": "below 0 is black, above 255 white",
    "rescale": "0 is middle grey, {largest:.4g} white and -{largest:.4g} black",
    "absolute": "signs are dropped, above 255 is white",
}


@dataclass(frozen=True)
class Filtered:
    """Says what was made of a picture, and where it lies.

    Sizes are (height, width); ``low`` and ``high`` are the extremes before they were made to fit
    0..255; ``shown`` is a name of ``SIGNED``; ``uneven`` says which axes did not come out even.
    """

    image: str
    out: str
    kernel: Kernel
    window: Window
    before: Pair
    after: Pair
    low: float
    high: float
    shown: str
    uneven: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "image": self.image,
            "out": self.out,
            "kernel": {"name": self.kernel.name, "matrix": self.kernel.values},
            "window": str(self.window),
            "before": list(self.before),
            "after": list(self.after),
            "low": self.low,
            "high": self.high,
            "signed": self.shown,
            "uneven": list(self.uneven),
        }

    def lines(self) -> list[str]:
        """Return what a person wants to know, a sentence a line."""
        (h, w), (n, m) = self.before, self.after
        largest = max(-self.low, self.high)
        name = self.kernel.name
        return [
            f"{name}: {self.kernel}" if max(self.kernel.size) <= WRITTEN else name,
            f"window {self.window}: {h}×{w} becomes {n}×{m} (height × width)",
            *(self.uneven or ("The size comes out even.",)),
            f"Values from {self.low:.4g} to {self.high:.4g}; "
            f"{SIGNED[self.shown].format(largest=largest)}.",
            self.out,
        ]


def filter_file(
    image: str | Path, kernel: Kernel, window: Window, out: str | Path, *, signed: str = "auto"
) -> Filtered:
    """Filter the picture file ``image`` and write ``out``, whole or not at all.

    ``signed`` is a name of ``SIGNED``, or "auto": "rescale" for kernels that sum to 0, which have
    no brightness of their own, and "clip" for others. Raises ``InputError`` for another word or a
    file name that is no picture's, ``DataError`` for what cannot be read or written, ``SizeError``
    where the picture is smaller than the kernel.
    """
    path = writable(out, image)
    shown = way_to_show(signed, kernel)
    pixels = decode(Path(image).expanduser())[:3]
    size = pixels.shape[1:]
    problems = tuple(map(str, uneven(size, window)))
    if len(problems) == 2 and problems[0].replace("height", "width") == problems[1]:
        problems = (f"height and {problems[1]}",)
    seen, low, high = slide(pixels, kernel, window, shown)
    write(path, seen)
    return Filtered(
        str(image), str(path), kernel, window, size, seen.shape[1:], low, high, shown, problems
    )


def way_to_show(signed: str, kernel: Kernel) -> str:
    """Return the name in ``SIGNED`` of how to show what a kernel makes."""
    if signed == "auto":
        return "clip" if kernel.total else "rescale"
    if signed not in SIGNED:
        raise InputError(f"signed {signed!r}", expected=f"auto, {', '.join(SIGNED)}")
    return signed


def slide(
    pixels: Pixels, kernel: Kernel, window: Window, shown: str = "clip"
) -> tuple[Pixels, float, float]:
    """Return a picture (3, N, M) of what ``kernel`` makes of one (3, H, W), lowest and highest.

    >>> from opsin.ops.kernels import GALLERY
    >>> stripes = np.zeros((3, 5, 5), np.uint8)
    >>> stripes[:, :, 2] = 100
    >>> seen, low, high = slide(stripes, GALLERY["sobel-x"], Window(3), "rescale")
    >>> seen[0, 0].tolist(), low, high
    ([255, 128, 1], -400.0, 400.0)
    """
    extremes = [(band.min(), band.max()) for _, band in bands(pixels, kernel, window)]
    low, high = float(min(e[0] for e in extremes)), float(max(e[1] for e in extremes))
    dust = 1e-6 * max(abs(low), abs(high))  # what float32 leaves where there should be nothing
    low, high = (0.0 if abs(end) <= dust else end for end in (low, high))
    seen = np.empty((len(pixels), *output_size(pixels.shape[1:], window)), np.uint8)
    for top, band in bands(pixels, kernel, window):  # once more: floats take four times the memory
        seen[:, top : top + band.shape[1]] = shade(band, shown, max(-low, high))
    return seen, low, high


def shade(values: Numbers, shown: str, largest: float) -> Pixels:
    """Return any numbers as 0..255 by a rule of ``SIGNED``.

    >>> shade(np.array([-300.0, -50.0, 0.0, 300.0]), "absolute", 300.0).tolist()
    [255, 50, 0, 255]
    """
    if shown == "rescale":
        values = 128 + values * (127 / (largest or 1))
    elif shown == "absolute":
        values = np.abs(values)
    pixels: Pixels = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return pixels


def bands(pixels: Pixels, kernel: Kernel, window: Window) -> Iterator[tuple[int, Numbers]]:
    """Yield what comes out in bands of rows (3, n, M), each with its first row.

    Each way to convolve gives the same; the one that multiplies least is taken.
    """
    high = window.axes[0]
    ends = [axis.ends(n) for axis, n in zip(window.axes, pixels.shape[1:], strict=True)]
    size = tuple(n + sum(end) for n, end in zip(pixels.shape[1:], ends, strict=True))
    if prod(size) > MOST_PIXELS:
        most = f"at most {MOST_PIXELS // 10**6} megapixels"
        raise SizeError(f"a picture of {size[0]}×{size[1]} with its padding", expected=most)
    padded = np.pad(pixels, [(0, 0), *ends])
    rows, columns = output_size(pixels.shape[1:], window)
    bare = Window(window.kernel, window.stride, 0, window.dilation)
    filters = np.array(kernel.values, np.float32)[None, None]
    step = max(high.span, BAND // columns)
    each = costs((min(step * high.stride, padded.shape[1]), padded.shape[2]), bare, 1, 1)
    convolve = WAYS[min(("shifts", "fft"), key=lambda way: each[way].multiply_adds)]
    for top in range(0, rows, step):
        count = min(step, rows - top)
        first = top * high.stride
        strip = padded[:, first : first + (count - 1) * high.stride + high.span]
        colours = [convolve(colour[None].astype(np.float32), filters, bare) for colour in strip]
        yield top, np.concatenate(colours).astype(np.float32, copy=False)  # (3, n, M)


def writable(out: str | Path, image: str | Path) -> Path:
    """Return where to write; raise ``InputError`` for no picture's name, or the picture itself."""
    path = Path(out).expanduser()
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"out {str(out)!r}", expected=f"a file name ending in {' '.join(FORMATS)}")
    if path.exists() and Path(image).expanduser().exists() and path.samefile(image):
        raise InputError(f"out {str(out)!r}, the picture itself", expected="another file")
    if path.is_dir():
        raise DataError(f"out {str(out)!r}, which is a folder", expected="a file name")
    return path


def write(path: Path, pixels: Pixels) -> None:
    """Write a picture (3, H, W), whole or not at all, in the format of its name."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    kind = FORMATS[path.suffix.lower()]
    with replacing(path) as beside:
        try:
            picture.save(beside, kind, quality=95)
        except (ValueError, SystemError) as error:  # WebP and JPEG have a largest side
            size = f"a picture of {picture.height}×{picture.width} for {kind}"
            raise DataError(size, expected="a smaller one, or .png") from error
