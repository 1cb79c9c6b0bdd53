"""Averaged weights: of one net, with the statistics of batch norms as torch re-estimates them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from opsin import nets, verbs
from opsin.data.preprocess import Preprocessing
from opsin.ensemble import soup
from opsin.errors import ModelError, OpsinError
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.tasks.classify import Classify

LINE = "conv 3x3x4, bn, pool 2, dense 3"
PRE = Preprocessing((16, 16), crop=1.0, mean=(0.4,), std=(0.2,))
Run = Callable[..., Path]


def test_weights_are_torchs_average() -> None:
    each = [nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)) for _ in range(3)]
    theirs = AveragedModel(each[0])
    for one in each:
        theirs.update_parameters(one)
    ours = soup.mean(each, [1, 1, 1])
    for name, wanted in theirs.module.named_parameters():
        torch.testing.assert_close(ours[name], wanted.detach(), rtol=1e-6, atol=1e-6)
    weighed = soup.mean(each, [3, 1, 0])["0.weight"]
    wanted = 0.75 * each[0][0].weight + 0.25 * each[1][0].weight
    torch.testing.assert_close(weighed, wanted.detach())


def test_statistics_are_torchs() -> None:
    torch.manual_seed(0)
    ours = nets.build(LINE, outputs=3, channels=1, size=PRE.size)
    theirs = copy.deepcopy(ours)
    images = np.random.default_rng(0).integers(0, 256, (512, 1, 16, 16), dtype=np.uint8)
    model = Model(ours, LINE, Classify(tuple("abc")), PRE, Recipe())
    norms = [module for module in ours.modules() if isinstance(module, soup.NORMS)]
    soup.estimate(ours, norms, images, model)
    floats = (torch.from_numpy(images).float() / 255 - 0.4) / 0.2
    update_bn([floats[:256], floats[256:]], theirs)
    for one, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    assert norms[0].momentum == 0.1 and not ours.training


def test_the_same_net_twice_is_that_net(runs: list[Path], tmp_path: Path) -> None:
    twice = [str(runs[0]), str(runs[0] / "model.safetensors")]
    one = verbs.ensemble(twice, vote="weights", out=tmp_path / "a.safetensors")
    model = Model.load(tmp_path / "a.safetensors")
    assert model.net_name == "lenet5" and one.judged["test"].lead.value == 0
    for name, tensor in Model.load(runs[0]).net.state_dict().items():
        torch.testing.assert_close(model.net.state_dict()[name], tensor)
    assert verbs.evaluate(model, "samples:digits").metrics["accuracy"].n == 359
    assert model.about["members"][0]["name"] == str(runs[0])


def test_what_cannot_be_averaged_is_refused(
    runs: list[Path], make_run: Run, tmp_path: Path
) -> None:
    other = make_run(tmp_path / "other", 3, net="network3")
    with pytest.raises(ModelError, match=r"a network3; expected a lenet5.*--vote mean"):
        verbs.ensemble([str(runs[0]), str(other)], vote="weights", out=tmp_path / "a.safetensors")
    paler = Preprocessing((28, 28), crop=1.0, interpolation="bilinear", mean=(0.2,), std=(0.4,))
    pale = make_run(tmp_path / "pale", 3, pre=paler)
    with pytest.raises(OpsinError, match=r"with the mean \(0.2,\)"):
        verbs.ensemble([str(runs[0]), str(pale)], vote="weights", out=tmp_path / "a.safetensors")
