"""Code books by counting: k-means, and a mixture of Gaussians by expectation and maximisation.

Lloyd, Least Squares Quantization in PCM, 1982; Dempster, Laird & Rubin, Maximum Likelihood from
Incomplete Data via the EM Algorithm, 1977. Here in a few matrix products: scikit-learn finds the
same, but loading it takes longer than all the counting, and every report waits for it.

Shapes: P points, D numbers each, K clusters.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 1024  # points compared at once: their distances stay in the cache


def centres(points: Tensor, k: int, *, seed: int, rounds: int) -> Tensor:
    """Return the middles (K, D) of clusters of points (P, D), P >= K; the first are drawn points.

    >>> found = centres(torch.tensor([[0.0], [1.0], [10.0], [11.0]]), 2, seed=0, rounds=5)
    >>> sorted(found.flatten().tolist())
    [0.5, 10.5]
    """
    draws = torch.Generator().manual_seed(seed)
    found = points[torch.randperm(len(points), generator=draws)[:k]].clone()
    for _ in range(rounds):
        owner = nearest(points, found)  # (P,)
        counts = torch.bincount(owner, minlength=k)[:, None]  # (K, 1)
        sums = torch.zeros_like(found).index_add_(0, owner, points)
        found = torch.where(counts > 0, sums / counts.clamp_min(1), found)  # an empty one stays
    return found


def nearest(points: Tensor, middles: Tensor) -> Tensor:
    """Return which of middles (K, D) is nearest to each of points (P, D), as (P,)."""
    half = middles.square().sum(1) / 2
    blocks = (points[start : start + BLOCK] for start in range(0, len(points), BLOCK))
    return torch.cat([(block @ middles.T - half).argmax(1) for block in blocks])


def mixture(
    points: Tensor, k: int, *, seed: int, rounds: int, narrowest: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return shares (K,), means and variances (K, D) of Gaussians fitted to points (P, D).

    It begins with clusters; no variance falls below ``narrowest``.
    """
    means = centres(points, k, seed=seed, rounds=rounds)
    belongs = torch.nn.functional.one_hot(nearest(points, means), k).to(points)  # (P, K)
    squares = points.square()
    for _ in range(rounds):
        weight = belongs.sum(0)[:, None] + 1e-6  # (K, 1)
        shares = (weight / weight.sum())[:, 0]
        means = belongs.T @ points / weight
        variances = (belongs.T @ squares / weight - means.square()).clamp_min(0) + narrowest
        belongs = posterior(points, shares, means, variances)
    return shares, means, variances


def posterior(points: Tensor, shares: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Return how likely each of points (..., D) comes from each Gaussian, (..., K)."""
    inner = points @ (means / variances).T - points.square() @ (0.5 / variances).T
    known = shares.log() - 0.5 * (variances.log() + means.square() / variances).sum(1)
    return (inner + known).softmax(-1)
