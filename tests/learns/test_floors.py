"""Every task reaches its floor on its own example; the demo's data set is learnt for real."""

from __future__ import annotations

from pathlib import Path

import pytest

import opsin
from opsin import tasks

pytestmark = pytest.mark.learns


@pytest.mark.parametrize("name", tasks.names())
def test_task_reaches_its_floor(name: str, tmp_path: Path) -> None:
    task = tasks.find(name)
    data = task.example(600, seed=3)
    own = task.of(data).usual([s.truth for s in data.samples if s.truth is not None])
    rate = None if own else 0.02  # some say themselves what suits them
    epochs = 40 if task.linear else 15
    model = opsin.train(
        data,
        opsin.Recipe(task=name, policy="scratch", epochs=epochs, batch=32, rate=rate),
        out=tmp_path / "run",
    )
    reached = model.about["metrics"][task.better]["value"]
    assert task.sign * reached >= task.sign * task.floor


def test_digits_from_scratch(tmp_path: Path) -> None:
    recipe = opsin.Recipe(policy="scratch", net="lenet5", epochs=30, batch=64)
    model = opsin.train("samples:digits", recipe, out=tmp_path / "run")
    accuracy = model.about["metrics"]["accuracy"]
    assert accuracy["value"] >= 0.97
    assert accuracy["n"] >= 300
