"""What a trained net sees: its own numbers, on a sheet that is whole and labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from opsin.errors import DataError, InputError
from opsin.lessons import looking
from opsin.lessons.looking import Trained, first_kernels, look, stages
from opsin.lessons.maps import ALONE, draw, draw_file, liveliest, tile
from opsin.model import Model


@pytest.fixture
def photo(photos: Path) -> Path:
    return next(iter(sorted(photos.glob("*/*.png"))))


def test_maps_are_what_the_layers_of_the_net_give(trained: Path, photo: Path) -> None:
    model = Model.load(trained)
    found = look(seeing(trained), photo)
    assert list(found.maps) == ["c1", "s2", "c3", "s4", "c5"]
    x = torch.from_numpy(found.picture[None].astype(np.float32) / 255)
    mean = torch.tensor(model.preprocessing.mean)[:, None, None]
    std = torch.tensor(model.preprocessing.std)[:, None, None]
    with torch.no_grad():
        c1 = model.net.c1(model.net.frame((x - mean) / std))  # type: ignore[operator]
        s2 = model.net.s2(c1)  # type: ignore[operator]
    assert np.allclose(found.maps["c1"], c1[0].numpy(), atol=1e-5)
    assert np.allclose(found.maps["s2"], s2[0].numpy(), atol=1e-5)
    weight = model.net.get_submodule("c1").weight
    assert isinstance(weight, torch.Tensor)
    assert np.array_equal(found.kernels, weight.detach().numpy())
    said = model.predict(str(photo))[0].result
    assert said is not None and found.says == said.words()


def seeing(folder: Path) -> Trained:
    return looking.trained(str(folder))


def test_the_sheet_holds_every_stage(trained: Path, photo: Path, tmp_path: Path) -> None:
    found = look(seeing(trained), photo)
    sheet = draw(found, "a.png")
    assert sheet.dtype == np.uint8 and sheet.shape[0] == 3
    # Each map and each kernel leaves something that is not paper.
    assert (sheet != sheet[:, :1, :1]).any(0).mean() > 0.1
    fewer = draw(look(seeing(trained), photo, "c3"), "a.png", alone=True)
    assert fewer.shape[1] < sheet.shape[1] and fewer.shape[2] == sheet.shape[2]
    out = draw_file(str(trained), photo, tmp_path / "maps.png")
    with Image.open(out) as image:
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), draw(found, photo.name))
    assert len(list(tmp_path.iterdir())) == 1


def test_stages_of_a_net_with_many_shapes_are_those_it_declares() -> None:
    net = nn.Sequential()
    net.feature_info = [{"module": "a3"}, {"module": "a9"}, {"module": "gone"}]  # type: ignore[assignment]
    many = [(f"a{i}", (i, 32 - i, 32 - i)) for i in range(20)]
    assert stages(net, many) == ["a3", "a9"]
    assert len(stages(nn.Identity(), many)) == 20


def test_those_that_vary_most_are_shown_in_order() -> None:
    maps = np.zeros((200, 4, 4), np.float32)
    maps[::2, 0, 0] = np.arange(1, 101)
    chosen = liveliest(maps, ALONE)
    assert len(chosen) == ALONE and chosen == sorted(chosen)
    assert chosen == list(range(8, 200, 2))


def test_a_tile_keeps_the_shape_of_its_map() -> None:
    wide = np.full((1, 2, 8), 7, np.uint8)
    found = np.asarray(tile(wide, 64))
    assert found.shape == (64, 64, 3)
    assert (found[24:40] == 7).all() and not (found[:20] == 7).any()


def test_a_net_without_convolutions_has_no_kernels() -> None:
    with pytest.raises(InputError, match="convolution"):
        first_kernels(nn.Sequential(nn.Linear(2, 2)))


def test_what_cannot_be_shown_is_refused(trained: Path, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Did you mean c3"):
        look(seeing(trained), photo, "c_3")
    with pytest.raises(InputError, match="not trained"):
        seeing(Path("plain34"))
    with pytest.raises(InputError, match="knows"):
        seeing(Path("vgg61"))
    with pytest.raises(DataError):
        look(seeing(trained), tmp_path / "nowhere.png")
    with pytest.raises(InputError, match="ending in"):
        draw_file(str(trained), photo, tmp_path / "maps.txt")
    with pytest.raises(DataError):
        draw_file(str(trained), photo, Path("/proc/nowhere/maps.png"))
    assert not list(tmp_path.iterdir())
