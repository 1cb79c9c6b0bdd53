"""A classifier with weights set by hand finds drawn discs, by every way to look."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from opsin.data.preprocess import Preprocessing
from opsin.errors import DataError, ModelError, RecipeError
from opsin.locate import Searcher
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.tasks import find

SIDE, DISC = 24, 16  # of a window, and of an object without its context
MIDDLES = ((40, 50), (120, 60), (220, 140))  # x, y


class ByHand(nn.Module):
    """Is surer of a disc the darker a window's middle is against its frame."""

    def __init__(self, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3 + 2 * padding, padding=padding)  # 24 → 22
        self.flat = nn.Flatten()
        self.dense = nn.Linear(22 * 22, 2)
        y, x = np.mgrid[:22, :22] - 10.5
        inside = torch.tensor(x**2 + y**2 < 7**2).float()
        frame = torch.tensor(x**2 + y**2 > 9.5**2).float()
        with torch.no_grad():
            self.conv.weight.fill_(1 / self.conv.weight.numel())
            self.conv.bias.zero_()
            self.dense.weight[1] = (frame / frame.sum() - inside / inside.sum()).ravel() * 12
            self.dense.weight[0] = 0
            self.dense.bias.copy_(torch.tensor([4.0, 0.0]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores (N, 2) of windows (N, 1, 24, 24)."""
        scores: torch.Tensor = self.dense(self.flat(self.conv(images)))
        return scores


def model(
    classes: tuple[str, ...] = ("background", "disc"), task: str = "classify", padding: int = 0
) -> Model:
    """Return the net in a model file's shape."""
    pre = Preprocessing((SIDE, SIDE), mean=(0.0,), std=(1.0,))
    state = {"temperature": 1.0} if task == "classify" else {"centre": 0.0, "scale": 1.0}
    net = ByHand(padding).eval()
    return Model(net, "by hand", find(task).restore(classes, state), pre, Recipe())


def scene() -> np.ndarray:
    """Return a picture (3, 200, 300) of three dark discs on bright ground."""
    y, x = np.mgrid[:200, :300] + 0.5
    ground = np.full((200, 300), 230, np.uint8)
    for left, top in MIDDLES:
        ground[(x - left) ** 2 + (y - top) ** 2 < (DISC / 2) ** 2] = 10
    return np.stack([ground] * 3)


@pytest.mark.parametrize(
    "way",
    [f"sliding, scales {DISC}, step 0.1", "contour", f"dense, scales {DISC}"],
)
def test_discs_are_found_where_they_are(way: str) -> None:
    found = Searcher(model(), way).find(scene(), 0.5)
    assert found.names == ("disc",) * 3
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    order = np.argsort(middles[:, 0])
    np.testing.assert_allclose(middles[order], MIDDLES, atol=1.5)
    np.testing.assert_allclose(found.boxes[:, 2:] - found.boxes[:, :2], DISC, atol=1.5)


def test_it_is_noted_where_scores_are_not_those_of_windows() -> None:
    assert Searcher(model(), "dense").notes() == []
    (note,) = Searcher(model(padding=1), "dense").notes()
    assert "layer 1 (5×5, padding 1) pads" in note
    assert Searcher(model(padding=1), "sliding").notes() == []


def test_a_bad_picture_is_one_line() -> None:
    said = list(Searcher(model(), "contour").iterate([scene(), b"no picture"]))
    assert len(said[0].result or ()) == 3
    assert said[1].result is None
    assert said[1].error


def test_what_cannot_be_searched_is_said() -> None:
    with pytest.raises(ModelError, match="one called background"):
        Searcher(model(("ant", "bee")))
    assert Searcher(model(("ant", "bee")), background="ant").classes == ("bee",)
    with pytest.raises(ModelError, match="answers with value"):
        Searcher(model((), "regress"))
    with pytest.raises(RecipeError, match="Did you mean contour"):
        Searcher(model(), "contuor")
    with pytest.raises(DataError, match="the smallest window"):
        Searcher(model()).find(np.zeros((3, 40, 40), np.uint8))
