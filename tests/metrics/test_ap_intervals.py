"""Whether the interval of AP holds the AP of very many pictures about as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from opsin.metrics.average_precision import Ranked, mean, mean_precision, precisions


def world(images, classes, draws, *, sure, recall, wrong):
    """Pictures of a source: scores of right boxes lie ``sure`` deviations above wrong ones."""
    found = []
    for _ in range(classes):
        wanted = draws.poisson(2 / max(1, classes / 3), images)
        truth = np.repeat(np.arange(images), wanted)
        right = truth[draws.random(len(truth)) < recall]
        ghosts = draws.integers(0, images, draws.poisson(wrong * images))
        scores = np.concatenate(
            [draws.normal(sure, 1, len(right)), draws.normal(0, 1, len(ghosts))]
        )
        image = np.concatenate([right, ghosts])
        order = np.argsort(-scores)
        hits = (order < len(right))[None]
        found.append(Ranked(image[order], scores[order], hits, np.ones_like(hits), wanted))
    return found


@pytest.mark.parametrize(
    ("images", "classes", "sure", "recall", "wrong", "least"),
    [
        (40, 1, 3, 0.95, 1, 0.9),
        (40, 1, 1.5, 0.8, 3, 0.83),
        (200, 6, 2, 0.9, 2, 0.8),
        (40, 6, 2, 0.9, 2, 0.88),
        (10, 1, 3, 0.95, 1, 0.9),
        (40, 1, 4, 0.99, 0.2, 0.88),
        (300, 40, 1, 0.7, 3, 0.6),  # 50 truths a class, scores that say little
    ],
)
def test_coverage(images, classes, sure, recall, wrong, least):
    draws = np.random.default_rng(1)
    source = {"sure": sure, "recall": recall, "wrong": wrong}
    rare = classes == 40
    value = mean(precisions(world(4000 if rare else 20_000, classes, draws, **source)))
    times, held = (15 if rare else 60), 0
    for _ in range(times):
        found = mean_precision(world(images, classes, draws, **source), resamples=200)
        assert 0 <= found.low <= found.value <= found.high <= 1
        held += found.low <= value <= found.high
    assert held / times >= least


def test_a_perfect_score_on_few_truths_is_not_certain():
    hits = np.ones((1, 10), bool)
    sure = Ranked(np.arange(10), np.linspace(1, 0.1, 10), hits, hits, np.ones(10, np.int64))
    found = mean_precision([sure])
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.7225, abs=1e-4)  # Wilson's for ten of ten
