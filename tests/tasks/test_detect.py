"""Finding objects: targets, candidates, measures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from opsin import tasks
from opsin.augment import parse
from opsin.data.preprocess import Preprocessing
from opsin.data.samples import scattered
from opsin.errors import DataError, ModelError, RecipeError
from opsin.nets.detectors import _dense
from opsin.recipe import Recipe
from opsin.results import Boxes, Label
from opsin.tasks import _candidates, _targets
from opsin.training import choice

Detect = tasks.find("detect")


def boxes(*rows: tuple[float, ...], names: str = "", scores=(), flags=()) -> Boxes:
    corners = np.array(rows, np.float32).reshape(-1, 4)
    return Boxes(corners, tuple(names), np.array(scores, np.float32), tuple(flags))


def said(boxes: list[Boxes], classes: str, m: int = 8) -> np.ndarray:
    """Return candidates that say just these boxes."""
    found = np.zeros((len(boxes), m, 4 + len(classes)), np.float32)
    for row, one in zip(found, boxes, strict=True):
        for place, name in enumerate(one.names):
            row[place, :4] = one.boxes[place]
            row[place, 4 + classes.index(name)] = one.scores[place]
    return found


def test_targets_hold_classes_and_what_is_to_be_ignored():
    truths = [boxes((1, 2, 5, 6), (0, 0, 3, 3), names="ba", flags=("", "crowd")), boxes()]
    targets = Detect(("a", "b")).encode(truths)
    assert targets.shape == (2, 2, 6)
    assert targets[0].tolist() == [[1, 2, 5, 6, 1, 0], [0, 0, 3, 3, 0, 1]]
    assert targets[1, :, 4].tolist() == [-1, -1]
    assert _dense.shapes_of(targets, 1, 0).tolist() == [[4, 4]]  # a crowd says nothing of shapes
    with pytest.raises(DataError, match="the class 'c'"):
        Detect(("a", "b")).encode([boxes((0, 0, 1, 1), names="c")])
    with pytest.raises(DataError, match="expected boxes"):
        Detect(("a",)).encode([Label("a")])


def test_targets_move_with_their_pictures_and_padding_stays():
    targets = Detect(("a",)).encode([boxes((0, 0, 4, 4), (2, 0, 10, 8), names="aa"), boxes()])
    draw = parse("translate 1").draw(2, (16, 16), (16, 16), (3,))
    moved = Detect(("a",)).move(draw, targets)
    shift = draw.points(torch.zeros(2, 1, 2))[0, 0]
    for row, (x1, y1, x2, y2) in zip(moved[0], ((0, 0, 4, 4), (2, 0, 10, 8)), strict=True):
        whole = np.array([x1, y1, x2, y2]) + np.tile(shift.numpy(), 2)
        cut = whole.clip(0, 16)
        seen = np.prod(cut[2:] - cut[:2]) / np.prod(whole[2:] - whole[:2])
        assert (row[4] == 0) == (seen >= 0.1)
        if seen >= 0.1:
            np.testing.assert_allclose(row[:4].numpy(), cut, atol=1e-4)
    assert (moved[1, :, 4] == -1).all()


def test_proposals_come_after_the_truths():
    data = scattered.read(3, 0, side=48)
    pixels = np.stack([sample.image for sample in data.samples])
    truths = [sample.truth for sample in data.samples]
    task = Detect.of(data)
    targets = task.encode(truths)
    found = _targets.both(targets, _targets.proposed(pixels, "selective"))
    assert (found[:, : targets.shape[1]] == targets).all()
    assert (found[..., 4] == -2).any(1).all()


def test_each_object_is_said_once_and_each_class_for_itself():
    rows = np.zeros((1, 5, 6), np.float32)
    rows[0] = [
        [0, 0, 10, 10, 0.9, 0.0],
        [0, 0, 10, 9, 0.8, 0.2],  # the same object; of the second class by itself
        [20, 20, 20, 30, 0.9, 0.9],  # nothing is that thin
        [np.nan, 0, 1, 1, 0.9, 0.9],
        [30, 30, 40, 40, 0.005, 0.0],  # below what counts
    ]
    (found,) = _candidates.boxes(rows, ("a", "b"))
    assert [(row["label"], row["score"]) for row in found.rows()] == [("a", 0.9), ("b", 0.2)]


def test_measures_of_a_case_counted_by_hand():
    task = Detect(("a",), threshold=0.5)
    truths = [boxes((0, 0, 10, 10), names="a"), boxes((0, 0, 10, 10), names="a"), boxes()]
    answers = [
        boxes((0, 0, 10, 10), (50, 50, 60, 60), names="aa", scores=(0.9, 0.6)),
        boxes((0, 0, 10, 10), names="a", scores=(0.4,)),  # right, but not sure enough to tell
        boxes(),
    ]
    found = task.measure(answers, truths)
    value = {name: metric.value for name, metric in found.metrics.items()}
    # Recall 1/2 at precision 1, recall 1 at 2/3: 51 of 101 levels at 1, 50 at 2/3.
    assert value["ap50"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert value["precision"] == 0.5 and value["recall"] == 0.5 and value["f1"] == 0.5
    assert value["pictures_right"] == pytest.approx(2 / 3)
    assert found.per_class["a"]["right"] == 1 and found.per_class["a"]["missed"] == 1
    assert task.score(said(answers, "a"), truths) == pytest.approx(value["ap50"])
    assert [len(b) for b in task.told(answers, None)] == [2, 0, 0]
    assert [len(b) for b in task.told(answers, 0.7)] == [1, 0, 0]
    assert task.mistake(answers[0], truths[0]) == pytest.approx(1 - 2 / 3)


def test_the_parts_of_pictures_have_ap_as_their_mean():
    data = scattered.read(30, 1)
    task, truths = Detect.of(data), [sample.truth for sample in data.samples]
    draws = np.random.default_rng(0)
    answers = []
    for truth in truths:
        kept = truth.keep(draws.random(len(truth)) < 0.7)
        moved = kept.boxes + draws.normal(0, 1.5, kept.boxes.shape)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2])
        answers.append(Boxes(moved.astype(np.float32), kept.names, draws.random(len(kept))))
    each = task.each(answers, truths)
    assert each.mean() == pytest.approx(task.headline(answers, truths).value)
    assert each.std() > 0


def test_the_threshold_is_the_users_wish():
    task = Detect(("a",))
    truths = [boxes((0, 0, 10, 10), names="a")] * 4
    answers = [boxes((0, 0, 10, 10), names="a", scores=(s,)) for s in (0.9, 0.8, 0.7)]
    answers.append(boxes((50, 50, 60, 60), names="a", scores=(0.75,)))
    task.calibrate(said(answers, "a"), truths, "precision 0.99")
    assert 0.75 < task.state["threshold"] <= 0.8
    task.calibrate(said(answers, "a"), truths)
    assert task.state["threshold"] <= 0.7
    with pytest.raises(RecipeError, match="expected f1, or precision or recall"):
        task.calibrate(said(answers, "a"), truths, "precision 95")


def test_nets_are_named_by_detector_and_backbone():
    assert Detect.net(Recipe(net="ssd"), "resnet18") == "ssd on resnet18"
    assert Detect.net(Recipe(), "resnet18") == "yolo on resnet18"
    assert Detect.seen(Recipe(net="yolo on resnet18")).net == "resnet18"
    assert Detect.seen(Recipe(net="yolo", backbone="resnet18")).net == "resnet18"
    for recipe, told in {
        Recipe(net="resnet18"): "Give --backbone resnet18",
        Recipe(net="yolo on resnet18", backbone="vgg16"): "one backbone",
        Recipe(net="yollo on resnet18"): "Did you mean yolo",
    }.items():
        with pytest.raises(RecipeError, match=told):
            Detect.seen(recipe)
    with pytest.raises(RecipeError, match="mosaic"):
        Detect.frame(Preprocessing((224, 224)), Recipe(cutmix=1.0), [(224, 224)])
    with pytest.raises(RecipeError, match="no backbone"):
        tasks.find("classify").seen(Recipe(backbone="resnet18"))
    with pytest.raises(RecipeError, match="for objects"):
        tasks.find("regress").seen(Recipe(mosaic=0.5))


@pytest.mark.parametrize("below", ["yolo", "hog", "ssd on resnet18"])
def test_no_detector_stands_on_what_has_no_maps(below: str):
    for recipe in (Recipe(net="yolo", backbone=below), Recipe(net=f"yolo on {below}")):
        with pytest.raises(RecipeError, match="classifies by convolutions"):
            choice.check_words(recipe)


def test_what_cannot_be_learnt_or_restored_is_refused():
    empty = scattered.read(30, 0)
    nothing = empty.keep([s for s in empty.samples if not len(s.truth)])
    with pytest.raises(DataError, match="without an object"):
        Detect.of(nothing)
    for classes, threshold in (((), 0.5), (("a", "a"), 0.5), (("a",), 2.0)):
        with pytest.raises(ModelError):
            Detect.restore(classes, {"threshold": threshold})
    with pytest.raises(DataError, match="2 boxes in a picture"):
        tasks.find("localise")(("a",)).encode([boxes((0, 0, 1, 1), (0, 0, 1, 1), names="aa")])
