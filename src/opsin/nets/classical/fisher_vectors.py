"""Fisher vectors: how the patches of a picture would have the usual patches change.

Perronnin, Sánchez & Mensink, Improving the Fisher Kernel for Large-Scale Image Classification, ECCV
2010: descriptors are rotated to 64 numbers, a mixture of Gaussians is fitted to them, and a picture
is the gradient of its mean log likelihood by means and deviations, each number under the root, all
of length 1. The same numbers as scikit-image's ``fisher_vector``.

Shapes: N pictures, n patches a picture, D numbers of a patch, K Gaussians.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from timm.models import register_model
from timm.models._features_fx import register_notrace_module
from torch import Tensor

from opsin.nets.classical._clusters import mixture, posterior
from opsin.nets.classical._counted import Counted, Seen, make
from opsin.nets.classical._local import BINS, Local, rooted, some

__all__ = ["FisherVectors", "fisher_vectors"]

NUMBERS = 64  # D
GAUSSIANS = 32  # K
SAMPLED = 12_000  # patches the mixture is fitted to
ROUNDS = 8
NARROWEST = 1e-4  # variance


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class FisherVectors(Local):
    """Lays out how a picture's patches differ from a mixture of Gaussians."""

    paper = "Perronnin, Sánchez & Mensink 2010"
    called = "Fisher vectors"
    effort = 3.0

    centre: Tensor  # (128,)
    axes: Tensor  # (128, D)
    shares: Tensor  # (K,)
    means: Tensor  # (K, D)
    variances: Tensor  # (K, D)

    def __init__(self, channels: int = 3) -> None:
        super().__init__(channels)
        self.register_buffer("centre", torch.zeros(BINS))
        self.register_buffer("axes", torch.eye(BINS, NUMBERS))
        self.register_buffer("shares", torch.full((GAUSSIANS,), 1 / GAUSSIANS))
        self.register_buffer("means", torch.zeros(GAUSSIANS, NUMBERS))
        self.register_buffer("variances", torch.ones(GAUSSIANS, NUMBERS))

    @property
    def width(self) -> int:
        """Return F."""
        return 2 * GAUSSIANS * NUMBERS

    def observe(self, seen: Seen, seed: int) -> None:
        """Learn the axes of largest spread, and the mixture of what lies along them."""
        patches = rooted(some(seen, SAMPLED, 2 * GAUSSIANS, seed))
        self.centre.copy_(patches.mean(0))
        spread = np.cov((patches - self.centre).numpy().T)
        self.axes.copy_(torch.from_numpy(np.linalg.eigh(spread)[1][:, ::-1][:, :NUMBERS].copy()))
        turned = (patches - self.centre) @ self.axes
        fitted = mixture(turned, GAUSSIANS, seed=seed, rounds=ROUNDS, narrowest=NARROWEST)
        for buffer, found in zip((self.shares, self.means, self.variances), fitted, strict=True):
            buffer.copy_(found)

    def encode(self, seen: Seen) -> Tensor:
        """Return the Fisher vectors of pictures, (N, 2 K D)."""
        turned = (rooted(seen) - self.centre.cpu()) @ self.axes.cpu()  # (N, n, D)
        found = gradient(turned, self.shares.cpu(), self.means.cpu(), self.variances.cpu())
        return torch.nn.functional.normalize(found.sign() * found.abs().sqrt(), dim=1)


def gradient(patches: Tensor, shares: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Return the gradient of the mean log likelihood of patches (N, n, D), as (N, 2 K D).

    By the means, then by the deviations, each divided by how much it varies by itself (the root of
    the Fisher information; Perronnin et al. 2010, equations 4 and 5).
    """
    belongs = posterior(patches, shares, means, variances) / patches.shape[1]  # (N, n, K)
    belongs = belongs.transpose(1, 2)  # (N, K, n)
    weight = belongs.sum(2, keepdim=True)  # (N, K, 1)
    first, second = belongs @ patches, belongs @ patches.square()  # (N, K, D)
    root = shares.sqrt()[:, None]
    by_mean = (first - weight * means) / (root * variances.sqrt())
    about = second - 2 * first * means + weight * (means * means - variances)
    by_deviation = about / (root * variances * math.sqrt(2))
    return torch.cat([by_mean.flatten(1), by_deviation.flatten(1)], 1)


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def fisher_vectors(pretrained: bool = False, **settings: Any) -> Counted:
    """Make Fisher vectors of SIFT patches with a linear layer."""
    return make(FisherVectors, pretrained, settings)
