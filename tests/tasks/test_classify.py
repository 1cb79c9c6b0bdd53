"""Naming a class: losses, answers, measures, and what goes wrong."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch
from torch.nn import functional

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.errors import DataError
from opsin.recipe import Recipe
from opsin.results import Label, Value
from opsin.tasks.classify import Classify

ABC = ("a", "b", "c")


def labels(names):
    return [Label(name) for name in names]


def data(names):
    return Dataset(tuple(Sample(b"", Label(name)) for name in names))


# ── learning ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_loss_is_torchs(smoothing):
    outputs, targets = torch.randn(20, 3), torch.randint(3, (20,))
    (loss,) = Classify(ABC).loss(outputs, targets, Recipe(smoothing=smoothing)).values()
    theirs = functional.cross_entropy(outputs, targets, label_smoothing=smoothing)
    torch.testing.assert_close(loss, theirs)


def test_loss_of_mixed_pictures_is_the_mix_of_losses():
    task, recipe = Classify(ABC), Recipe(smoothing=0.0)
    outputs, one, other = torch.randn(8, 3), torch.randint(3, (8,)), torch.randint(3, (8,))
    share = torch.full((8,), 0.3)
    (mixed,) = task.loss(outputs, task.mix(one, other, share), recipe).values()
    (first,), (second,) = (task.loss(outputs, t, recipe).values() for t in (one, other))
    torch.testing.assert_close(mixed, 0.3 * first + 0.7 * second)
    again = task.mix(task.mix(one, other, share), task.encode(labels("abcabcab")), share)
    torch.testing.assert_close(again.sum(1), torch.ones(8))


def test_balanced_classes_pull_alike():
    task = Classify.of(data("aaaaaabbbc"))
    np.testing.assert_allclose(task.weights, [10 / 18, 10 / 9, 10 / 3], rtol=1e-6)
    outputs = torch.zeros(10, 3, requires_grad=True)
    targets = task.encode(labels("aaaaaabbbc"))
    (loss,) = task.loss(outputs, targets, Recipe(balance=True, smoothing=0.0)).values()
    (pull,) = torch.autograd.grad(loss, outputs)
    torch.testing.assert_close(pull.sum(0), torch.zeros(3), atol=1e-6, rtol=0)


def test_a_batch_in_parts_has_the_same_loss():
    task, recipe = Classify.of(data("aaabbc")), Recipe(balance=True)
    outputs, targets = torch.randn(12, 3), task.encode(labels("aaabbcabcabc"))
    (whole,) = task.loss(outputs, targets, recipe).values()
    parts = [
        task.loss(o, t, recipe)["cross_entropy"]
        for o, t in zip(outputs.split(4), targets.split(4), strict=True)
    ]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def test_scores_sum_to_one_and_survive_a_file():
    outputs = (np.random.default_rng(0).normal(size=(50, 3)) * 30).astype(np.float32)
    for answer in Classify(ABC, temperature=2.5).decode(outputs):
        assert sum(answer.scores.values()) == pytest.approx(1.0, abs=1e-12)
        assert answer.score == max(answer.scores.values()) == answer.scores[answer.name]
        assert Label.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer


def test_measures_of_saved_answers_and_of_any_order_are_the_same():
    draws = np.random.default_rng(1)
    names = [f"c{i}" for i in range(8)]
    task, truths = Classify(tuple(names)), labels(draws.choice(names, 200))
    outputs = draws.normal(size=(200, 8)).astype(np.float32)
    outputs[np.arange(200), task.encode(truths).numpy()] += 2
    said = task.decode(outputs)
    first = task.measure(said, truths)
    saved = [Label.from_dict(json.loads(json.dumps(answer.to_dict()))) for answer in said]
    assert task.measure(saved, truths) == first
    turned = draws.permutation(200)
    assert task.measure([said[i] for i in turned], [truths[i] for i in turned]) == first
    parts = [answer for start in range(0, 200, 7) for answer in task.decode(outputs[start:][:7])]
    assert task.measure(parts, truths) == first


def test_measures_have_their_names():
    task = Classify(tuple("abcdef"))
    said = task.decode(np.eye(6, dtype=np.float32) * 9)
    found = task.measure(said, labels("abcdea"))
    assert list(found.metrics) == [
        "accuracy", "top5", "balanced_accuracy", "macro_f1", "log_loss", "calibration_error",
    ]  # fmt: skip
    assert found.metrics["accuracy"].value == 5 / 6
    assert found.metrics["accuracy"].n == 6
    assert found.per_class["a"] == {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "support": 2}
    assert found.confusion[0] == (1, 0, 0, 0, 0, 1)
    assert "top5" not in Classify(ABC).measure(labels("abc"), labels("abc")).metrics
    assert [type(figure).__name__ for figure in found.figures] == ["Matrix", "Lines", "Bars"]
    json.dumps(found.to_dict())


def test_a_class_the_model_does_not_know_is_wrong_and_named():
    task = Classify(ABC)
    said = task.decode(np.eye(3, dtype=np.float32) * 50)
    found = task.measure(said, labels(["a", "b", "zebra"]))
    assert found.metrics["accuracy"].value == 2 / 3
    assert found.classes == ("a", "b", "c", "zebra")
    assert found.per_class["zebra"]["recall"] == 0
    assert found.confusion[3] == (0, 0, 1, 0)
    assert found.metrics["log_loss"].value == pytest.approx(36.04 / 3, abs=0.01)
    assert task.score(np.eye(3, dtype=np.float32), labels(["a", "b", "zebra"])) < 2 / 3
    with pytest.raises(DataError, match="zebra"):
        task.encode(labels(["zebra"]))


def test_equal_accuracy_is_decided_by_log_loss_and_nothing_else():
    task, truths = Classify(ABC), labels("abc")
    sure, unsure = np.eye(3, dtype=np.float32) * 5, np.eye(3, dtype=np.float32)
    assert task.score(sure, truths) > task.score(unsure, truths)
    one_wrong = sure[[0, 1, 1]]
    assert task.score(one_wrong, truths) < task.score(unsure, truths)
    assert task.score(sure, truths) == pytest.approx(1.0, abs=1e-5)


def test_a_net_that_diverged_scores_nothing():
    outputs = np.full((3, 3), np.nan, np.float32)
    assert Classify(ABC).score(outputs, labels("aaa")) == pytest.approx(0, abs=1e-4)


def test_mistakes_are_what_the_truth_lacks():
    task = Classify(ABC)
    said = Label("a", 0.7, {"a": 0.7, "b": 0.2, "c": 0.1})
    assert task.mistake(said, Label("a")) == 0
    assert task.mistake(said, Label("b")) == pytest.approx(0.8)
    assert task.mistake(said, Label("zebra")) == 1
    assert task.mistake(Label("a", 0.5, {"a": 0.5, "b": 0.5, "c": 0}), Label("b")) > 0


def test_calibration_mends_what_is_too_sure():
    task, draws = Classify(ABC), np.random.default_rng(3)
    truths = labels(draws.choice(list(ABC), 600))
    outputs = draws.normal(size=(600, 3)).astype(np.float32)
    outputs[np.arange(600), task.encode(truths).numpy()] += 1
    outputs *= 6
    before = task.measure(task.decode(outputs), truths)
    task.calibrate(outputs, truths)
    after = task.measure(task.decode(outputs), truths)
    assert task.state["temperature"] > 3
    for name in ("log_loss", "calibration_error"):
        assert after.metrics[name].value < 0.6 * before.metrics[name].value
    assert after.metrics["accuracy"] == before.metrics["accuracy"]


def test_twenty_thousand_answers_of_a_thousand_classes_are_quick():
    task = Classify(tuple(f"{i:04}" for i in range(1000)))
    outputs = np.random.default_rng(4).normal(size=(20_000, 1000)).astype(np.float32)
    began = time.process_time()
    task.decode(outputs)
    assert time.process_time() - began < 3


# ── heads ───────────────────────────────────────────────────────────────────────────────────────


def clouds(counts, width=8, seed=0, apart=4.0):
    draws = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), counts)
    middles = draws.normal(size=(len(counts), width)) * apart
    features = middles[truth] + draws.normal(size=(len(truth), width))
    turned = draws.permutation(len(truth))
    return features[turned].astype(np.float32), [f"c{t:03}" for t in truth[turned]]


@pytest.mark.parametrize(
    "counts",
    [(40, 40), (60, 1, 2, 3, 4), (1, 1, 1, 1), (2, 1), (1, 1), (30,) * 40],
    ids=["two", "rare", "one each", "tiny", "least", "forty"],
)
def test_heads_of_all_kinds_of_data(counts):
    features, names = clouds(counts)
    features = np.hstack([features, np.full((len(features), 2), 3.7, np.float32)])  # constant
    task = Classify.of(data(names))
    head = task.solve(features, labels(names), Recipe())
    outputs = features @ head.weight.T + head.bias
    assert np.isfinite(outputs).all() and np.isfinite(head.outputs).all()
    assert head.outputs.shape == outputs.shape == (len(names), len(counts))
    assert task.score(outputs, labels(names)) > 0.95
    again = task.solve(features, labels(names), Recipe())
    assert (again.weight == head.weight).all() and (again.outputs == head.outputs).all()


def test_outputs_of_the_folds_are_honest():
    features = np.random.default_rng(5).normal(size=(200, 400)).astype(np.float32)
    names = ["a", "b"] * 100  # nothing to learn, everything to memorise
    task = Classify.of(data(names))
    head = task.solve(features, labels(names), Recipe())
    assert abs(task.score(head.outputs, labels(names)) - 0.5) < 0.12


def test_a_head_on_many_samples_is_chosen_on_few():
    features, names = clouds((4000, 4000, 4000), width=600, apart=0.1)
    task = Classify.of(data(names))
    head = task.solve(features, labels(names), Recipe())
    assert head.outputs.shape == (12_000, 3)
    assert task.score(head.outputs, labels(names)) > 0.9


def test_balanced_heads_find_the_rare_class():
    features, names = clouds((400, 20), width=4, apart=0.8)
    task, truths = Classify.of(data(names)), labels(names)
    rare = np.array([name == "c001" for name in names])
    found = []
    for recipe in (Recipe(), Recipe(balance=True)):
        head = task.solve(features, truths, recipe)
        for outputs in (features @ head.weight.T + head.bias, head.outputs):
            said = outputs.argmax(1) == 1
            found.append((said[rare].mean() + (~said)[~rare].mean()) / 2)  # balanced accuracy
    assert found[2] > found[0] + 0.1 and found[3] > found[1] + 0.1


@pytest.mark.parametrize(
    ("said", "true"), [([], []), (labels("a"), labels("ab")), ([Value(1.0)], labels("a"))]
)
def test_nothing_to_measure(said, true):
    with pytest.raises(DataError):
        Classify(ABC).measure(said, true)


@pytest.mark.parametrize("names", ["", "aaa"])
def test_fewer_than_two_classes(names):
    with pytest.raises(DataError, match="at least two"):
        Classify.of(data(names))
