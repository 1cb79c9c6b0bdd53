"""What every policy must keep, over all policies there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import opsin
from opsin import tasks, verbs
from opsin.data.dataset import Dataset
from opsin.data.samples import shapes
from opsin.engine import policies
from opsin.engine.clock import Clock
from opsin.errors import InputError, RecipeError
from opsin.events import Advanced, Epoch, Event, Finished, Planned, follow
from opsin.nets.weights import locate
from opsin.training import run
from opsin.training.run import Outcome

pytestmark = pytest.mark.contracts

NET = "mobilenetv2_100"
DETECTOR = "yolo on " + "conv 3x3x8 stride 2 pad 1, bn, " * 4 + "dense 10"
needs_weights = pytest.mark.skipif(locate(NET) is None, reason=f"no weights of {NET} installed")


def recipe(policy: str) -> opsin.Recipe:
    """Return the quickest settings a policy runs with."""
    net = {"scratch": "lenet5", "count": "hog"}.get(policy, NET)
    size = None if policy == "scratch" else 96
    return opsin.Recipe(policy=policy, net=net, size=size, epochs=2, batch=16)


@needs_weights
@pytest.mark.parametrize("name", policies.names())
def test_policy_does_what_it_planned_and_leaves_a_model(name: str, tmp_path: Path) -> None:
    told: list[Event] = []
    model = opsin.train(shapes.read(60), recipe(name), out=tmp_path / "run", watch=told.append)
    planned = {part for event in told if isinstance(event, Planned) for part, _ in event.parts}
    done = {event.part for event in told if isinstance(event, Finished)}
    assert planned <= done
    assert len(model.predict(shapes.read(3).samples[0].image)) == 1
    assert model.about["policy"] in policies.names()
    logged = (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [json.loads(line)["event"] for line in logged]
    assert kinds.count("finished") == len([e for e in told if isinstance(e, Finished)])


@needs_weights
@pytest.mark.parametrize("name", policies.names())
def test_policy_ends_early_with_a_usable_model(name: str, tmp_path: Path) -> None:
    clock = Clock()
    data = shapes.read(60)
    events = run.run(data, recipe(name).replace(epochs=500), tmp_path / "run", clock)
    outcome, steps = None, 0
    while outcome is None:
        try:
            event = next(events)
        except StopIteration as end:
            outcome = end.value
            break
        steps += isinstance(event, Advanced)
        if steps == 3:
            clock.stop()
    assert outcome is not None
    assert opsin.Model.load(outcome.path).predict(data.samples[0].image)[0].result is not None


def learnt(data: Dataset, settings: opsin.Recipe, out: Path) -> Outcome:
    """Run to the end and return what came of it."""
    outcome = follow(run.run(data, settings, out, Clock()), lambda _: None)
    assert isinstance(outcome, Outcome)
    return outcome


@needs_weights
@pytest.mark.parametrize("rate", [None, 10.0], ids=["sensible", "ruinous"])
def test_auto_never_ends_worse_than_the_probe(tmp_path: Path, rate: float | None) -> None:
    data = shapes.read(80)
    probe = learnt(data, recipe("probe"), tmp_path / "probe")
    auto = learnt(data, recipe("auto").replace(rate=rate), tmp_path / "auto")
    assert auto.learnt.score >= probe.learnt.score
    # What was kept is what the file holds, not a net that training on has spoilt meanwhile.
    kept = opsin.Model.load(auto.path)
    pixels, truths = auto.made.part("validation").pixels, auto.made.part("validation").truths
    found = kept.task.score(kept.outputs(pixels), truths)
    assert found == pytest.approx(auto.learnt.score, abs=1.5 / len(truths))  # bf16 may turn one
    if rate is not None:
        assert auto.learnt.policy == "probe"
        assert kept.about["policy"] == "probe"


@pytest.mark.parametrize(
    ("data", "net", "precision"),
    [("digits", "lenet5", "auto"), ("scattered", DETECTOR, "bf16")],
    ids=["digits", "boxes in bf16"],
)
def test_a_budget_is_planned_once_and_kept(
    data: str, net: str, precision: str, tmp_path: Path
) -> None:
    told: list[Event] = []
    out = tmp_path / "run"
    settings = opsin.Recipe(net=net, minutes=0.2, policy="scratch", precision=precision)
    model = opsin.train(f"samples:{data}", settings, out=out, watch=told.append)
    assert model.task.better in (out / "report.html").read_text(encoding="utf-8")
    plan = next(event for event in told if isinstance(event, Planned))
    assert plan.budget == pytest.approx(12.0)
    assert sum(seconds for _, seconds in plan.parts) <= plan.budget
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    epochs = [event for event in told if isinstance(event, Epoch)]
    assert facts["scratch epochs"] == epochs[0].epochs


@needs_weights
@pytest.mark.parametrize("task", [n for n in tasks.names() if tasks.find(n).result.located])
def test_what_is_true_of_places_is_learnt_from_pictures_that_move_it(
    task: str, tmp_path: Path
) -> None:
    kind = tasks.find(task)
    data, seen = kind.example(40), {"net" if kind.linear else "backbone": NET}
    plain = recipe("auto").replace(**{"net": "auto"} | seen, task=task, epochs=1)
    with pytest.raises(RecipeError, match="the policy upper for the task"):
        opsin.train(data, plain.replace(policy="upper"), out=tmp_path / "upper")
    model = opsin.train(data, plain, out=tmp_path / "auto")
    assert model.about["policy"] == "full"
    with pytest.raises(InputError, match="tta=2"):
        model.predict(data.samples[0].image, tta=2)
    with pytest.raises(InputError, match="not where"):
        verbs.ensemble([str(tmp_path / "auto")] * 2, out=tmp_path / "two.safetensors")
