"""Tile by tile a net says of a picture what it says of the whole, and nothing is lost at seams."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from test_searcher import SIDE, ByHand, model
from torch import nn

from opsin import runtimes
from opsin.locate import sliding_net
from opsin.locate.sliding_net import SlidingNet, slid

OBJECT = (
    18  # pixels: with its context as large as the net's working size, so that nothing is scaled
)


@pytest.mark.parametrize("ahead", [(7, 31), (160, 640)])
@pytest.mark.parametrize("size", [(24, 24), (61, 90), (200, 133)])
def test_all_windows_are_scored_once(
    monkeypatch: pytest.MonkeyPatch, ahead: tuple[int, int], size: tuple[int, int]
) -> None:
    monkeypatch.setattr(sliding_net, "AHEAD", ahead)
    exact = partial(runtimes.fastest, precision="float32")  # bf16 rounds what is compared here
    monkeypatch.setattr(runtimes, "fastest", exact)
    grey = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    parts = list(SlidingNet(model(), 0.25).judged(np.stack([grey] * 3), (OBJECT,)))
    boxes, outputs = (np.concatenate(column) for column in zip(*parts, strict=True))
    with torch.no_grad():
        whole = slid(ByHand().eval(), (SIDE, SIDE), 1).net(
            torch.from_numpy(grey / 255)[None, None].float()
        )
    rows, columns = whole.shape[2:]
    assert (rows, columns) == (size[0] - SIDE + 1, size[1] - SIDE + 1)
    assert len(boxes) == rows * columns
    corner = (boxes[:, :2] - (SIDE - OBJECT) / 2).astype(int)  # of the window round each object
    found = np.full((2, rows, columns), np.nan)
    found[:, corner[:, 1], corner[:, 0]] = outputs.T
    np.testing.assert_allclose(found, whole[0], atol=1e-3)


def test_scaled_tiles_are_parts_of_the_scaled_picture() -> None:
    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 256, (120, 150, 3), dtype=np.uint8)
    searched = SlidingNet(model(), 0.25)
    tiles = sliding_net.Tiles(pixels.transpose(2, 0, 1), 0.5, (32, 32), (20, 20), searched.pre)
    whole = np.asarray(
        Image.fromarray(pixels).convert("L").resize((75, 60), Image.Resampling.BICUBIC)
    )
    assert tiles.size == (60, 75)
    for top, left in tiles.corners((24, 24)):
        part = whole[top : top + 32, left : left + 32]
        tile = tiles.cut(top, left)[0]
        high, wide = part.shape
        np.testing.assert_allclose(tile[:high, :wide].astype(int), part.astype(int), atol=1)
        assert not tile[high:].any()


def test_of_ways_that_part_the_padded_one_is_named() -> None:
    class Fire(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.three = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 3, padding=1)
            self.flat, self.dense = nn.Flatten(), nn.Linear(4 * 64, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            both = torch.cat([self.one(x), self.three(x)], 1)
            scores: torch.Tensor = self.dense(self.flat(both))
            return scores

    (why,) = slid(Fire().eval(), (8, 8), 3).why
    assert "padding 1) pads" in why
