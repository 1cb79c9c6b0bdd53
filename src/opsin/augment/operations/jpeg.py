"""Save the picture as a JPEG and open it again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsin.augment._operation import Frame, Pixels, amount, in_order
from opsin.augment.lots import Floats, Lots

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Jpeg(Pixels):
    """Compresses with a quality between ``least`` and ``most``, for real: every flaw is a JPEG's.

    Colours are cut to 0..1 and rounded to 8 bits, as a file holds them.

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
        from torchvision.io import decode_jpeg, encode_jpeg

        def again(place: int) -> Tensor:
            opened: Tensor = decode_jpeg(encode_jpeg(plain[place], int(numbers[place, 0])))
            return opened

        plain = (seen.clamp(0, 1) * 255).round_().byte().cpu()
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            found = torch.stack(list(threads.map(again, range(len(plain)))))
        return found.to(seen.device).float() / 255
