"""Ranks against scipy, and against the worked example of Demšar, 2006, table 6."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from opsin.report.study_story import Published
from opsin.study import ranks
from opsin.study.rows import read
from opsin.study.tables import cells

# AUC of C4.5 with four settings of its parameters, over 14 data sets.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # printed alike, ranked 2 and 3 before rounding
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsars_example():
    means = ranks.ranks(DEMSAR).mean(0)
    assert means.round(3).tolist() == [3.143, 2.0, 2.893, 1.964]
    plain = 12 * 14 / (4 * 5) * (np.square(means).sum() - 4 * 25 / 4)  # his, without ties
    assert round(float(plain), 2) == 9.28
    assert ranks.friedman(DEMSAR)[0] >= plain  # a tie takes from the spread
    assert round(ranks.critical_difference(4, 14), 2) == 1.25
    assert round(ranks.critical_difference(4, 14, level=0.1), 2) == 1.12


def test_demsars_table_of_critical_values():
    two_to_ten = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    found = [ranks.studentised_range(k) / np.sqrt(2) for k in range(2, 11)]
    assert np.round(found, 3) == pytest.approx(two_to_ten, abs=0.0011)


@pytest.mark.parametrize("k", [2, 12, 36])
def test_studentised_range_is_scipys(k):
    theirs = stats.studentized_range.ppf(0.95, k, np.inf)
    assert ranks.studentised_range(k) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_friedman_and_ranks_are_scipys(seed):
    scores = np.random.default_rng(seed).integers(0, 6, (8, 5)).astype(float)  # with ties
    assert (ranks.ranks(scores) == stats.rankdata(-scores, axis=1)).all()
    theirs = stats.friedmanchisquare(*scores.T)
    assert ranks.friedman(scores) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_nothing_differs_where_all_are_equal():
    assert ranks.friedman(np.ones((5, 4))) == (0.0, 1.0)


@pytest.mark.parametrize("m", [4, 6, 12])
def test_agreement_is_scipys(m):
    draws = np.random.default_rng(m)
    ours = draws.normal(size=m)
    theirs = (ours + draws.normal(size=m)).round(1)
    found = ranks.agreement("", ours, theirs)
    assert found.rho.value == pytest.approx(stats.spearmanr(ours, theirs).statistic)
    ranked = stats.rankdata(theirs)
    orders = itertools.islice(itertools.permutations(stats.rankdata(ours)), 5040)
    far = [abs(np.corrcoef(order, ranked)[0, 1]) for order in orders]
    exact = np.mean(np.array(far) >= abs(found.rho.value) - 1e-9)
    wanted = exact if m <= 6 else stats.spearmanr(ours, theirs).pvalue
    assert found.p == pytest.approx(wanted, abs=1e-9 if m <= 6 else 0.02)
    assert np.isnan(found.rho.low) if m < 5 else found.rho.low < found.rho.value


def test_interval_of_agreement_holds_the_truth():
    """Bonett & Wright's, simulated at a correlation of 0.7 and 12 pairs."""
    draws, held = np.random.default_rng(0), 0
    large = draws.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 100_000)
    truth = ranks.spearman(*large[:2000].T)
    for start in range(0, 12 * 400, 12):
        low, high = ranks.interval(ranks.spearman(*large[start : start + 12].T), 12)
        held += low <= truth <= high
    assert held / 400 == pytest.approx(0.95, abs=0.03)


def test_no_order_agrees_with_nothing():
    found = ranks.agreement("", np.ones(5), np.arange(5.0))
    assert np.isnan(found.rho.value) and np.isnan(found.p)


def test_runs_that_are_not_told_apart():
    assert ranks.groups((1.0, 1.5, 2.4, 3.0), 1.0) == ((0, 1), (1, 2), (2, 3))
    assert ranks.groups((1.0, 3.0), 1.0) == ()


def test_a_study_is_ranked_over_nets_and_seeds(drawn):
    study = read(drawn)
    found = ranks.ranked(study, "augment")
    assert found is not None
    assert found.names[0] == "rotation-elastic" and found.names[-1] == "original"
    assert found.blocks == 15 and found.left_out == 0 and found.p < 1e-5
    assert ranks.ranked(study, "net").blocks == 20


def test_agreement_with_a_published_order_is_told_for_each_net(drawn):
    study = read(drawn)
    found = cells(study)
    same = tuple(Published(cell.setting, cell.score.value, None) for cell in found)
    told = ranks.agreements(found, same, "augment")
    assert [each.name for each in told] == ["lenet", "network3", "dropconnect"]
    assert all(each.rho.value == pytest.approx(1.0) and each.rho.n == 4 for each in told)
    assert told[0].p == pytest.approx(2 / 24)  # of four, the same order and its reverse
