"""Pictures brought to the working size: the rule that ``Preprocessing`` states, carried out.

Shapes: H, W of the picture, h, w of the working size, C channels of the net (1, 3 or 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from opsin.data.arrays import MODES, to_array
from opsin.data.opening import PictureError
from opsin.data.preprocess import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

GREY = 128  # what `pad` fills with
FILTERS = {"bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}
GAP = 2.0  # times the working size that Pillow averages larger pictures down to, in whole pixels


def draft(image: Image.Image, pre: Preprocessing, size: tuple[int, int], turned: int) -> None:
    """Ask a JPEG for a reduced scale that still holds twice what the resize needs.

    ``size`` is its upright (height, width), ``turned`` its EXIF orientation.
    """
    height, width = size
    scale = 2 * max(pre.scales((height, width)))
    if scale < 1:
        wanted = round(width * scale), round(height * scale)
        image.draft(None, wanted if turned < 5 else wanted[::-1])


def fit(image: Image.Image, pre: Preprocessing, said: str) -> Pixels:
    """Bring a picture of mode L, RGB or RGBX to the working size, (C, h, w).

    Raises ``PictureError``, which calls it ``said``, for fewer bands than the net sees.
    """
    hold_to_bands(len(image.getbands()), pre, said)
    height, width = pre.working
    if image.mode not in ("L", MODES[pre.channels]):
        image = image.convert(MODES[pre.channels])
    down, across = pre.scales((image.height, image.width))
    inner = (
        min(width, max(1, round(image.width * across))),
        min(height, max(1, round(image.height * down))),
    )
    wide, high = min(image.width, width / across), min(image.height, height / down)
    left, top = (image.width - wide) / 2, (image.height - high) / 2
    scaled = _scaled(image, inner, (left, top, left + wide, top + high), pre.interpolation)
    if inner != (width, height):
        canvas = np.full((len(scaled), height, width), GREY, np.uint8)
        x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
        canvas[:, y : y + inner[1], x : x + inner[0]] = scaled
        scaled = canvas
    # Grey is repeated after the resize: a third of the work.
    return np.repeat(scaled, 3, axis=0) if len(scaled) < pre.channels else scaled


def _scaled(
    image: Image.Image,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    interpolation: str,
) -> Pixels:
    """Return the part ``box`` of a picture at ``size`` (width, height), as (bands, h, w).

    Whole pictures that are not much larger go through torch, a third of the time of Pillow, whose
    rule it keeps: one value in a hundred differs by one. It knows no parts of pixels.
    """
    whole = box == (0, 0, *image.size)
    if whole and image.size == size:
        return to_array(image)
    near = all(side < 2 * GAP * room for side, room in zip(image.size, size, strict=True))
    if not (whole and near):
        return to_array(image.resize(size, FILTERS[interpolation], box=box, reducing_gap=GAP))
    from torch import from_numpy
    from torch.nn import functional

    planes = from_numpy(np.array(to_array(image)))[None]  # writable, or torch would complain
    made = functional.interpolate(planes, size[::-1], mode=interpolation, antialias=True)
    scaled: Pixels = made[0].numpy()
    return scaled


def hold_to_bands(bands: int, pre: Preprocessing, said: str) -> None:
    """Raise ``PictureError`` for a picture of fewer bands than a net of four channels sees."""
    if pre.channels == 4 > bands:
        raise PictureError(
            "too-few-bands",
            f"{said} of {bands} band{'s' * (bands > 1)}",
            expected="4 bands: red, green, blue and the one this net learnt from",
            remedy="Save it as TIFF with its fourth band (ExtraSamples 0).",
        )
