"""What a map holds within boxes, brought to one size: pooling of regions of interest.

    pool      the maximum of each of h x w cells, edges rounded to whole places (Girshick, Fast
              R-CNN, 2015, section 2.1)
    align     bilinear samples averaged, nothing rounded (He et al., Mask R-CNN, 2017, section 3)
    ps_pool   each cell from channels of its own, averaged (Dai et al., R-FCN, 2016, equation 1)
    ps_align  the same with bilinear samples (Li et al., Light-Head R-CNN, 2017)

The operators are torchvision's. A position-sensitive map has K·h·w channels: all cells of the first
of K numbers, row by row, then those of the second.

Shapes: maps (B, C, H, W), boxes of each picture (n, 4) in its pixels, R boxes together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchvision import ops

from opsin.errors import SizeError

Kind = Literal["pool", "align", "ps_pool", "ps_align"]

_OPERATORS: dict[str, Callable[..., Any]] = {
    "pool": ops.roi_pool,
    "align": ops.roi_align,
    "ps_pool": ops.ps_roi_pool,
    "ps_align": ops.ps_roi_align,
}


def listed(boxes: Sequence[Tensor]) -> Tensor:
    """Return the boxes of all pictures as rows (R, 5): the picture's index, then x1 y1 x2 y2.

    >>> listed([torch.ones(1, 4), torch.zeros(0, 4), torch.ones(1, 4)])[:, 0].tolist()
    [0.0, 2.0]
    """
    rows = [torch.cat([b.new_full((len(b), 1), i), b], dim=1) for i, b in enumerate(boxes)]
    return torch.cat(rows) if rows else torch.zeros(0, 5)


def pooled(
    maps: Tensor,
    boxes: Sequence[Tensor],
    size: tuple[int, int],
    *,
    stride: float,
    kind: Kind = "align",
    samples: int = 2,
) -> Tensor:
    """Return what maps hold in boxes, (R, C, h, w), or (R, K, h, w) of position-sensitive ones.

    ``stride`` is how many pixels a place of the map stands for; ``samples`` how many points along
    each side of a cell are averaged (0: one a place), which only aligning asks for. Raises
    ``SizeError`` for a position-sensitive map whose channels are no multiple of h·w.

    >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    >>> pooled(ramp, [torch.tensor([[0.0, 0.0, 16.0, 16.0]])], (1, 2), stride=4).tolist()
    [[[[0.5, 2.5]]]]
    """
    if kind.startswith("ps") and maps.shape[1] % (size[0] * size[1]):
        raise SizeError(
            f"a map of {maps.shape[1]} channels for {size[0]}×{size[1]} cells",
            expected=f"a multiple of {size[0] * size[1]}, some for each cell",
        )
    options: dict[str, Any] = {"spatial_scale": 1 / stride}
    if kind.endswith("align"):
        options["sampling_ratio"] = samples or -1
    if kind == "align":
        options["aligned"] = True  # a place's value is that of its middle
    if kind == "ps_pool":  # torchvision's never reads the last row and column: give it others
        maps = nn.functional.pad(maps, (0, 1, 0, 1))
    rows = listed(boxes).to(maps)
    found: Tensor = _OPERATORS[kind](maps, rows, size, **options)
    return found
