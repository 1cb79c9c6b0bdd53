"""Classical descriptions against scikit-image, scikit-learn, autograd and counting by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from skimage.feature import fisher_vector, local_binary_pattern
from skimage.feature import hog as their_hog
from sklearn.mixture import GaussianMixture

from opsin import nets
from opsin.errors import RecipeError
from opsin.nets.classical import (
    Counted,
    Description,
    _counted,
    _local,
    _words,
    colour_histogram,
    fisher_vectors,
    hog,
    lbp,
)


def pictures(n: int, channels: int = 3, side: int = 64, seed: int = 0) -> np.ndarray:
    """Draw pictures (n, C, h, w) with smooth shapes in them: noise alone has no edges."""
    draws = np.random.default_rng(seed)
    coarse = draws.integers(0, 256, (n, channels, 8, 8)).astype(np.float32)
    smooth = torch.nn.functional.interpolate(
        torch.from_numpy(coarse), (side, side), mode="bicubic", align_corners=False
    ).numpy()
    return (smooth + draws.normal(0, 4, smooth.shape)).clip(0, 255).astype(np.uint8)


def described(name: str, channels: int = 3) -> Description:
    net = nets.build(name, outputs=2, channels=channels)
    assert isinstance(net, Counted)
    return net.features


@pytest.mark.parametrize("channels", [1, 3])
def test_hog_is_scikit_images(channels: int) -> None:
    mine = described("hog", channels).describe(shown := pictures(5, channels)).numpy()
    for row, picture in zip(mine, shown, strict=True):
        theirs = their_hog(
            picture.transpose(1, 2, 0) if channels == 3 else picture[0],
            orientations=9,
            pixels_per_cell=(8, 8),
            cells_per_block=(2, 2),
            block_norm="L2-Hys",
            channel_axis=-1 if channels == 3 else None,
        )
        np.testing.assert_allclose(row, theirs, atol=1e-5)


def test_hog_of_one_slope_is_told_by_hand() -> None:
    """Brightness rises by 4 a pixel to the right: all gradients point at 0 degrees."""
    ramp = np.tile(4 * np.arange(64, dtype=np.uint8), (64, 1))[None, None]
    cells = described("hog", 1).describe(ramp).reshape(7, 7, 4, 9).numpy()
    assert (cells[..., 1:] == 0).all()
    np.testing.assert_allclose(cells[2, 3, :, 0], 0.5, atol=1e-6)  # four alike of length 1


@pytest.mark.parametrize("radius", lbp.RADII)
def test_patterns_are_scikit_images(radius: int) -> None:
    shown = pictures(3, 1)[:, 0]
    codes = lbp.BINS[lbp.patterns(shown, radius)]
    same = np.zeros((59, 59), int)  # how often a bin of ours meets one of theirs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their advice on floating-point pictures
        for mine, picture in zip(codes, shown, strict=True):
            theirs = local_binary_pattern(picture, 8, radius, "nri_uniform").astype(int)
            np.add.at(same, (mine, theirs), 1)
    # Their bins come in another order, and they round where neighbours are as bright.
    assert len(set(same.argmax(1))) == 59
    assert same.max(1).sum() >= 0.998 * same.sum()


def test_as_bright_is_bright_wherever_it_lies() -> None:
    for shade in (0, 1, 77, 254, 255):
        flat = np.full((1, 16, 16), shade, np.uint8)
        for radius in lbp.RADII:
            inside = lbp.patterns(flat, radius)[:, radius:-radius, radius:-radius]
            assert (inside == 255).all()


def test_patterns_are_counted_in_cells() -> None:
    rule = described("lbp", 1)
    found = rule.describe(pictures(2, 1)).reshape(2, 2, 16, 59).numpy()
    np.testing.assert_allclose((found**2).sum(-1), 1, rtol=1e-5)  # shares of a cell


def test_colours_have_the_bins_of_the_paper() -> None:
    picture = np.zeros((1, 3, 64, 64), np.uint8)
    picture[0, 0, :32] = 255  # upper half red, lower half black
    found = described("colour_histogram").describe(picture)[0].numpy() ** 2
    red = (15 * 16 + (-255 + 510) * 16 // 1021) * 8 + 255 * 8 // 766
    black = (7 * 16 + 7) * 8
    assert colour_histogram.opponent(np.array([[255, 0, 0], [0, 0, 0]])).tolist() == [red, black]
    np.testing.assert_allclose([found[red], found[black]], 0.5)
    assert found.sum() == pytest.approx(1)


def test_fisher_vector_is_scikit_images() -> None:
    draws = np.random.default_rng(0)
    mixture = GaussianMixture(4, covariance_type="diag", random_state=0)
    mixture.fit(draws.normal(size=(300, 6)) * np.arange(1, 7))
    patches = draws.normal(size=(2, 50, 6)) * 2
    learnt = (mixture.weights_, mixture.means_, mixture.covariances_)
    mine = fisher_vectors.gradient(torch.from_numpy(patches), *map(torch.from_numpy, learnt))
    for row, bag in zip(mine.numpy(), patches, strict=True):
        theirs = fisher_vector(bag, mixture)[4:]  # without the gradient by weights
        theirs[24:] *= -1  # theirs points the other way, by the deviations
        np.testing.assert_allclose(row, theirs, atol=1e-9)


def test_fisher_vector_is_the_gradient_that_autograd_finds() -> None:
    draws = torch.Generator().manual_seed(0)
    shares = torch.softmax(torch.randn(3, generator=draws), 0).double()
    means = torch.randn(3, 5, generator=draws).double().requires_grad_()
    spreads = (0.5 + torch.rand(3, 5, generator=draws)).double().requires_grad_()
    patches = torch.randn(1, 40, 5, generator=draws).double()
    density = torch.distributions.Normal(means, spreads).log_prob(patches[0][:, None]).sum(2)
    likelihood = (density + shares.log()).logsumexp(1).mean()
    by_mean, by_spread = torch.autograd.grad(likelihood, (means, spreads))
    root = shares.sqrt()[:, None]
    wanted = torch.cat(
        [(by_mean * spreads / root).flatten(), (by_spread * spreads / root / 2**0.5).flatten()]
    )
    found = fisher_vectors.gradient(patches, shares, means.detach(), spreads.detach() ** 2)[0]
    torch.testing.assert_close(found, wanted.detach())


def test_sift_sees_each_patch_where_the_grid_says() -> None:
    """One corner in an empty picture: only patches that hold it say anything."""
    picture = np.zeros((1, 1, 128, 128), np.uint8)
    picture[0, 0, 30:50, 90:110] = 255
    seen = described("spatial_pyramid", 1).look(picture)[0]  # (n, 128)
    _, places = _local.grid(128)
    lively = seen.astype(int).sum(1) > 0
    distance = np.abs(places * 128 - [40, 100]).max(1)
    assert len(seen) == 15**2 + 7**2
    assert lively[distance < 8].all() and not lively[distance > 40].any()


def test_roots_of_descriptors_have_length_one() -> None:
    seen = np.random.default_rng(0).integers(0, 200, (2, 3, 128), dtype=np.uint8)
    seen[0, 0] = 0
    lengths = _local.rooted(seen).norm(dim=2)
    assert lengths[0, 0] == 0
    assert torch.allclose(lengths.flatten()[1:], torch.ones(5))


def test_words_are_counted_where_they_stand() -> None:
    net = described("spatial_pyramid", 1)
    assert isinstance(net, _words.Words)
    seen = net.seen(pictures(3, 1, 128))
    net.observe(seen, 0)
    found, said = net.encode(seen).numpy() ** 2, net.spelt(seen).numpy()
    _, places = _local.grid(128)
    wanted = []
    for cells, weight in ((1, 0.25), (2, 0.25), (4, 0.5)):
        for row in range(cells):
            for column in range(cells):
                inside = ((places * cells).astype(int) == [row, column]).all(1)
                counts = [np.bincount(words[inside], minlength=200) for words in said]
                wanted.append(weight * np.array(counts))
    together = np.concatenate(wanted, 1)
    np.testing.assert_allclose(found, together / together.sum(1, keepdims=True), atol=1e-6)


def test_nearest_words_are_scikit_learns() -> None:
    from sklearn.neighbors import NearestNeighbors

    net = described("sift_bof", 1)
    assert isinstance(net, _words.Words)
    seen = net.seen(pictures(5, 1, 128))
    net.observe(seen, 0)
    rows = _local.rooted(seen).numpy().reshape(-1, 128)
    theirs = NearestNeighbors(n_neighbors=1).fit(net.words.numpy()).kneighbors(rows)[1][:, 0]
    assert (net.spelt(seen).numpy().ravel() == theirs).mean() > 0.999


def test_flat_patches_are_no_words() -> None:
    net = described("sift_bof", 1)
    half = pictures(2, 1, 128)
    half[..., :64] = 128  # nothing to see on the left
    net.observe(net.seen(half), 0)
    assert isinstance(net, _words.Words)
    said = net.spelt(net.seen(half)).numpy()
    _, places = _local.grid(128)
    assert (said[:, places[:, 1] < 0.25] == -1).all()
    assert (said[:, places[:, 1] > 0.75] >= 0).all()


def test_tally_counts_as_a_loop_does() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (2, 8, 8))
    found = _counted.tally(codes, 3, 4)
    for n, row, column, kind in np.ndindex(2, 4, 4, 3):
        cell = codes[n, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found[n, row, column, kind] == (cell == kind).mean()


def test_blocks_overlap_by_a_cell() -> None:
    cells = np.random.default_rng(0).uniform(0, 1, (1, 8, 8, 9)).astype(np.float32)
    found = hog.blocks(cells)
    assert found.shape == (1, 7, 7, 36)
    np.testing.assert_allclose((found**2).sum(3), 1, rtol=1e-4)


def test_dropout_is_refused() -> None:
    with pytest.raises(RecipeError, match="HoG"):
        nets.build("hog", outputs=2, dropout=0.5)
