"""Bends made of few waves are the field of Simard, Steinkraus and Platt: smoothed noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from opsin.augment import parse
from opsin.augment.lots import Lots, keys
from opsin.augment.waves import Waves, basis, drawn

N, SIDE = 3000, 28


def fields(waves: Waves) -> np.ndarray:
    """Return displacements at every pixel, (n, 2, h, w)."""
    return np.asarray(waves.down @ waves.amounts @ waves.across.T)


def simards(alpha: float, sigma: float) -> np.ndarray:
    """Return fields by the definition: even noise, smoothed on a plane without edges, scaled."""
    margin = int(4 * sigma) + 1
    wide = SIDE + 2 * margin
    noise = np.random.default_rng(0).uniform(-1, 1, (N, wide, wide))
    smooth = ndimage.gaussian_filter(noise, (0, sigma, sigma))
    return alpha * smooth[:, margin:-margin, margin:-margin]


@pytest.mark.parametrize(("alpha", "sigma"), [(34.0, 4.0), (8.0, 3.0), (5.0, 1.5)])
def test_variance_and_autocorrelation_are_those_of_the_definition(
    alpha: float, sigma: float
) -> None:
    ours = fields(drawn(Lots(keys((1,), range(N)), 0), (SIDE, SIDE), alpha, sigma))[:, 0]
    theirs = simards(alpha, sigma)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert ours.std() == pytest.approx(0.1629 * alpha / sigma, rel=0.02)
    assert abs(ours.mean()) < 0.05 * ours.std()
    for field in (ours, theirs):  # everywhere the same: no edges
        assert np.ptp(field.std(axis=0)) < 0.12 * field.std()
    for down, across in [(0, 1), (1, 0), (2, 3), (0, 5), (7, 0), (9, 9)]:
        found = []
        for field in (ours, theirs):
            near = field[:, : SIDE - down, : SIDE - across]
            products = near * field[:, down:, across:]
            found.append(products.mean() / field.var())
        expected = np.exp(-(down**2 + across**2) / (4 * sigma**2))
        assert found[0] == pytest.approx(found[1], abs=0.02)
        assert found[0] == pytest.approx(expected, abs=0.02)


def test_the_numbers_are_normal_as_sums_of_many_are() -> None:
    waves = drawn(Lots(keys((2,), range(N)), 0), (SIDE, SIDE), 34, 4)
    one = fields(waves)[:, :, 13, 7] / fields(waves).std()
    assert stats.kstest(one[:, 0], "norm").pvalue > 0.01
    assert abs(np.corrcoef(one.T)[0, 1]) < 0.05  # x and y know nothing of each other
    assert stats.kurtosis(simards(34, 4)[:, 13, 7]) == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize(("length", "sigma"), [(28, 4.0), (5, 1.0), (1, 9.0), (224, 12.0)])
def test_the_waves_keep_the_covariance(length: int, sigma: float) -> None:
    waves = basis(length, sigma)
    apart = np.subtract.outer(np.arange(length), np.arange(length))
    expected = np.exp(-(apart**2) / (4 * sigma**2))
    found = waves @ waves.T
    assert np.allclose(found / found[0, 0], expected, atol=0.02)
    assert np.allclose(np.diag(found), found[0, 0])
    assert waves.shape[1] <= length


def test_two_bends_add_up() -> None:
    one = drawn(Lots(keys((0,), range(4)), 0), (20, 28), 30, 4)
    for sigma in (4.0, 6.0):
        other = drawn(Lots(keys((0,), range(4)), 1), (20, 28), 30, sigma)
        assert np.allclose(fields(one.plus(other)), fields(one) + fields(other), atol=1e-4)


def test_a_bend_at_a_point_is_that_of_the_pixels_round_it() -> None:
    waves = drawn(Lots(keys((0,), range(2)), 0), (20, 28), 30, 4)
    field = fields(waves)
    points = np.array([[[3.5, 7.5], [4.0, 7.5], [-5.0, 90.0]]]).repeat(2, axis=0)
    found = waves.at(points)
    assert np.allclose(found[:, 0], field[:, :, 7, 3], atol=1e-5)
    assert np.allclose(found[:, 1], field[:, :, 7, 3:5].mean(axis=2), atol=1e-5)
    assert np.allclose(found[:, 2], field[:, :, 19, 0], atol=1e-5)


def test_the_chain_that_bends_twice_bends_by_both() -> None:
    twice = parse("elastic-elastic").draw(400, (28, 28), (28, 28), (0,)).bend
    once = parse("elastic").draw(400, (28, 28), (28, 28), (0,)).bend
    assert twice is not None and once is not None
    assert fields(twice).std() == pytest.approx(np.sqrt(2) * fields(once).std(), rel=0.03)
