"""Pixels moved, recoloured and hidden, for a batch with one matrix a picture.

Shapes: N pictures of C channels; H, W before, h, w after; k, l waves of a bend, down and across.
Outside of a picture lies its mirror image (edge pixel repeated) or, where it is small, its edge
goes on: see ``Frame.mirrors``. That holds in both ways of moving pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from opsin.augment.lots import Floats, Ints
from opsin.augment.waves import Waves


def cut(batch: Tensor, to_window: Floats, out: tuple[int, int], *, mirrors: bool = True) -> Tensor:
    """Return windows moved by whole pixels and mirrored, exact, in float32.

    (N, C, H, W), to_window (N, 3, 3) -> (N, C, h, w)

    >>> row = torch.arange(4, dtype=torch.uint8).reshape(1, 1, 1, 4)
    >>> cut(row, np.array([[[1.0, 0, 1], [0, 1, 0], [0, 0, 1]]]), (1, 4)).flatten().tolist()
    [0.0, 0.0, 1.0, 2.0]
    """
    width = batch.shape[3]
    rows, columns = sources(to_window, (batch.shape[2], width), out, mirrors)
    if _is_one_slice(rows) and _is_one_slice(columns):
        top, left = rows[0, 0], columns[0, 0]
        return batch[:, :, top : top + out[0], left : left + out[1]].float()
    pixels = (rows[:, :, None] * width + columns[:, None, :]).reshape(len(batch), 1, -1)
    chosen = torch.from_numpy(pixels).to(batch.device).expand(-1, batch.shape[1], -1)
    return batch.flatten(2).gather(2, chosen).view(*batch.shape[:2], *out).float()  # (N, C, h, w)


def sample(
    batch: Tensor,
    to_picture: Floats,
    out: tuple[int, int],
    *,
    smooth: bool,
    bend: Waves | None = None,
    mirrors: bool = True,
) -> Tensor:
    """Return windows sampled at ``to_picture`` @ (x, y, 1), bilinear or the nearest pixel, float32.

    (N, C, H, W), to_picture (N, 3, 3) -> (N, C, h, w); with a bend, (x, y) moves by it first.

    >>> row = torch.tensor([0, 100], dtype=torch.uint8).reshape(1, 1, 1, 2)
    >>> half = np.array([[[0.5, 0, 0], [0, 1, 0], [0, 0, 1]]])
    >>> sample(row, half, (1, 4), smooth=True).flatten().tolist()
    [0.0, 25.0, 75.0, 100.0]
    """
    mode = "bilinear" if smooth else "nearest"
    places = grid(to_picture, (batch.shape[2], batch.shape[3]), out, bend)
    beyond = "reflection" if mirrors else "border"
    return grid_sample(batch.float(), places.to(batch.device), mode, beyond, align_corners=False)


def grid(
    to_picture: Floats, working: tuple[int, int], out: tuple[int, int], bend: Waves | None
) -> Tensor:
    """Return where each pixel of the windows fetches from, (N, h, w, 2) x y: -1..1 is the picture.

    The coordinates are sums of products of a function of y and one of x: 1 · x, y · 1, 1 · 1 for
    the matrices, and a bend's waves. So a whole batch is two products of matrices.
    """
    height, width = working
    # The picture spans -1..1 on both axes. Depth, the third row, stays.
    scaled = to_picture.copy()
    scaled[:, :2] *= [[2 / width], [2 / height]]
    scaled[:, :2] -= scaled[:, 2:]
    flat = bool((to_picture[:, 2] == [0, 0, 1]).all())
    rows = scaled[:, : 2 if flat else 3]  # (N, r, 3)
    k, waves = (0, 0) if bend is None else bend.amounts.shape[2:]
    terms = np.zeros((*rows.shape[:2], k + 2, waves + 2), np.float32)
    if bend is not None:
        moved = rows[:, :, :2].astype(np.float32) @ bend.amounts.reshape(len(rows), 2, -1)
        terms[:, :, :k, :waves] = moved.reshape(*rows.shape[:2], k, waves)
    terms[:, :, k, waves + 1], terms[:, :, k + 1, waves], terms[:, :, k, waves] = rows.transpose(
        2, 0, 1
    )
    down = _ramped(out[0], None if bend is None else bend.down)
    across = _ramped(out[1], None if bend is None else bend.across)
    planes = down @ (torch.from_numpy(terms) @ across.T)  # (N, r, h, w)
    if not flat:
        planes = planes[:, :2] / planes[:, 2:].clamp_min(1e-6)
    return planes.permute(
        0, 2, 3, 1
    )  # (N, h, w, 2), x and y each in one piece: what is read fastest


def _ramped(length: int, waves: Floats | None) -> Tensor:
    """Return waves (length, k) beside a column of ones and one of the middles of the pixels."""
    middles = np.arange(length) + 0.5
    ramp = np.stack([np.ones(length), middles], axis=1)
    joined = ramp if waves is None else np.concatenate([waves, ramp], axis=1)
    return torch.from_numpy(joined.astype(np.float32))


def recolour(seen: Tensor, gain: Floats, offset: Floats) -> Tensor:
    """Return ``gain @ colour + offset``, (N, C, h, w), writing over ``seen`` where it can.

    gain (N or 1, C, C), or (N or 1, C, 1) to scale each channel for itself; offset (N or 1, C, 1)

    >>> recolour(torch.ones(1, 1, 1, 1), np.full((1, 1, 1), 2.0), np.full((1, 1, 1), 3.0)).item()
    5.0
    """
    gain_ = torch.from_numpy(gain.astype(np.float32)).to(seen.device)
    offset_ = torch.from_numpy(offset.astype(np.float32)).to(seen.device)
    if gain_.shape[2] == 1:
        return seen.mul_(gain_[:, :, :, None]).add_(offset_[:, :, :, None])
    mixed = torch.baddbmm(offset_, gain_, seen.flatten(2))  # (N, C, h*w)
    return mixed.view(seen.shape)  # (N, C, h, w)


def cover(seen: Tensor, holes: Ints) -> None:
    """Set boxes x1 y1 x2 y2 of each picture to 0 in place: seen (N, C, h, w), holes (N, K, 4)."""
    seen.masked_fill_(inside(holes, seen), 0.0)


def inside(boxes: Ints, seen: Tensor) -> Tensor:
    """Say which pixels of pictures (N, C, h, w) lie in one of boxes (N, K, 4), (N, 1, h, w)."""
    box = torch.from_numpy(boxes).to(seen.device)[:, :, :, None]  # (N, K, 4, 1)
    x = torch.arange(seen.shape[3], device=seen.device)
    y = torch.arange(seen.shape[2], device=seen.device)
    across = (box[:, :, 0] <= x) & (x < box[:, :, 2])  # (N, K, w)
    down = (box[:, :, 1] <= y) & (y < box[:, :, 3])  # (N, K, h)
    return (down[:, :, :, None] & across[:, :, None]).any(1, keepdim=True)  # (N, 1, h, w)


def sources(
    to_window: Floats, working: tuple[int, int], out: tuple[int, int], mirrors: bool
) -> tuple[Ints, Ints]:
    """Return which row and which column of a picture each of a window is: (N, h) and (N, w)."""
    across, down = to_window[:, 0, [0, 2]], to_window[:, 1, [1, 2]]  # sign and shift
    rows = _source(down, out[0], working[0], mirrors)
    return rows, _source(across, out[1], working[1], mirrors)


def _source(moves: Floats, length: int, limit: int, mirrors: bool) -> Ints:
    """Return which of ``limit`` rows (or columns) each of ``length`` comes from, (N, length)."""
    middle = np.arange(length) + 0.5
    source = np.floor((middle - moves[:, 1:]) * moves[:, :1]).astype(np.int64)
    if not mirrors:
        return source.clip(0, limit - 1)
    source %= 2 * limit
    return np.minimum(source, 2 * limit - 1 - source)  # the second half runs back


def _is_one_slice(source: Ints) -> bool:
    """Say whether all pictures take the same run of rows (or columns), forwards."""
    run = np.arange(source.shape[1]) + source[0, 0]
    return bool((source == run).all())
