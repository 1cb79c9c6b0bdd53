"""The contract of a task, held over every file of ``tasks/`` and over one made up on the spot."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import opsin
from opsin import augment, tasks
from opsin.committee import built
from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample
from opsin.errors import InputError, RecipeError
from opsin.recipe import Recipe
from opsin.results import Value
from opsin.tasks import Task
from opsin.tasks._baseline import guess, neighbours
from opsin.tasks._suspects import suspects

pytestmark = pytest.mark.contracts

SOURCE = Path(opsin.__file__).parent

# A third task in one file: how bright a picture is, in powers of two.
THIRD = '''
"""Counting in powers of two."""
from opsin.results import Value
from opsin.tasks.regress import Regress

class Doublings(Regress):
    """Gives the binary logarithm of brightness."""
    result = Value

    @classmethod
    def example(cls, n, seed=0):
        import numpy as np
        from opsin.data.dataset import Dataset
        from opsin.data.sample import Sample
        powers = np.random.default_rng(seed).uniform(4, 7, n)
        return Dataset(tuple(
            Sample(np.full((3, 16, 16), int(2**p), np.uint8), Value(float(p))) for p in powers))
'''


@pytest.fixture(params=[*tasks.names(), "doublings"])
def name(request, tmp_path, monkeypatch):
    if request.param == "doublings":
        (tmp_path / "doublings.py").write_text(THIRD)
        package = importlib.import_module("opsin.tasks")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        importlib.invalidate_caches()
        yield request.param
        sys.modules.pop("opsin.tasks.doublings", None)
        vars(package).pop("doublings", None)
    else:
        yield request.param


@pytest.fixture
def kind(name):
    return tasks.find(name)


@pytest.fixture
def data(kind):
    return kind.example(60, seed=1)


@pytest.fixture
def task(kind, data):
    return kind.of(data)


def features(data: Dataset) -> np.ndarray:
    """Return what a net might see: brightness in 8 x 8 parts, and how far it is from usual."""
    pixels = np.stack([sample.image for sample in data.samples]).astype(np.float32)
    n, _, height, width = pixels.shape
    parts = pixels.mean(1).reshape(n, 8, height // 8, 8, width // 8).mean((2, 4)).reshape(n, -1)
    corner = parts[:, [0, 7, 56, 63]]
    return np.hstack([parts, np.abs(parts - np.median(corner, axis=1, keepdims=True))])


def truths(data: Dataset) -> list:
    return [sample.truth for sample in data.samples]


def outputs(task: Task, n: int, seed: int = 0) -> np.ndarray:
    """Draw what a net may say: (n, K), or candidates (n, 20, 4 + K) in pictures of 64 pixels."""
    draws = np.random.default_rng(seed)
    if task.linear:
        return draws.normal(size=(n, task.outputs)).astype(np.float32)
    corners, sides = draws.uniform(0, 40, (n, 20, 2)), draws.uniform(4, 24, (n, 20, 2))
    scores = draws.uniform(0, 1, (n, 20, task.outputs))
    return np.concatenate([corners, corners + sides, scores], axis=2).astype(np.float32)


def test_it_is_found_by_its_file(name, kind):
    assert name in tasks.names()
    assert tasks.name_of(kind) == name == kind.__name__.lower()
    assert kind.sign in (1, -1)


def test_it_has_every_word_of_the_contract(kind):
    for word, member in vars(Task).items():
        if word.startswith("_") or not inspect.isfunction(member):
            continue
        mine = inspect.signature(getattr(kind, word))
        wanted = inspect.signature(member)
        assert [p for p in mine.parameters if p != "cls"] == [
            p for p in wanted.parameters if p != "self"
        ] or [*mine.parameters] == [*wanted.parameters], word


def test_its_example_is_drawn_from_the_seed(kind):
    one, same, other = (kind.example(12, seed=seed) for seed in (1, 1, 2))
    assert len(one) == 12 and one.kind is kind.result
    for a, b in zip(one.samples, same.samples, strict=True):
        assert a.truth == b.truth and (a.image == b.image).all()
        assert a.image.dtype == np.uint8 and a.image.shape[0] == 3
    assert any((a.image != b.image).any() for a, b in zip(one.samples, other.samples, strict=True))


def test_data_asks_for_it(name, data):
    # The first task of a kind is the one that data asks for.
    assert tasks.fitting(data).result is tasks.find(name).result


def test_loss_descends_and_its_terms_are_named(task, data):
    targets = task.encode(truths(data))
    assert len(targets) == len(data)
    if not task.linear:  # candidates do not say what a net has yet to learn; the net itself does
        assert task.loss(torch.from_numpy(outputs(task, len(data))), targets, Recipe()) == {}
        return
    values = torch.from_numpy(outputs(task, len(data))).requires_grad_()
    for recipe in (Recipe(), Recipe(smoothing=0.0, balance=True)):
        terms = task.loss(values, targets, recipe)
        assert terms and all(isinstance(term, str) for term in terms)
        loss = sum(terms.values())
        assert loss.shape == ()
        (pull,) = torch.autograd.grad(loss, values)
        assert torch.isfinite(pull).all()
        lower = sum(task.loss(values - 0.1 * len(data) * pull, targets, recipe).values())
        assert lower < loss


def test_mixed_targets_have_a_loss(task, data):
    targets = task.encode(truths(data))
    if not task.linear:
        assert len(task.mix(targets, targets.flip(0), torch.ones(len(data)))) == len(data)
        return
    share = torch.rand(len(data), generator=torch.Generator().manual_seed(0))
    values = torch.from_numpy(outputs(task, len(data)))
    for part in (share, torch.ones(len(data)), torch.zeros(len(data))):
        mixed = task.mix(targets, targets.flip(0), part)
        loss = sum(task.loss(values, mixed, Recipe()).values())
        assert torch.isfinite(loss)
    same = sum(task.loss(values, task.mix(targets, targets, share), Recipe()).values())
    torch.testing.assert_close(same, sum(task.loss(values, targets, Recipe()).values()))


def test_terms_of_a_net_reach_every_parameter(kind, task, data):
    recipe = Recipe(policy="scratch")
    pixels = np.stack([sample.image for sample in data.samples])
    plain = Preprocessing(pixels.shape[2:], 1.0, mean=(0.5,) * 3, std=(0.3,) * 3)
    pre = kind.frame(plain, recipe, [pixels.shape[2:]])
    assert kind.seen(recipe).net == "auto"
    net = built(kind.net(recipe, kind.plain), task.outputs, pre)
    targets = task.ready(net, pixels, task.encode(truths(data)), 0)
    inputs = torch.from_numpy(pixels[:16]).float() / 255
    terms = task.terms(net, inputs, targets[:16], recipe)
    assert terms and all(isinstance(term, str) for term in terms)
    sum(terms.values()).backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)
    said = task.decode(net.eval()(inputs).detach().numpy())
    assert len(task.told(said, 0.5)) == len(said) == 16


def test_targets_move_as_pictures_do(task, data):
    known = truths(data)
    targets = task.encode(known)
    side = data.samples[0].image.shape[-1]
    still = augment.parse("none").draw(len(data), (side, side), (side, side), (0,))
    torch.testing.assert_close(task.move(still, targets), targets)


def test_a_head_learns_and_is_honest(kind, task, data):
    seen, known = features(data), truths(data)
    if not task.linear:
        with pytest.raises(RecipeError, match="linear"):
            task.solve(seen, known, Recipe())
        with pytest.raises(RecipeError, match="linear"):
            task.support(seen, known, Recipe())
        return
    head = task.solve(seen, known, Recipe())
    assert head.weight.shape == (task.outputs, seen.shape[1])
    assert head.bias.shape == (task.outputs,) and head.outputs.shape == (len(data), task.outputs)
    assert head.note
    fitted = seen @ head.weight.T + head.bias
    blind = task.measure(guess(task, known, known), known).metrics[task.better].value
    assert task.sign * task.score(fitted, known) > task.sign * blind
    assert task.sign * task.score(fitted, known) >= task.sign * task.score(head.outputs, known)
    again = task.solve(seen, known, Recipe())
    assert (again.weight == head.weight).all() and (again.outputs == head.outputs).all()


def test_score_is_what_measure_says(task, data):
    said = outputs(task, len(data))
    found = task.measure(task.decode(said), truths(data))
    assert task.better in found.metrics
    assert task.score(said, truths(data)) == pytest.approx(
        found.metrics[task.better].value, abs=2e-5, rel=1e-6
    )
    for metric in found.metrics.values():
        assert metric.low <= metric.value <= metric.high and metric.n == len(data)


def test_the_headline_is_what_measure_says(task, data):
    known = truths(data)
    said = task.decode(outputs(task, len(data), seed=2))
    assert task.headline(said, known) == task.measure(said, known).metrics[task.better]


def test_answers_do_not_depend_on_batch_or_order(task, data):
    said, known = outputs(task, len(data)), truths(data)
    task.calibrate(said, known)
    whole = task.decode(said)
    assert all(isinstance(answer, task.result) for answer in whole)
    parts = [answer for start in range(0, len(data), 7) for answer in task.decode(said[start:][:7])]
    assert [answer.to_dict() for answer in parts] == [answer.to_dict() for answer in whole]
    turned = np.random.default_rng(0).permutation(len(data))
    first = task.measure(whole, known)
    assert task.measure([whole[i] for i in turned], [known[i] for i in turned]) == first
    saved = [task.result.from_dict(json.loads(json.dumps(a.to_dict()))) for a in whole]
    assert task.measure(saved, known) == first
    json.dumps(first.to_dict(), allow_nan=False)


def test_the_truth_is_no_mistake(task, data):
    known = truths(data)
    for truth in known[:10]:
        assert task.mistake(truth, truth) == 0
    said = task.decode(outputs(task, len(data)))
    mistakes = [task.mistake(s, t) for s, t in zip(said, known, strict=True)]
    assert min(mistakes) >= 0 < max(mistakes)


def test_a_model_file_restores_it(task, data):
    said = outputs(task, len(data))
    task.calibrate(said, truths(data))
    state = json.loads(json.dumps(task.state))
    again = type(task).restore(task.classes, state)
    assert again.state == task.state and again.outputs == task.outputs
    assert again.decode(said) == task.decode(said)


def test_calibration_copes_with_next_to_nothing(task, data):
    for n in (0, 1, 2):
        task.calibrate(outputs(task, n), truths(data)[:n])
        assert all(np.isfinite(value) for value in task.state.values())


def test_rivals_and_suspects_are_measured_alike(task, data):
    known = truths(data)
    pixels = np.stack([sample.image for sample in data.samples])
    for said in (
        guess(task, known, known),
        neighbours(task, pixels[:40], known[:40], pixels[40:]),
    ):
        assert task.measure(said, known[-len(said) :]).metrics
    for suspect in suspects(task, outputs(task, len(data)), known, most=5):
        assert 0 <= suspect.index < len(data) and isinstance(suspect.said, task.result)


def test_truths_of_another_kind_are_refused(kind, task):
    foreign = next(
        tasks.find(other).example(2).samples[0].truth
        for other in tasks.names()
        if tasks.find(other).result is not kind.result
    )
    with pytest.raises(InputError):
        task.encode([foreign])
    with pytest.raises(InputError):
        kind.of(Dataset((Sample(b"", foreign), Sample(b"", foreign))))


def test_an_unknown_name_is_refused():
    with pytest.raises(RecipeError, match="one of classify"):
        tasks.find("divine")


def test_nobody_asks_which_task_it_is():
    """No file outside ``tasks/`` compares anything with the name of a task."""
    names = set(tasks.names())
    guilty = []
    for path in SOURCE.rglob("*.py"):
        if path.parent == SOURCE / "tasks":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = isinstance(node, ast.Compare | ast.match_case | ast.Dict)
            words = (
                {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)} if asked else ()
            )
            if names.intersection(word for word in words if isinstance(word, str)):
                guilty.append(f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', '?')}")
    assert not guilty


def test_the_third_task_was_not_there_before():
    assert "doublings" not in tasks.names()
    assert Value.kind == "value"
