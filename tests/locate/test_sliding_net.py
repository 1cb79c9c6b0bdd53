"""A net that slides gives the scores of windows cut out, or says why not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from opsin.errors import ModelError
from opsin.locate.sliding_net import slid


def net(padding: int) -> nn.Sequential:
    """Return a small net of pictures of 16×16."""
    torch.manual_seed(0)
    side = (16 - 2 + 2 * padding) // 2
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=padding),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * side * side, 8),
        nn.ReLU(),
        nn.Linear(8, 2),
    ).eval()


def test_scores_are_those_of_windows_without_padding() -> None:
    plain = net(0)
    found = slid(plain, (16, 16), 3)
    assert found.stride == (2, 2)
    assert found.why == ()
    assert found.apart < 1e-4
    draws = np.random.default_rng(3)
    picture = torch.from_numpy(draws.normal(size=(1, 3, 30, 40)).astype(np.float32))
    with torch.no_grad():
        maps = found.net(picture)[0]  # (2, 8, 13)
        cut = torch.stack(
            [
                plain(picture[..., y : y + 16, x : x + 16])[0]
                for y in range(0, 15, 2)
                for x in range(0, 25, 2)
            ]
        )
    assert tuple(maps.shape) == (2, 8, 13)
    np.testing.assert_allclose(maps.flatten(1).T, cut, atol=1e-4)


def test_padding_is_named_and_measured() -> None:
    found = slid(net(1), (16, 16), 3)
    assert len(found.why) == 1
    assert "layer 1 (3×3, padding 1) pads" in found.why[0]
    assert found.apart > 1e-3


def test_a_net_without_a_head_cannot_slide() -> None:
    with pytest.raises(ModelError, match="cannot slide"):
        slid(nn.Sequential(nn.Conv2d(3, 2, 16)), (16, 16), 3)
