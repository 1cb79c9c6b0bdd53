"""Matches against torchvision's matchers and the papers' loops."""

import pytest
import torch
from torchvision.models.detection._utils import Matcher, SSDMatcher

from opsin.ops import anchors as anchor
from opsin.ops import boxes as box
from opsin.ops import matching, sampling
from opsin.ops.matching import NEGATIVE, UNJUDGED


def drawn(seed, truths=4, anchors=40):
    draws = torch.Generator().manual_seed(seed)
    corner = torch.rand(truths + anchors, 2, generator=draws) * 60
    made = torch.cat([corner, corner + 8 + torch.rand(len(corner), 2, generator=draws) * 30], dim=1)
    return made[:truths], made[truths:]


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_are_torchvisions(seed):
    truths, anchors = drawn(seed)
    quality = box.overlap(truths, anchors)
    for low, high in ((0.3, 0.7), (0.5, 0.5)):
        for force in (False, True):
            theirs = Matcher(high, low, allow_low_quality_matches=force)(quality)
            ours = matching.by_iou(quality, low, high, force="best" if force else "none")
            assert torch.equal(ours, theirs)
    best = quality.argmax(dim=1)
    if len(best.unique()) == len(best):  # no two truths want the same anchor
        ours = matching.by_iou(quality, 0.5, 0.5, force="each")
        assert torch.equal(ours, SSDMatcher(0.5)(quality))


def test_each_truth_has_an_anchor_of_its_own():
    quality = torch.tensor([[0.6, 0.2, 0.0], [0.4, 0.1, 0.0], [0.0, 0.0, 0.0]])
    assert matching.by_iou(quality, 0.5, 0.5, force="each").tolist() == [0, 1, NEGATIVE]
    # torchvision's gives the first truth's anchor to the last one that wants it
    assert SSDMatcher(0.5)(quality).tolist() != [0, 1, NEGATIVE]


def test_a_truth_that_nothing_overlaps_forces_nothing():
    quality = torch.zeros(1, 5)
    for force in ("none", "best", "each"):
        assert (matching.by_iou(quality, 0.3, 0.7, force=force) == NEGATIVE).all()
    assert matching.by_iou(torch.zeros(0, 5), 0.3, 0.7).tolist() == [NEGATIVE] * 5


def test_crowds_spare_what_lies_in_them():
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [6, 0, 16, 10], [50, 50, 60, 60]])
    matches = torch.tensor([0, NEGATIVE, NEGATIVE, NEGATIVE])
    crowd = torch.tensor([[0.0, 0, 10, 200]])
    assert matching.spare(matches, anchors, crowd).tolist() == [0, UNJUDGED, NEGATIVE, NEGATIVE]
    assert matching.spare(matches, anchors, crowd[:0]) is matches


def test_points_answer_for_the_smallest_box_they_lie_in():
    points = anchor.points((4, 4), 16)
    truths = torch.tensor([[0.0, 0, 64, 64], [20, 20, 44, 44], [8, 0, 9, 1]])
    matches = matching.by_centre(points, truths).reshape(4, 4)
    assert (matches[1:3, 1:3] == 1).all()
    assert int((matches == 0).sum()) == 12
    small = torch.tensor([True, False, True])[:, None].expand(3, 16)
    assert int((matching.by_centre(points, truths, small) == 0).sum()) == 16
    assert (matching.by_centre(points, truths[:0]) == NEGATIVE).all()


def simota_by_loops(iou, cost, may, top):
    """YOLOX's section 2.4, a truth at a time; a contested point goes to who pays least."""
    claims = {}
    for t in range(len(iou)):
        allowed = [a for a in range(iou.shape[1]) if may[t, a]]
        k = max(1, int(sum(sorted((float(iou[t, a]) for a in allowed), reverse=True)[:top])))
        for a in sorted(allowed, key=lambda a, t=t: float(cost[t, a]))[:k]:
            claims.setdefault(a, []).append(t)
    return [
        min(claims[a], key=lambda t, a=a: float(cost[t, a])) if a in claims else NEGATIVE
        for a in range(iou.shape[1])
    ]


@pytest.mark.parametrize("seed", range(5))
def test_simota_is_its_loop(seed):
    draws = torch.Generator().manual_seed(seed)
    truths, _ = drawn(seed)
    points = anchor.points((8, 8), 12)
    strides = torch.full((64,), 12.0)
    boxes = torch.cat([points - 15, points + 15], dim=1) + torch.randn(64, 4, generator=draws)
    iou = box.overlap(truths, boxes).double()
    may = matching.inside(points, truths) | matching.near_centre(points, truths, strides, 1.0)
    cost = -(iou + 1e-8).log() * 3 + torch.rand(4, 64, generator=draws).double()
    found = matching.simota(iou, cost, may).tolist()
    assert found == simota_by_loops(iou, cost, may, 10)
    assert len(set(found)) > 2


def test_simota_of_a_box_without_candidates():
    iou = torch.rand(2, 5)
    may = torch.zeros(2, 5, dtype=torch.bool)
    may[0, 1] = True
    assert matching.simota(iou, 1 - iou, may).tolist() == [-1, 0, -1, -1, -1]
    assert matching.simota(iou[:0], iou[:0], may[:0]).tolist() == [NEGATIVE] * 5


@pytest.mark.parametrize("seed", range(4))
def test_atss_is_algorithm_1(seed):
    truths, _ = drawn(seed)
    levels = [
        anchor.grid(torch.tensor([[s * 4.0, s * 4.0]]), (n, n), s) for s, n in ((8, 12), (16, 6))
    ]
    found = matching.atss(torch.cat(levels), [144, 36], truths, top=5).tolist()
    wanted = [(NEGATIVE, 0.0)] * 180
    for t, truth in enumerate(truths):
        chosen, start = [], 0
        for level in levels:
            middle = (level[:, :2] + level[:, 2:]) / 2
            far = ((middle - (truth[:2] + truth[2:]) / 2) ** 2).sum(1)
            chosen += [start + int(i) for i in far.argsort(stable=True)[:5]]
            start += len(level)
        every = torch.cat(levels)
        ious = {a: float(box.overlap(truth[None], every[a][None])) for a in chosen}
        values = torch.tensor(list(ious.values()))
        least = float(values.mean() + values.std())
        for a, value in ious.items():
            x, y = ((every[a][:2] + every[a][2:]) / 2).tolist()
            inner = truth[0] < x < truth[2] and truth[1] < y < truth[3]
            if value >= least and inner and value > wanted[a][1]:
                wanted[a] = (t, value)
    assert found == [t for t, _ in wanted]


# ── sampling ────────────────────────────────────────────────────────────────────────────────────


def test_balanced_draws_depend_on_their_key_alone():
    matches = torch.tensor([0] * 300 + [NEGATIVE] * 2000 + [UNJUDGED] * 50)
    positive, negative = sampling.balanced(matches, 256, 0.5, 1, 2, 3)
    assert (len(positive), len(negative)) == (128, 128)
    assert (matches[positive] == 0).all()
    assert (matches[negative] == NEGATIVE).all()
    assert len(positive.unique()) == 128
    again = sampling.balanced(matches, 256, 0.5, 1, 2, 3)
    other = sampling.balanced(matches, 256, 0.5, 1, 2, 4)
    assert torch.equal(again[0], positive)
    assert torch.equal(again[1], negative)
    assert not torch.equal(other[1], negative)


def test_negatives_fill_up_and_may_run_out():
    matches = torch.tensor([0, NEGATIVE, NEGATIVE, UNJUDGED])
    positive, negative = sampling.balanced(matches, 512, 0.25, 0)
    assert (positive.tolist(), negative.tolist()) == ([0], [1, 2])


def test_every_candidate_is_drawn_alike():
    matches = torch.full((20,), NEGATIVE)
    count = torch.zeros(20)
    for step in range(400):
        count[sampling.balanced(matches, 5, 0.5, 0, step)[1]] += 1
    assert (count - 100).abs().max() < 4 * (400 * 0.25 * 0.75) ** 0.5


def test_hardest_negatives_of_each_picture():
    losses = torch.tensor([[9.0, 0.1, 0.9, 0.5, 0.4, 0.3], [0.5, 0.6, 0.7, 0.1, 0.2, 0.3]])
    matches = torch.tensor([[0, -1, -1, -2, -1, -1], [-1] * 6])
    kept = sampling.hardest(losses, matches, 3.0)
    assert kept.nonzero().tolist() == [[0, 2], [0, 4], [0, 5]]
    assert sampling.hardest(losses, matches, 3.0, least=2)[1].nonzero()[:, 0].tolist() == [1, 2]
