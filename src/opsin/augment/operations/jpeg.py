"""Save the picture as a JPEG and open it again."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from opsin.augment._operation import Frame, Pixels, amount, in_order
from opsin.augment.lots import Floats, Lots

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Jpeg(Pixels):
    """Compresses with a quality between ``least`` and ``most``, for real: every flaw is a JPEG's.

    Colours are cut to 0..1 and rounded to 8 bits, as a file holds them; a fourth band is packed by
    itself, as grey.

    >>> str(Jpeg(30, 90))
    'jpeg 30 90'
    """

    least: float = amount("of 100, the quality", 1, 100)
    most: float = amount("of 100, the quality", 1, 100)

    def __post_init__(self) -> None:
        in_order(self, self.least, self.most)

    def settle(self, lots: Lots, frame: Frame) -> Floats:
        """Draw whole qualities, (n, 1)."""
        return lots.uniform(self.least, self.most, 1).round()

    def change(self, seen: Tensor, numbers: Floats) -> Tensor:
        """Return pictures (n, C, h, w) as a file of their quality would show them."""
        import torch

        plain = (seen.clamp(0, 1) * 255).round_().byte().permute(0, 2, 3, 1).cpu().numpy()
        qualities = numbers[:, 0].astype(int).tolist()
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            opened = list(threads.map(_opened_again, plain, qualities))
        again = torch.from_numpy(np.stack(opened)).permute(0, 3, 1, 2)  # (n, C, h, w)
        return again.to(seen.device).float() / 255


def _opened_again(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a picture (h, w, C) as it comes back from a JPEG file of its colours, or its grey."""
    from PIL import Image

    if picture.shape[2] == 4:
        parts = [_opened_again(part, quality) for part in (picture[:, :, :3], picture[:, :, 3:])]
        return np.concatenate(parts, axis=2)
    file = io.BytesIO()
    grey = picture.shape[2] == 1
    Image.fromarray(picture[:, :, 0] if grey else picture).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image).reshape(picture.shape)
