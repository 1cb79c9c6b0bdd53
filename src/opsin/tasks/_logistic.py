"""Multinomial logistic regression on fixed features, its strength chosen by cross-validation.

All folds and the fit on all samples are columns of one problem, descended together, so that one
matrix product serves them all; each strength starts from the end of the stronger one before it.

Shapes: N samples, F features (F + 1 with the constant), K classes, P = folds + 1 problems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from opsin.tasks._folds import stratified, thinned
from opsin.tasks._lbfgs import alone, descend
from opsin.tasks._task import Head

FOLDS = 5
# C as in scikit-learn: it weighs the sum of losses against half the squared weights.
STRENGTHS = tuple(10.0 ** (step / 2) for step in range(-7, 3))
GAIN = 1e-3  # nats of held-out log loss a weaker ridge must win to be worth its trouble
COMMON = 1e-2  # where no class has two samples to choose by
WORK = 5e8  # N F K P up to which strengths are compared on all samples
WIDE = 100  # classes they are compared on at most
HEAVY = 5e9  # N F K P beyond which two folds must do
CELLS = 4_000_000  # outputs computed at once


def solve(
    features: NDArray[np.float32],
    truth: NDArray[np.int64],
    *,
    k: int,
    seed: int,
    weights: NDArray[np.float32] | None = None,
) -> Head:
    """Return the head that fits features (N, F) to classes ``truth`` (N,) in 0..k-1 best.

    ``weights`` (N,), 1 on average, say how much each sample counts, both in the fit and in the
    choice of the strength. Many samples or classes are thinned out for that choice; the head itself
    and the outputs of the folds are always fitted on all of them.
    """
    counts = torch.ones(len(truth)) if weights is None else torch.from_numpy(weights)  # (N,)
    centre, spread = scale(features)
    inputs = torch.from_numpy((features - centre) / spread)  # (N, F)
    inputs = functional.pad(inputs, (0, 1), value=1.0)  # (N, F + 1)
    work = float(inputs.numel()) * k
    folds = FOLDS if work * (FOLDS + 1) <= HEAVY else 2
    problem = _Problem.of(inputs, truth, counts, k=k, folds=folds, seed=seed)
    if work * (FOLDS + 1) <= WORK:
        with alone():
            chosen = _choose(problem, STRENGTHS)
    else:
        some = thinned(truth, int(WORK / inputs.shape[1] / min(k, WIDE) / 6), WIDE, seed)
        present, renamed = np.unique(truth[some], return_inverse=True)
        few, k = renamed.reshape(-1), len(present)
        trial = _Problem.of(inputs[some], few, counts[some], k=k, folds=FOLDS, seed=seed)
        chosen = _choose(problem, [_choose(trial, STRENGTHS).strength])
    weight = chosen.point[:-1, -1].T.numpy() / spread  # (K, F)
    bias = chosen.point[-1, -1].numpy() - weight @ centre
    note = f"logistic regression, C={chosen.strength:.2g} of {folds}-fold cross-validation"
    return Head(weight.astype(np.float32), bias.astype(np.float32), chosen.outputs.numpy(), note)


def scale(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and standard deviation (F,) of features; a constant one is left unscaled."""
    centre = features.mean(axis=0, dtype=np.float64)
    spread = features.std(axis=0, dtype=np.float64)
    # Rounding alone gives a constant of 3.7 a spread of 1e-7: that is no signal to blow up.
    spread = np.where(spread > 1e-5 * np.abs(centre) + 1e-12, spread, 1.0)
    return centre.astype(np.float32), spread.astype(np.float32)


@dataclass(frozen=True)
class _Problem:
    """Is P fits at once: ``shares`` (N, P) weigh each sample in each, and sum to 1 in each."""

    inputs: Tensor  # (N, F + 1)
    truth: Tensor  # (N,)
    counts: Tensor  # (N,): how much each sample counts
    totals: Tensor  # (P,): how much all that a fit has seen count
    shares: Tensor  # (N, P)
    fold: Tensor  # (N,): the problem that has not seen the sample
    k: int

    @classmethod
    def of(
        cls,
        inputs: Tensor,
        truth: NDArray[np.int64],
        counts: Tensor,
        *,
        k: int,
        folds: int,
        seed: int,
    ) -> _Problem:
        """Make the problem of some folds, and last the fit on all samples."""
        fold = torch.from_numpy(stratified(truth, folds, seed))
        seen = (fold[:, None] != torch.arange(folds + 1)).float()  # (N, P)
        seen[:, folds] = 1.0
        seen *= counts[:, None]
        totals = seen.sum(0)
        # A fold that holds out everything (two samples, two folds) is empty: divide by 1.
        totals = torch.where(totals > 0, totals, 1.0)
        return cls(inputs, torch.from_numpy(truth), counts, totals, seen / totals, fold, k)

    @property
    def start(self) -> Tensor:
        """Return weights of zero, (F + 1, P, K)."""
        return torch.zeros(self.inputs.shape[1], self.shares.shape[1], self.k)

    def ridge(self, strength: float) -> Tensor:
        """Return what each weight's square costs, (F + 1, P, 1); the constant is free."""
        cost = (1 / (self.totals * strength)).expand(self.inputs.shape[1], -1).clone()
        cost[-1] = 0
        return cost[:, :, None]

    def slope(self, point: Tensor, ridge: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss (P,) and gradient (F + 1, P, K) at a point."""
        width, p, k = point.shape
        flat = point.view(width, p * k)
        loss = 0.5 * (ridge * point * point).sum((0, 2))
        gradient = (ridge * point).view(width, p * k)
        rows = max(1, CELLS // (p * k))
        for start in range(0, len(self.inputs), rows):
            part = slice(start, start + rows)
            inputs, shares, truth = self.inputs[part], self.shares[part], self.truth[part]
            logits = (inputs @ flat).view(-1, p, k)  # (n, P, K)
            place = truth[:, None, None].expand(-1, p, 1)
            total = logits.logsumexp(2)  # (n, P)
            loss += ((total - logits.gather(2, place)[..., 0]) * shares).sum(0)
            chances = logits.sub_(total[..., None]).exp_()
            chances.scatter_add_(2, place, torch.full_like(place, -1, dtype=chances.dtype))
            chances *= shares[..., None]
            gradient.addmm_(inputs.T, chances.view(-1, p * k))
        return loss, gradient.view(width, p, k)

    def outputs(self, point: Tensor) -> Tensor:
        """Return for each sample the outputs of the fit that has not seen it, (N, K)."""
        found = torch.empty(len(self.inputs), self.k)
        for p in range(point.shape[1]):
            mine = self.fold == p
            found[mine] = self.inputs[mine] @ point[:, p]
        return found


@dataclass(frozen=True)
class _Chosen:
    """Is the best point of a path, with the outputs of its folds."""

    point: Tensor
    outputs: Tensor
    strength: float
    loss: float


def _choose(problem: _Problem, strengths: Sequence[float]) -> _Chosen:
    """Return the fit with the least log loss on held-out samples, from strong to weak ridge.

    Stops at the first strength that gains nothing on the one before: the loss has one valley.
    """
    judged = problem.fold < problem.shares.shape[1] - 1
    if not judged.any():
        strengths = [COMMON]
    point, best, counts = problem.start, None, problem.counts * judged
    for strength in strengths:
        point = descend(problem, point, problem.ridge(strength))
        outputs = problem.outputs(point)
        costs = functional.cross_entropy(outputs, problem.truth, reduction="none")  # (N,)
        loss = float((costs * counts).sum() / counts.sum().clamp_min(1e-12))
        if best is not None and loss > best.loss - GAIN:
            break
        best = _Chosen(point, outputs, strength, loss)
    assert best is not None
    return best
