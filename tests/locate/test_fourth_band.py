"""A classifier of four channels finds what the fourth band alone shows, by every way to look."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from opsin.data.decode import PictureError
from opsin.data.preprocess import Preprocessing
from opsin.locate import Searcher
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.tasks import find

SIDE, DISC, MIDDLE = 24, 16, (60, 50)  # of a window, of an object, where it lies: x, y


def model() -> Model:
    """Return a net that is surer of a disc the darker the fourth band is in a window's middle."""
    conv, dense = nn.Conv2d(4, 1, 1), nn.Linear(SIDE * SIDE, 2)
    y, x = np.mgrid[:SIDE, :SIDE] - 11.5
    inside = torch.tensor(x**2 + y**2 < 7**2).float()
    frame = torch.tensor(x**2 + y**2 > 9.5**2).float()
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([0.0, 0, 0, 1]).view(1, 4, 1, 1))
        conv.bias.zero_()
        dense.weight[1] = (frame / frame.sum() - inside / inside.sum()).ravel() * 12
        dense.weight[0] = 0
        dense.bias.copy_(torch.tensor([4.0, 0.0]))
    pre = Preprocessing((SIDE, SIDE), mean=(0.0,) * 4, std=(1.0,) * 4)
    task = find("classify").restore(("background", "disc"), {"temperature": 1.0})
    net = nn.Sequential(conv, nn.Flatten(), dense).eval()
    return Model(net, "by hand", task, pre, Recipe())


def scene() -> np.ndarray:
    """Return a picture (4, 100, 140) with one dark disc in its fourth band."""
    picture = np.full((4, 100, 140), 230, np.uint8)
    y, x = np.mgrid[:100, :140] + 0.5
    picture[3][(x - MIDDLE[0]) ** 2 + (y - MIDDLE[1]) ** 2 < (DISC / 2) ** 2] = 10
    return picture


@pytest.mark.parametrize("way", [f"sliding, scales {DISC}, step 0.1", f"dense, scales {DISC} 20"])
def test_a_disc_is_found_in_the_fourth_band(way: str) -> None:
    searcher = Searcher(model(), way)
    found = searcher.find(scene(), 0.5)
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert np.allclose(middles, [MIDDLE], atol=3)
    with pytest.raises(PictureError, match="of 3 bands; expected 4"):
        searcher.find(scene()[:3])
    assert "of 3 bands" in str(next(searcher.iterate([scene()[:3]])).error)


def test_rules_propose_by_colours() -> None:
    assert not len(Searcher(model(), "contour").find(scene(), 0.5))
