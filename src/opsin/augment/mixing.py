"""Pictures mixed with each other.

Shapes: N pictures of C channels, h x w pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from opsin.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor


def mixed(
    images: Tensor, seed: tuple[int, ...], *, mixup: float = 0.0, cutmix: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what one of the two ways below makes of a batch; a lot decides where both are on."""
    both = mixup > 0 and cutmix > 0
    if cutmix > 0 and (not both or _stream(seed, 2).random() < 0.5):
        return cut_and_mixed(images, seed, cutmix)
    return mixed_up(images, seed, mixup)


def mixed_up(
    images: Tensor, seed: tuple[int, ...], strength: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return share · image + (1 - share) · partner, which partner (N,), and the share (N,).

    images (N, C, h, w); share is drawn from Beta(strength, strength) for each picture, partners are
    a permutation; targets are mixed by the same share. Raises ``RecipeError`` unless strength is
    above 0. From Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2.

    >>> import torch
    >>> mixed, partner, share = mixed_up(torch.ones(2, 1, 1, 1), (0,), 0.2)
    >>> mixed.flatten().tolist(), sorted(partner.tolist())
    ([1.0, 1.0], [0, 1])
    """
    import torch

    random = _stream(seed, 1)
    share, partner = _drawn(random, images, strength, "mixup")
    share_ = torch.from_numpy(share.astype(np.float32)).to(images.device)
    weight = share_.to(images.dtype)[:, None, None, None]
    return torch.lerp(images[partner], images, weight), partner, share_


def cut_and_mixed(
    images: Tensor, seed: tuple[int, ...], strength: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return images with a box of a partner in each, which partner (N,), and the share left (N,).

    The box has 1 - share of the area and its middle anywhere, share drawn from Beta(strength,
    strength) for each picture; what hangs over the edge is cut off and the share is that of the
    pixels that stayed. Targets are mixed by it. Raises ``RecipeError`` unless strength is above 0.
    From Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features", ICCV 2019, section 3.1.

    >>> import torch
    >>> _, partner, share = cut_and_mixed(torch.ones(2, 1, 4, 4), (0,), 1.0)
    >>> sorted(partner.tolist()), bool(((share >= 0) & (share <= 1)).all())
    ([0, 1], True)
    """
    import torch

    from opsin.augment.warp import inside

    random = _stream(seed, 1)
    share, partner = _drawn(random, images, strength, "cutmix")
    size = np.array(images.shape[:1:-1])  # (x, y)
    side = np.rint(np.sqrt(1 - share)[:, None] * size).astype(np.int64)
    first = random.integers(0, size, (len(images), 2)) - side // 2
    boxes = np.concatenate([first.clip(0, size), (first + side).clip(0, size)], axis=1)
    hidden = inside(boxes[:, None], images)  # (N, 1, h, w)
    left = 1 - hidden.float().mean((1, 2, 3))
    return torch.where(hidden, images[partner], images), partner, left


def _drawn(
    random: np.random.Generator, images: Tensor, strength: float, name: str
) -> tuple[np.ndarray, Tensor]:
    """Return shares (N,) from Beta(strength, strength) and a permutation of partners (N,)."""
    import torch

    if not 0 < strength < float("inf"):
        raise RecipeError(f"{name}={strength}", expected="a strength above 0, such as 0.2")
    share = random.beta(strength, strength, len(images))
    partner = torch.from_numpy(random.permutation(len(images))).to(images.device)
    return share, partner


def _stream(seed: tuple[int, ...], place: int) -> np.random.Generator:
    """Return a random stream of a batch as a whole; its pictures draw from others (``lots``).

    The length goes in first because a SeedSequence takes (1,) and (1, 0) for the same.
    """
    sequence = np.random.SeedSequence((len(seed), *seed), spawn_key=(place,))
    return np.random.Generator(np.random.Philox(sequence))
