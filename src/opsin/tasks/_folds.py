"""Which samples stand aside together when a head is tried on what it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.int64]


def stratified(truth: Classes, folds: int, seed: int) -> Classes:
    """Return for each sample (N,) the fold 0..folds-1 that holds it out, classes spread evenly.

    A class with one sample has no head that could know it without it: its fold is ``folds``, which
    means that it is never held out.

    >>> sorted(stratified(np.array([0, 0, 1, 1, 2]), 2, seed=0).tolist())
    [0, 0, 1, 1, 2]
    """
    draws = np.random.default_rng((seed, 1))
    order = draws.permutation(len(truth))
    order = order[np.argsort(truth[order], kind="stable")]  # by class, shuffled within
    dealt = np.empty(len(truth), np.int64)
    # Dealt round without starting anew at each class, folds stay equal although classes are small.
    dealt[order] = np.arange(len(truth)) % folds
    alone = np.bincount(truth)[truth] == 1
    return np.where(alone, folds, dealt)


def thinned(truth: Classes, rows: int, classes: int, seed: int) -> Classes:
    """Return the indexes, ascending, of about ``rows`` samples of at most ``classes`` classes.

    Each class that is kept keeps its share, and at least two samples where it has them.

    >>> thinned(np.array([0] * 8 + [1] * 4), 6, 10, seed=0).size
    6
    """
    draws = np.random.default_rng((seed, 2))
    present = np.unique(truth)
    kept = draws.permutation(present)[:classes]
    chosen = draws.permutation(np.flatnonzero(np.isin(truth, kept)))
    share = min(1.0, rows / max(1, len(chosen)))
    chosen = chosen[np.argsort(truth[chosen], kind="stable")]
    counts = np.bincount(truth[chosen])
    place = np.arange(len(chosen)) - (np.cumsum(counts) - counts)[truth[chosen]]  # within its class
    wanted = np.maximum(2, np.round(counts * share))[truth[chosen]]
    return np.sort(chosen[place < wanted])
