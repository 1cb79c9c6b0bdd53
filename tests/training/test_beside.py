"""How long the classical pipelines may take, what they see of it, and that it is decided once."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import opsin
from opsin.data.samples import shapes
from opsin.events import Event, Finished, Note, Planned
from opsin.nets import classical
from opsin.recipe import Recipe
from opsin.results import Label, Value
from opsin.tasks._baseline import lead
from opsin.tasks.classify import Classify
from opsin.tasks.regress import Regress
from opsin.training import rivals


@pytest.mark.parametrize("budget", [1.0, 3.0, 30.0, 60.0, 180.0, 600.0, 3600.0])
def test_the_share_of_a_budget_is_small(budget: float) -> None:
    assert 0 < rivals.seconds(budget) <= 0.08 * budget
    assert rivals.seconds(budget) <= rivals.seconds(2 * budget)


def test_places_are_spread_over_all() -> None:
    found = rivals.spread(60_000, 2000)
    assert len(set(found.tolist())) == 2000 and found[0] == 0 and found[-1] == 59_999
    assert (np.diff(found) >= 29).all() and (np.diff(found) <= 31).all()


def test_lead_is_that_of_paired_answers() -> None:
    """Two answers that are wrong on nearly the same pictures are compared sharply."""
    draws = np.random.default_rng(0)
    hard = draws.uniform(size=400) < 0.4
    slip = draws.uniform(size=400) < 0.05
    truths = [Label("a")] * 400
    mine = [Label("b" if wrong else "a") for wrong in hard]
    theirs = [Label("b" if wrong else "a") for wrong in hard | slip]
    found = lead(Classify(("a", "b")), mine, theirs, truths)
    gap = (hard | slip).mean() - hard.mean()
    assert found.value == pytest.approx(gap) and found.n == 400
    # McNemar's variance: pictures on which both are right or wrong together add nothing.
    half = 1.96 * math.sqrt((gap - gap**2) / 400)
    assert found.low == pytest.approx(gap - half, abs=0.004)
    assert found.high == pytest.approx(gap + half, abs=0.004)
    assert found.low > 0


def test_lead_counts_less_error_as_more() -> None:
    truths = [Value(float(n)) for n in range(50)]
    mine = [Value(n + 1.0) for n in range(50)]
    theirs = [Value(n - 3.0) for n in range(50)]
    task = Regress({"centre": 0.0, "scale": 1.0})
    assert lead(task, mine, theirs, truths).value == pytest.approx(2.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event], opsin.Model]:
    told: list[Event] = []
    out = tmp_path_factory.mktemp("beside") / "run"
    model = opsin.train(shapes.read(90), Recipe(net="lenet5", epochs=1), out=out, watch=told.append)
    return out, told, model


@pytest.mark.contracts
def test_a_run_is_set_beside_them_and_says_so(run: tuple[Path, list[Event], opsin.Model]) -> None:
    out, told, _ = run
    planned = next(event for event in told if isinstance(event, Planned))
    assert rivals.PART in dict(planned.parts)
    done = [event.part for event in told if isinstance(event, Finished)]
    assert done[-1] == rivals.PART
    decided = {
        name: taught
        for name, taught in json.loads((out / "run.json").read_text()).items()
        if name.startswith("taught ")
    }
    assert sorted(" ".join(decided).replace("taught ", "").split()) == classical.names()
    page = (out / "report.html").read_text()
    assert "Against classical pipelines" in page
    if any(decided.values()):  # a busy machine may have no time for any
        assert "classical pipeline by" in page or "is not shown" in page
        assert any(isinstance(e, Note) and "classical pipeline" in e.text for e in told)


@pytest.mark.contracts
def test_a_net_is_no_rival_of_itself(tmp_path: Path) -> None:
    opsin.train(shapes.read(60), Recipe(net="lbp", epochs=1), out=tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    rivalled = {word for name in facts if name.startswith("taught ") for word in name.split()}
    assert rivalled == {"taught", *classical.names()} - {"lbp"}


def test_what_was_decided_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsin.engine.store import Store

    told: list[Event] = []
    before = Store(tmp_path / "run")
    keys = ["colour_histogram", "lbp", "hog", "sift_bof spatial_pyramid fisher_vectors"]
    decided = {f"taught {key}": n for key, n in zip(keys, (0, 0, 20, 0), strict=True)}
    monkeypatch.setattr(Store, "forget", lambda self: None)
    original = Store.once

    def once(self: Store, name: str, decide: object) -> object:
        return original(self, name, lambda: decided[name] if name in decided else decide())  # type: ignore[operator]

    monkeypatch.setattr(Store, "once", once)
    opsin.train(
        shapes.read(60), Recipe(net="lenet5", epochs=1), out=before.folder, watch=told.append
    )
    note = next(e.text for e in told if isinstance(e, Note) and "classical pipeline" in e.text)
    assert "HoG with a linear SVM, which learnt from 20 of" in note


@pytest.mark.contracts
def test_a_number_has_no_such_rivals(tmp_path: Path) -> None:
    from opsin.data.samples import discs

    told: list[Event] = []
    opsin.train(
        discs.read(40, 0, side=32),
        Recipe(net="lenet5", epochs=1),
        out=tmp_path / "run",
        watch=told.append,
    )
    assert rivals.PART not in {event.part for event in told if isinstance(event, Finished)}
    assert "colours of the picture" in (tmp_path / "run" / "report.html").read_text()
