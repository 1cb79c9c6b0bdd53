"""Which of too many candidates a loss is summed over: some drawn, or the hardest.

Matches say for each candidate the true box it answers for (0 and above), or ``NEGATIVE`` or
``UNJUDGED`` (``matching``).

Shapes: B pictures, A candidates of each.
"""

from __future__ import annotations

import torch
from torch import Tensor

from opsin.ops import seeding
from opsin.ops.matching import NEGATIVE


def balanced(matches: Tensor, count: int, share: float, *key: int) -> tuple[Tensor, Tensor]:
    """Return indexes of positives and of negatives drawn among matches (A,), ``count`` together.

    At most ``share`` of them are positive; where there are fewer, negatives fill up. 256 at 0.5 are
    drawn to train proposals (Ren et al., Faster R-CNN, 2015, section 3.1.3), and of 128 at 0.25
    (512 in later code) regions are classified (Girshick, Fast R-CNN, 2015, section 2.3). The draw
    depends on ``key`` alone, such as (seed, epoch, step, picture).

    >>> positives, negatives = balanced(torch.tensor([0, 1, -1, -1, -1, -2]), 4, 0.25, 7)
    >>> len(positives), len(negatives), bool((torch.tensor([0, 1])[positives] >= 0).all())
    (1, 3, True)
    """
    positive = torch.nonzero(matches >= 0)[:, 0]
    negative = torch.nonzero(matches == NEGATIVE)[:, 0]
    draws = seeding.generator(*key)
    some = _drawn(positive, int(count * share), draws)
    return some, _drawn(negative, count - len(some), draws)


def _drawn(indexes: Tensor, most: int, draws: torch.Generator) -> Tensor:
    """Return ``most`` of the indexes, or all, in ascending order."""
    order = torch.randperm(len(indexes), generator=draws)[:most]
    return indexes[order.to(indexes.device)].sort().values


def hardest(losses: Tensor, matches: Tensor, ratio: float = 3.0, least: int = 0) -> Tensor:
    """Return (B, A), which negatives count: those of the highest losses in each picture.

    There are ``ratio`` of them for each positive (Liu et al., SSD, 2016, section 2.2, "Hard
    negative mining"), and at least ``least``, so that pictures without objects teach, too.

    >>> losses = torch.tensor([[0.1, 0.9, 0.5, 0.2]])
    >>> hardest(losses, torch.tensor([[0, -1, -1, -1]]), ratio=2).tolist()
    [[False, True, True, False]]
    """
    negative = matches == NEGATIVE
    wanted = ((matches >= 0).sum(dim=1) * ratio).long().clamp(min=least)  # (B,)
    ranked = losses.detach().masked_fill(~negative, -torch.inf)
    places = ranked.argsort(dim=1, descending=True, stable=True).argsort(dim=1)  # (B, A)
    return negative & (places < wanted[:, None])
