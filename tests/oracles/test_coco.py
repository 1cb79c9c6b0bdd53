"""COCO's numbers against pycocotools, on drawn cases; VOC's against its loop, written plainly."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from opsin.metrics.average_precision import _weighted, coco, precisions, ranked
from opsin.metrics.detections import said, truths
from opsin.metrics.matches import match

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


def drawn(seed, images=12, classes=3, *, crowds=True):
    """Truths of all sizes; boxes near them, again, of another class, anywhere; equal scores.

    All numbers are quarters of a pixel, so that no format's rounding moves them.
    """
    draws = np.random.default_rng(seed)
    many = draws.integers(0, 7, images)
    image = np.repeat(np.arange(images), many)
    n = len(image)
    label = draws.integers(0, classes, n)
    corner = np.rint(draws.uniform(0, 1200, (n, 2))) / 4
    sides = np.rint(4 * np.exp(draws.uniform(1.5, 5.2, (n, 2)))) / 4
    boxes = np.concatenate([corner, corner + sides], axis=1)
    crowd = draws.random(n) < (0.15 if crowds else 0)
    again = draws.choice(n, int(2.5 * n)) if n else np.zeros(0, np.int64)
    shaken = draws.normal(0, 0.12, (len(again), 4)) * np.tile(sides[again], 2)
    moved = np.rint(4 * (boxes[again] + shaken)) / 4
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    called = np.where(
        draws.random(len(again)) < 0.2, draws.integers(0, classes, len(again)), label[again]
    )
    ghosts = int(draws.integers(1, 12))
    ghost = np.rint(draws.uniform(0, 1200, (ghosts, 2))) / 4
    ghost = np.concatenate([ghost, ghost + np.rint(draws.uniform(4, 400, (ghosts, 2))) / 4], axis=1)
    where = np.concatenate([image[again], draws.integers(0, images, ghosts)])
    order = draws.permutation(len(where))
    which = np.concatenate([called, draws.integers(0, classes, ghosts)])
    spread = 40 if seed % 2 else 10**6  # every other case has many equal scores
    return (
        said(
            where[order],
            which[order],
            np.concatenate([moved, ghost])[order],
            draws.integers(0, spread, len(where)) / spread,
        ),
        truths(image, label, boxes, crowd=crowd),
    )


def theirs(one, other, images, classes):
    """What pycocotools says, NaN for its −1."""
    pytest.importorskip("pycocotools", reason="pycocotools is the oracle: pip install pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def wide(box):
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "images": [{"id": i + 1} for i in range(images)],
            "categories": [{"id": k + 1} for k in range(classes)],
            "annotations": [
                {"id": g + 1, "image_id": int(i) + 1, "category_id": int(k) + 1, "bbox": wide(box),
                 "area": float(area), "iscrowd": int(crowd)}
                for g, (i, k, box, area, crowd) in enumerate(
                    zip(other.image, other.label, other.boxes.tolist(), other.area, other.crowd,
                        strict=True))
            ],
        }  # fmt: skip
        known.createIndex()
        found = known.loadRes(
            [
                {"image_id": int(i) + 1, "category_id": int(k) + 1, "bbox": wide(box),
                 "score": float(score)}
                for i, k, box, score in zip(
                    one.image, one.label, one.boxes.tolist(), one.scores, strict=True)
            ]
        )  # fmt: skip
        judge = COCOeval(known, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return np.where(judge.stats < 0, np.nan, judge.stats)


@pytest.mark.parametrize("seed", range(30))
def test_the_twelve_numbers_are_pycocotools(seed):
    images, classes = 4 + seed, 1 + seed % 5
    one, other = drawn(seed, images, classes)
    ours = coco(one, other, images, classes)
    assert list(ours)[:4] == ["AP", "AP50", "AP75", "AR1"]
    np.testing.assert_allclose(
        [ours[name] for name in NAMES], theirs(one, other, images, classes), atol=1e-9
    )


def test_more_than_a_hundred_boxes_in_a_picture():
    draws = np.random.default_rng(5)
    one, other = drawn(2, 3, 1)
    n = len(one.scores)
    many = draws.integers(0, n, 600)
    boxes = one.boxes[many] + np.rint(draws.uniform(0, 40, (600, 1))) / 4
    crowded = said(one.image[many], one.label[many], boxes, draws.random(600))
    ours = coco(crowded, other, 3, 1)
    np.testing.assert_allclose(
        [ours[name] for name in NAMES], theirs(crowded, other, 3, 1), atol=1e-9
    )


# ── Pascal VOC ──────────────────────────────────────────────────────────────────────────────────


def iou(a, b):
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def voc(one, other, label, threshold, rule):
    """The devkit's VOCevaldet, a box at a time."""
    left = {i: [] for i in range(100)}
    for g in np.flatnonzero(other.label == label):
        left[int(other.image[g])].append([other.boxes[g].tolist(), bool(other.ignored[g]), False])
    wanted = sum(not hard for truth in left.values() for _, hard, _ in truth)
    order = [p for p in np.lexsort((one.image, -one.scores)) if one.label[p] == label]
    right, wrong = [], []
    for p in order:
        near = left[int(one.image[p])]
        likes = [iou(one.boxes[p].tolist(), box) for box, _, _ in near]
        best = int(np.argmax(likes)) if likes else -1
        if likes and likes[best] >= threshold:
            if near[best][1]:
                continue
            right.append(not near[best][2])
            near[best][2] = True
        else:
            right.append(False)
        wrong.append(not right[-1])
    if not wanted:
        return np.nan
    tp, fp = np.cumsum(right), np.cumsum(wrong)
    recall, precision = tp / wanted, tp / np.maximum(tp + fp, 1)
    if rule == "voc07":
        best = [precision[recall >= t].max(initial=0) for t in np.linspace(0, 1, 11)]
        return np.mean(best)
    recall = np.concatenate([[0], recall, [1]])
    precision = np.maximum.accumulate(np.concatenate([[0], precision, [0]])[::-1])[::-1]
    return float((np.diff(recall) * precision[1:]).sum())


@pytest.mark.parametrize("rule", ["voc", "voc07"])
@pytest.mark.parametrize("seed", range(0, 16, 2))
def test_voc_is_its_loop(seed, rule):
    one, other = drawn(seed, 10, 2, crowds=False)
    hard = np.random.default_rng(seed).random(len(other.area)) < 0.2
    other = other._replace(ignored=hard)
    matches = match(one, other, (0.5, 0.7), most=10**6, rule="voc")
    table = ranked(matches, one, other, 10, 2, most=10**6)
    wanted = [[voc(one, other, k, t, rule) for t in (0.5, 0.7)] for k in range(2)]
    np.testing.assert_allclose(precisions(table, rule), wanted, atol=1e-12)


# ── the bootstrap ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_pictures_laid_beside_each_other(seed):
    """AP of pictures that count twice is that of a data set in which they are twice."""
    images = 9
    one, other = drawn(2 * seed, images, 2)
    table = ranked(match(one, other, (0.5, 0.75)), one, other, images, 2)
    counts = np.random.default_rng(seed).integers(0, 3, (1, images))
    copies = [i for i in range(images) for _ in range(counts[0, i])]
    p = [np.flatnonzero(one.image == i) for i in copies]
    g = [np.flatnonzero(other.image == i) for i in copies]
    more = said(
        np.repeat(np.arange(len(copies)), [len(x) for x in p]),
        *(column[np.concatenate(p)] for column in one[1:]),
    )
    cols = [column[np.concatenate(g)] for column in other[1:]]
    again = truths(
        np.repeat(np.arange(len(copies)), [len(x) for x in g]), cols[0], cols[1], crowd=cols[3]
    )
    whole = ranked(match(more, again, (0.5, 0.75)), more, again, len(copies), 2)
    np.testing.assert_allclose(
        [_weighted(c, counts, "coco")[0] for c in table], precisions(whole), atol=1e-12
    )
