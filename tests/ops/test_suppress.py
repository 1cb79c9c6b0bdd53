"""Suppression against the loops of the papers, written plainly."""

import time

import numpy as np
import pytest
import torch

from opsin.ops import suppress


def iou(a, b):
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def hard(boxes, scores, threshold):
    order, kept = sorted(range(len(boxes)), key=lambda i: -scores[i]), []
    for i in order:
        if all(iou(boxes[i], boxes[k]) <= threshold for k in kept):
            kept.append(i)
    return kept


def soft(boxes, scores, kind, strength, least):
    """Figure 2 of the paper."""
    left, kept = {i: s for i, s in enumerate(scores) if s >= least}, []
    while left:
        best = max(left, key=left.get)
        kept.append((best, left.pop(best)))
        for i in list(left):
            over = iou(boxes[i], boxes[best])
            if kind == "gaussian":
                left[i] *= np.exp(-(over**2) / strength)
            elif over > strength:
                left[i] *= 1 - over
            if left[i] < least:
                del left[i]
    return kept


def drawn(seed, n=60):
    draws = np.random.default_rng(seed)
    corner = draws.uniform(0, 60, (n, 2))
    boxes = np.concatenate([corner, corner + draws.uniform(5, 40, (n, 2))], axis=1)
    return torch.from_numpy(boxes), torch.from_numpy(draws.random(n)), draws.integers(0, 3, n)


@pytest.mark.parametrize("seed", range(5))
def test_nms_with_and_without_classes(seed):
    boxes, scores, classes = drawn(seed)
    assert suppress.nms(boxes, scores, 0.4).tolist() == hard(boxes.tolist(), scores.tolist(), 0.4)
    assert (
        suppress.nms(boxes, scores, 0.4, most=3).tolist()
        == suppress.nms(boxes, scores, 0.4)[:3].tolist()
    )
    apart = []
    for c in range(3):
        of = np.flatnonzero(classes == c)
        apart += of[hard(boxes[of].tolist(), scores[of].tolist(), 0.4)].tolist()
    found = suppress.nms(boxes, scores, 0.4, classes=torch.from_numpy(classes)).tolist()
    assert found == sorted(apart, key=lambda i: -scores[i])


@pytest.mark.parametrize("kind", ["linear", "gaussian"])
@pytest.mark.parametrize("seed", range(3))
def test_soft_nms_is_the_papers_loop(seed, kind):
    boxes, scores, classes = drawn(seed)
    strength = {"linear": 0.3, "gaussian": 0.5}[kind]
    wanted = soft(boxes.tolist(), scores.tolist(), kind, strength, 0.05)
    found = suppress.soft_nms(boxes, scores, kind, least=0.05)
    assert found.kept.tolist() == [i for i, _ in wanted]
    np.testing.assert_allclose(found.scores, [s for _, s in wanted], rtol=1e-9)
    apart = []
    for c in range(3):
        of = np.flatnonzero(classes == c)
        rows = soft(boxes[of].tolist(), scores[of].tolist(), kind, strength, 0.05)
        apart += [(of[i], s) for i, s in rows]
    together = suppress.soft_nms(
        boxes, scores, kind, least=0.05, classes=torch.from_numpy(classes), most=10
    )
    assert together.kept.tolist() == [i for i, _ in sorted(apart, key=lambda p: -p[1])[:10]]


def test_nothing_to_suppress():
    none, score = torch.zeros(0, 4), torch.zeros(0)
    assert suppress.nms(none, score).tolist() == []
    assert suppress.soft_nms(none, score, classes=torch.zeros(0).long()).kept.tolist() == []


def test_thousands_of_boxes_are_softened_quickly():
    boxes, scores, _ = drawn(9, 3000)
    began = time.process_time()
    suppress.soft_nms(boxes * torch.tensor([20.0, 20, 20, 20]), scores)
    assert time.process_time() - began < 2
