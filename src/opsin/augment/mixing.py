"""Pictures mixed with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from opsin.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor


def mixup(images: Tensor, seed: tuple[int, ...], strength: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return share · image + (1 - share) · partner, which partner (N,), and the share (N,).

    images (N, C, h, w); share is drawn from Beta(strength, strength) for each picture, partners are
    a permutation; targets are mixed by the same share. Raises ``RecipeError`` unless strength is
    above 0. From Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2.

    >>> import torch
    >>> mixed, partner, share = mixup(torch.ones(2, 1, 1, 1), (0,), 0.2)
    >>> mixed.flatten().tolist(), sorted(partner.tolist())
    ([1.0, 1.0], [0, 1])
    """
    import torch

    if not 0 < strength < float("inf"):
        raise RecipeError(f"mixup={strength}", expected="a strength above 0, such as 0.2")
    random = _stream(seed)
    n = len(images)
    drawn = random.beta(strength, strength, n).astype(np.float32)
    share = torch.from_numpy(drawn).to(images.device)
    partner = torch.from_numpy(random.permutation(n)).to(images.device)
    weight = share.to(images.dtype)[:, None, None, None]
    return torch.lerp(images[partner], images, weight), partner, share


def _stream(seed: tuple[int, ...]) -> np.random.Generator:
    """Return the random stream of a batch; pictures draw from others (``lots``).

    The length goes in first because a SeedSequence takes (1,) and (1, 0) for the same.
    """
    sequence = np.random.SeedSequence((len(seed), *seed), spawn_key=(1,))
    return np.random.Generator(np.random.Philox(sequence))
