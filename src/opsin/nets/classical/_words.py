"""Visual words: a code book of typical patches, and how often each occurs in parts of a picture.

Shapes: N pictures, n patches a picture, K words, R regions.
"""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.nets.classical._counted import Seen
from opsin.nets.classical._local import BINS, Local, grid, rooted, some

SAMPLED = 40  # patches a word is learnt from
ROUNDS = 10  # of k-means: what comes later hardly moves a word


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
        self.words.copy_(centres(rooted(patches).numpy(), self.vocabulary, seed))

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
        words = self.words.cpu()
        lengths = words.square().sum(1) / 2
        # A few pictures at a time: nearness to 500 words then stays in the cache.
        parts = [seen[start : start + 4] for start in range(0, len(seen), 4)]
        nearest = [(rooted(part) @ words.T - lengths).argmax(-1) for part in parts]  # (4, n, K)
        return torch.where(torch.from_numpy(seen.any(-1)), torch.cat(nearest), -1)


def centres(patches: NDArray[np.float32], k: int, seed: int) -> Tensor:
    """Return the middles (K, 128) of clusters of patches (P, 128), by scikit-learn's k-means."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fewer different patches than words: they are twins
        means = KMeans(k, init="random", n_init=1, max_iter=ROUNDS, random_state=seed)
        return torch.from_numpy(means.fit(patches).cluster_centers_.astype(np.float32))
