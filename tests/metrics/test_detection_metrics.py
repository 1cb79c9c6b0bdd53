"""Detection's numbers, computed by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest

from opsin.errors import DataError, RecipeError
from opsin.metrics import detection_counts, detection_errors, operating
from opsin.metrics.average_precision import (
    Ranked,
    area_under,
    coco,
    mean_precision,
    precisions,
    ranked,
    recalls,
)
from opsin.metrics.detection_counts import Counts, counts, of_boxes, of_pictures, presence
from opsin.metrics.detections import pairs, said, truths
from opsin.metrics.matches import AREAS, match

UNIT = [0, 0, 10, 10]


def off(by, box=UNIT):
    """A box of the same size moved right: the IoU of 10 by 10 moved by d is (10 − d) / (10 + d)."""
    return [box[0] + by, box[1], box[2] + by, box[3]]


def scene(*rows, true, **flags):
    """Boxes said as (picture, class, box, score), and true as (picture, class, box)."""
    one = said(*(list(c) for c in zip(*rows, strict=True))) if rows else said([], [], [], [])
    return one, truths(*(list(c) for c in zip(*true, strict=True)), **flags)


# ── pairs and matches ───────────────────────────────────────────────────────────────────────────


def test_pairs_stay_in_their_picture_and_class():
    one, other = scene(
        (0, 0, off(5), 0.9), (1, 0, UNIT, 0.8), (0, 1, UNIT, 0.7), true=[(0, 0, UNIT), (0, 1, UNIT)]
    )
    found = pairs(one, other, 0.1)
    assert list(zip(found.said, found.truth, found.iou.round(4), strict=True)) == [
        (0, 0, 0.3333),
        (2, 1, 1.0),
    ]
    assert len(pairs(one, other, 0.1, across=True).iou) == 4
    assert len(pairs(one, other, 0.34).iou) == 1


def test_a_truth_is_found_once_and_by_the_surest():
    one, other = scene(
        (0, 0, off(1), 0.6), (0, 0, off(2), 0.9), (0, 0, off(9), 0.8), true=[(0, 0, UNIT)]
    )
    found = match(one, other, (0.5, 0.75))
    # moved by 2 it overlaps by 8/12, by 1 by 9/11: at 0.75 the surest is too far off
    assert found.truth.tolist() == [[-1, 0, -1], [0, -1, -1]]
    assert found.judged.all()


def test_each_box_takes_the_free_truth_it_overlaps_most():
    one, other = scene(
        (0, 0, off(2), 0.9), (0, 0, off(3), 0.8), true=[(0, 0, UNIT), (0, 0, off(4))]
    )
    assert match(one, other).truth.tolist() == [[1, 0]]  # of two alike the later, as in pycocotools
    assert match(one, other, rule="voc").truth.tolist() == [[0, 1]]


def test_crowds_take_any_number_and_judge_none():
    big = [0, 0, 100, 100]
    one, other = scene(
        (0, 0, [0, 0, 20, 20], 0.9), (0, 0, [60, 60, 80, 80], 0.8), (0, 0, [90, 90, 130, 130], 0.7),
        true=[(0, 0, big)], crowd=[True],
    )  # fmt: skip
    found = match(one, other)
    assert found.truth.tolist() == [[0, 0, -1]]
    assert found.judged.tolist() == [[False, False, True]]
    assert found.wanted.tolist() == [False]


def test_a_truth_that_counts_is_preferred_to_a_crowd_that_overlaps_more():
    one, other = scene(
        (0, 0, UNIT, 0.9), true=[(0, 0, [0, 0, 90, 90]), (0, 0, off(3))], crowd=[True, False]
    )
    assert match(one, other).truth.tolist() == [[1]]


def test_difficult_truths_are_found_once_by_coco_and_often_by_voc():
    rows = [(0, 0, UNIT, 0.9), (0, 0, off(1), 0.8)]
    one, other = scene(*rows, true=[(0, 0, UNIT)], ignored=[True])
    assert match(one, other).judged.tolist() == [[False, True]]
    assert match(one, other, rule="voc").judged.tolist() == [[False, False]]


def test_sizes_that_are_not_asked_for_do_not_count():
    large = [100, 100, 250, 250]
    one, other = scene(
        (0, 0, UNIT, 0.9), (0, 0, large, 0.8), (0, 0, [300, 300, 480, 480], 0.7),
        true=[(0, 0, UNIT), (0, 0, large)],
    )  # fmt: skip
    found = match(one, other, area=AREAS["small"])
    assert found.judged.tolist() == [[True, False, False]]
    assert found.wanted.tolist() == [True, False]


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="2 of image, 1 of label"):
        said([0, 0], [0], [UNIT], [1.0])
    with pytest.raises(DataError, match="boxes of boxes that are not finite"):
        truths([0], [0], [[0, 0, np.nan, 1]])


# ── average precision ───────────────────────────────────────────────────────────────────────────


def test_average_precision_by_hand():
    """Right, wrong, right, of three truths: precision 1 up to a third, 2/3 up to two thirds."""
    right, all_ = np.array([1, 2]), np.array([1, 3])
    assert area_under(right, all_, np.array(3), "voc") == pytest.approx((1 + 2 / 3) / 3)
    # levels 0 to 0.33 are 34 of 101, up to 0.66 another 33
    assert area_under(right, all_, np.array(3)) == pytest.approx((34 + 33 * 2 / 3) / 101)
    # levels 0 to 0.3 are 4 of 11, up to 0.6 another 3
    assert area_under(right, all_, np.array(3), "voc07") == pytest.approx((4 + 3 * 2 / 3) / 11)


def test_average_precision_of_a_small_scene():
    """The scene above from boxes on: the second is wrong, the third truth is not found."""
    one, other = scene(
        (0, 0, UNIT, 0.9), (1, 0, off(50), 0.8), (1, 0, UNIT, 0.7),
        true=[(0, 0, UNIT), (1, 0, UNIT), (2, 0, UNIT)],
    )  # fmt: skip
    found = coco(one, other, 3, 1)
    assert found["AP50"] == pytest.approx((34 + 33 * 2 / 3) / 101)
    assert found["AP"] == pytest.approx(found["AP50"])
    assert (found["AR1"], found["AR100"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found["APs"] == found["AP"]
    assert np.isnan(found["APl"])


def test_best_precision_at_this_recall_or_more():
    assert area_under(np.array([1, 2]), np.array([4, 4]), np.array(2)) == pytest.approx(0.5)


def test_nothing_said_and_nothing_true():
    none, some = said([], [], [], []), truths([0], [0], [UNIT])
    assert coco(none, some, 1, 1)["AP"] == 0
    empty = truths([], [], [])
    assert all(np.isnan(v) for v in coco(none, empty, 1, 1).values())
    one = said([0], [0], [UNIT], [0.9])
    assert np.isnan(coco(one, empty, 1, 1)["AP"])
    table = ranked(match(one, empty), one, empty, 1, 1)
    assert np.isnan(mean_precision(table).value)
    assert np.isnan(recalls(table)).all()


def test_a_class_without_truths_does_not_count():
    one, other = scene((0, 0, UNIT, 0.9), (0, 1, UNIT, 0.9), true=[(0, 0, UNIT)])
    table = ranked(match(one, other), one, other, 1, 2)
    assert precisions(table)[:, 0].tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]
    assert mean_precision(table).value == 1


def test_the_interval_is_wider_for_fewer_pictures_and_the_same_for_a_seed():
    draws = np.random.default_rng(0)

    def table(images):
        hits = draws.random((1, 4 * images)) < 0.6
        order = np.sort(draws.random(4 * images))[::-1]
        image = draws.integers(0, images, 4 * images)
        wanted = np.bincount(image[hits[0]], minlength=images) + 1
        return [Ranked(image, order, hits, np.ones_like(hits), wanted)]

    few, many = table(20), table(2000)
    narrow, wide = (mean_precision(t, resamples=300) for t in (many, few))
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)
    assert narrow == mean_precision(many, resamples=300)
    assert (narrow.n, wide.n) == (2000, 20)


# ── counts ──────────────────────────────────────────────────────────────────────────────────────


def test_facts_handguns():
    """608 pictures: the sliding window, and Faster R-CNN with the precision its counts give."""
    sliding, faster = Counts(97, 6, 207, 298), Counts(304, 57, 0, 247)
    for one, wanted in ((sliding, (94.17, 31.91, 47.67)), (faster, (84.21, 100.0, 91.43))):
        assert sum(one) == 608
        found = (one.precision, one.recall, one.f1)
        assert [round(100 * float(share), 2) for share in found] == list(wanted)
    assert of_pictures(faster)["precision"].value == pytest.approx(304 / 361)


def test_counts_a_picture_and_a_class():
    one, other = scene(
        (0, 0, UNIT, 0.9), (0, 0, off(1), 0.4), (1, 1, UNIT, 0.8), (2, 0, off(30), 0.3),
        true=[(0, 0, UNIT), (1, 1, UNIT), (1, 1, off(40)), (2, 1, UNIT)],
    )  # fmt: skip
    found = match(one, other)
    each = counts(found, one, other, 4)
    assert [c.tolist() for c in each[:3]] == [[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0]]
    sure = counts(found, one, other, 4, threshold=0.5).total()
    assert sure[:3] == (2, 0, 2)
    named = counts(found, one, other, 2, by="label", threshold=0.35)
    assert [c.tolist() for c in named[:3]] == [[1, 1], [1, 0], [0, 2]]
    assert named.precision.tolist() == [0.5, 1.0]
    assert named.recall.tolist() == [1.0, pytest.approx(1 / 3)]
    assert Counts(0, 0, 0).f1 == 0


def test_a_threshold_leaves_the_other_matches_as_they_are():
    draws = np.random.default_rng(3)
    boxes = draws.uniform(0, 30, (200, 2))
    boxes = np.concatenate([boxes, boxes + draws.uniform(5, 20, (200, 2))], axis=1)
    one = said(draws.integers(0, 5, 120), np.zeros(120), boxes[:120], draws.random(120))
    other = truths(draws.integers(0, 5, 80), np.zeros(80), boxes[120:])
    kept = one.scores >= 0.5
    fewer = said(*(column[kept] for column in one))
    direct = counts(match(fewer, other), fewer, other, 5)
    through = counts(match(one, other), one, other, 5, threshold=0.5)
    assert [c.tolist() for c in direct[:3]] == [c.tolist() for c in through[:3]]


def test_presence_is_of_pictures_not_places():
    one, other = scene(
        (0, 0, off(50), 0.9), (1, 0, UNIT, 0.3), (2, 0, UNIT, 0.9),
        true=[(0, 0, UNIT), (1, 0, UNIT), (4, 0, UNIT)], crowd=[False, False, True],
    )  # fmt: skip
    found = presence(one, other, 5, threshold=0.5)
    assert [c.tolist() for c in found] == [
        [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0],
    ]  # fmt: skip
    assert presence(one, other, 5, label=1).total() == (0, 0, 0, 5)
    assert presence(one, other, 5, threshold=0.1).total()[:3] == (2, 1, 0)


def test_intervals_of_boxes_draw_pictures():
    """Twenty pictures of ten boxes that are all right or all wrong are as good as twenty boxes."""
    right = np.repeat([10, 0], [14, 6])
    found = of_boxes(Counts(right, 10 - right, 0 * right))["precision"]
    half = 1.96 * (0.7 * 0.3 / 20) ** 0.5
    assert found.value == 0.7
    assert found.low == pytest.approx(0.7 - half, abs=0.05)
    assert found.high == pytest.approx(0.7 + half, abs=0.05)


# ── where to work ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def falling():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    hits = np.array([True, True, False, True, False, False])
    return operating.curve(scores, hits, np.ones(6, bool), 4)


def test_wishes(falling):
    best = operating.choose(falling)
    assert (best.precision, best.recall, best.threshold) == (0.75, 0.75, pytest.approx(0.55))
    sure = operating.choose(falling, precision=0.95)
    assert (sure.precision, sure.recall, sure.threshold) == (1.0, 0.5, pytest.approx(0.75))
    wide = operating.choose(falling, recall=0.6)
    assert (wide.recall, wide.precision, wide.met) == (0.75, 0.75, True)
    both = operating.choose(falling, precision=0.7, recall=0.5)
    assert (both.precision, both.recall) == (0.75, 0.75)


def test_wishes_that_cannot_be_had(falling):
    most = operating.choose(falling, recall=0.99)
    assert (most.recall, most.met) == (0.75, False)
    none = operating.choose(operating.curve(np.zeros(0), np.zeros(0, bool), np.zeros(0, bool), 3))
    assert (none.threshold, none.f1, none.met) == (0, 0, False)
    with pytest.raises(RecipeError, match=r"precision=95"):
        operating.choose(falling, precision=95)


def test_a_point_is_what_its_threshold_gives():
    draws = np.random.default_rng(4)
    scores, hits = draws.integers(0, 30, 300) / 30, draws.random(300) < 0.5
    for wish in ({}, {"precision": 0.6}, {"recall": 0.7}):
        curve = operating.curve(scores, hits, np.ones(300, bool), 200)
        point = operating.choose(curve, **wish)
        heard = scores >= point.threshold
        assert hits[heard].mean() == pytest.approx(point.precision)
        assert hits[heard].sum() / 200 == pytest.approx(point.recall)


def test_unjudged_boxes_are_on_no_curve():
    found = operating.curve(
        np.array([0.9, 0.8]), np.array([False, True]), np.array([False, True]), 1
    )
    assert (found.precision.tolist(), found.recall.tolist()) == ([1.0], [1.0])


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


def test_each_kind_of_error_by_hand():
    far = [200, 200, 210, 210]
    one, other = scene(
        (0, 0, UNIT, 0.9),  # right
        (0, 0, off(1), 0.8),  # doubled
        (0, 0, off(45), 0.7),  # by 5 off the truth at 40: placed
        (0, 0, far, 0.6),  # class: that truth is of class 1
        (0, 1, off(44), 0.5),  # wrong class and badly placed: both
        (1, 0, UNIT, 0.4),  # background: no truth in that picture
        (2, 0, UNIT, 0.3),  # in a crowd
        true=[(0, 0, UNIT), (0, 0, off(40)), (0, 1, far), (0, 1, [300, 300, 320, 320]),
              (2, 0, [0, 0, 90, 90])],
        crowd=[False] * 4 + [True],
    )  # fmt: skip
    found = detection_errors.errors(one, other)
    names = [detection_errors.KINDS[k] if k >= 0 else k for k in found.kind.tolist()]
    assert names == [-1, "doubled", "placed", "class", "both", "background", -2]
    assert found.of.tolist() == [-1, -1, 1, 2, -1, -1, -1]
    assert found.missed.tolist() == [False, False, False, True, False]
    assert found.counted() == {
        "placed": 1, "class": 1, "doubled": 1, "background": 1, "both": 1, "missed": 1,
    }  # fmt: skip


def test_what_errors_cost_by_hand():
    """One class: wrong, right, placed, of two truths: AP 1/2 · 51/101, and what mending gives."""
    one, other = scene(
        (1, 0, UNIT, 0.9), (0, 0, UNIT, 0.8), (0, 0, off(45), 0.7),
        true=[(0, 0, UNIT), (0, 0, off(40))],
    )  # fmt: skip
    found = detection_errors.errors(one, other)
    gained = detection_errors.gains(one, other, 1, found)
    now = 0.5 * 51 / 101
    assert gained["background"] == pytest.approx(51 / 101 - now)
    assert gained["placed"] == pytest.approx(2 / 3 - now)  # 2 right of 3, at every level
    assert gained["doubled"] == gained["missed"] == gained["both"] == gained["class"] == 0


def test_a_box_of_the_wrong_class_is_called_rightly():
    one, other = scene((0, 1, UNIT, 0.9), true=[(0, 0, UNIT), (1, 1, UNIT)])
    found = detection_errors.errors(one, other)
    assert detection_errors.gains(one, other, 2, found)["class"] == pytest.approx(0.5)
    # the truth that nobody said anything of is missed; without it class 1 has no truths
    assert found.missed.tolist() == [False, True]


def test_errors_of_nothing():
    none, some = said([], [], [], []), truths([0], [0], [UNIT])
    found = detection_errors.errors(none, some)
    assert found.counted()["missed"] == 1
    assert set(detection_errors.gains(none, some, 1, found).values()) == {0.0}


# ── speed ───────────────────────────────────────────────────────────────────────────────────────


def test_many_pictures_are_judged_quickly():
    draws = np.random.default_rng(6)
    n, images = 50_000, 500
    corner = draws.uniform(0, 500, (n, 2))
    boxes = np.concatenate([corner, corner + draws.uniform(10, 100, (n, 2))], axis=1)
    image = np.repeat(np.arange(images), n // images)
    other = truths(image[::10], draws.integers(0, 20, n // 10), boxes[::10])
    one = said(image, draws.integers(0, 20, n), boxes, draws.random(n))
    began = time.process_time()
    coco(one, other, images, 20)
    assert time.process_time() - began < 3
    assert detection_counts.counts(match(one, other), one, other, images).total().right > 0
