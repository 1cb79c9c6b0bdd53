"""Finished runs that cost no training: a random net with the head that fits it, and its record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from opsin import nets, runtimes
from opsin.data.dataset import Dataset
from opsin.data.decode import centre
from opsin.data.preprocess import Preprocessing
from opsin.engine.policies.probe import as_linear
from opsin.events import follow
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.tasks import fitting
from opsin.training import material

PRE = Preprocessing((28, 28), crop=1.0, interpolation="bilinear", mean=(0.3,), std=(0.4,))
Run = Callable[..., Path]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep small nets on one core: on a busy machine threads mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="module")
def plain_torch() -> Iterator[None]:
    """Run nets in plain float32: nothing to compile. The runtimes' turn is in tests/contracts."""

    def plain(net: nn.Module, pre: Preprocessing, **_: Any) -> runtimes.Runtime:
        return runtimes.load("torch", net, pre, device="cpu", precision="float32")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtimes, "fastest", plain)
        yield


def write_run(
    out: Path,
    seed: int,
    *,
    data: str = "samples:digits",
    net: str = "lenet5",
    split: int = 0,
    pre: Preprocessing = PRE,
    sharp: float = 3.0,
) -> Path:
    """Write the folder of a finished run whose net is random up to its last layer."""
    recipe = Recipe(net=net, seed=seed, split=split)
    read = Dataset.read(data)
    made = follow(material.prepare(read, pre, recipe, None), lambda _: None)
    train, held = made.part("train"), made.part("validation")
    task = fitting(read).of(read)
    torch.manual_seed(seed)
    built = nets.build(net, outputs=task.outputs, channels=pre.channels, size=pre.size).eval()
    some = np.arange(seed % 3, len(train), 3)  # of each three training pictures it sees one
    with torch.no_grad():
        pixels = torch.from_numpy(np.ascontiguousarray(centre(train.pixels[some], pre)))
        seen = nets.pooled(built, (pixels.float() / 255 - pre.mean[0]) / pre.std[0]).numpy()
    head = task.solve(seen, [train.truths[place] for place in some], recipe)
    nets.set_head(built, as_linear(sharp * head.weight, sharp * head.bias))
    model = Model(built, net, task, pre, recipe)
    task.calibrate(model.outputs(held.pixels), held.truths)
    about = {"policy": "scratch", "data": {"name": read.name, "fingerprint": made.fingerprint}}
    facts: dict[str, Any] = {"data": data, "root": None, "recipe": recipe.to_dict()}
    facts |= {"data seen": made.fingerprint, "done": True}
    out.mkdir(parents=True)
    (out / "run.json").write_text(json.dumps(facts))
    replace(model, about=about).save(out / "model.safetensors")
    return out


@pytest.fixture(scope="session")
def make_run() -> Run:
    """Give ``write_run``."""
    return write_run


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give three finished runs on the digits that held out the same pictures."""
    folder = tmp_path_factory.mktemp("members")
    return [write_run(folder / f"s{seed}", seed) for seed in range(3)]
