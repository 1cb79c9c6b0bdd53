"""Visual words: a code book of typical patches, and how often each occurs in parts of a picture.

Shapes: N pictures, n patches a picture, K words, R regions.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from opsin.nets.classical._clusters import centres, nearest
from opsin.nets.classical._counted import Seen
from opsin.nets.classical._local import BINS, Local, grid, rooted, some

SAMPLED = 25  # patches a word is learnt from
ROUNDS = 8  # of k-means: what comes later hardly moves a word


class Words(Local):
    """Counts visual words in regions, each region weighing as its level says."""

    words: Tensor  # (K, 128)
    vocabulary: ClassVar[int]  # K
    levels: ClassVar[tuple[tuple[int, float], ...]]  # (cells each way, weight)

    def __init__(self, channels: int = 3) -> None:
        super().__init__(channels)
        self.register_buffer("words", torch.zeros(self.vocabulary, BINS))

    @property
    def width(self) -> int:
        """Return F."""
        return self.vocabulary * sum(cells**2 for cells, _ in self.levels)

    def observe(self, seen: Seen, seed: int) -> None:
        """Learn the words as the middles of clusters of patches, by k-means."""
        patches = some(seen, SAMPLED * self.vocabulary, self.vocabulary, seed)
        found = centres(rooted(patches), self.vocabulary, seed=seed, rounds=ROUNDS)
        self.words.copy_(found)

    def encode(self, seen: Seen) -> Tensor:
        """Return the roots of weighted shares of words in regions, of length 1, (N, K R)."""
        said = self.spelt(seen)  # (N, n)
        side = {len(grid(side)[0]): side for side in (64, 128)}[seen.shape[1]]
        parts = []
        for cells, weight in self.levels:
            place = np.minimum(grid(side)[1] * cells, cells - 1).astype(np.int64)  # (n, 2)
            region = torch.from_numpy(place[:, 0] * cells + place[:, 1])
            kinds = self.vocabulary * cells**2
            # One bin more, for patches that are flat and say nothing.
            codes = torch.where(said < 0, kinds, region * self.vocabulary + said)
            counts = torch.zeros(len(said), kinds + 1).scatter_add_(
                1, codes, torch.ones(said.shape)
            )
            parts.append(counts[:, :-1] * weight)
        return torch.nn.functional.normalize(torch.cat(parts, 1).sqrt(), dim=1)

    def spelt(self, seen: Seen) -> Tensor:
        """Return the nearest word of each patch (N, n), -1 for a flat one."""
        said = nearest(rooted(seen).flatten(0, 1), self.words.cpu()).view(seen.shape[:2])
        return torch.where(torch.from_numpy(seen.any(-1)), said, -1)
