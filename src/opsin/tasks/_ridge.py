"""Ridge regression on fixed features, all strengths at once, each sample judged without itself.

With the features' eigenvectors known, the fit of every strength is a division, and so is what a fit
without one sample would have said of it (Hastie, Tibshirani & Friedman, The Elements of Statistical
Learning, 2009, section 3.4.1 and equation 7.64).

Shapes: N samples, F features, R rank, S strengths.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opsin.tasks._logistic import scale
from opsin.tasks._task import Head

STRENGTHS = tuple(10.0 ** (step / 4) for step in range(-16, 17))  # times N
ROWS = 8192  # samples turned into float64 at once
DIM = 1e-9  # eigenvalues below this share of the largest are rounding


def solve(features: NDArray[np.float32], target: NDArray[np.float64]) -> Head:
    """Return the head that fits features (N, F) to numbers (N,) with the least absolute error."""
    centre, spread = scale(features)
    inputs = torch.from_numpy((features - centre) / spread)  # (N, F)
    n = len(inputs)
    middle = float(target.mean())
    wanted = torch.from_numpy(target - middle)  # (N,)
    values, directions = _eigen(inputs)  # (R,), (F, R)
    seen = torch.cat([part.double() @ directions for part in _parts(inputs)])  # (N, R)
    pull = seen.T @ wanted  # (R,)
    strengths = n * torch.tensor(STRENGTHS, dtype=torch.float64)
    shrunk = 1 / (values[:, None] + strengths)  # (R, S)
    missed = wanted[:, None] - seen @ (pull[:, None] * shrunk)  # (N, S)
    lever = 1 / n + seen.square() @ shrunk  # (N, S), what a sample adds to its own fit
    alone = missed / (1 - lever).clamp_min(1e-9)
    best = int(alone.abs().mean(0).argmin())
    weight = ((directions @ (pull * shrunk[:, best])).numpy() / spread)[None]  # (1, F)
    bias = middle - weight @ centre.astype(np.float64)
    outputs = (target - alone[:, best].numpy())[:, None].astype(np.float32)
    note = f"ridge regression, strength {STRENGTHS[best]:.2g} by leave-one-out"
    return Head(weight.astype(np.float32), bias.astype(np.float32), outputs, note)


def _eigen(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (R,) and eigenvectors (F, R) of inputs' (N, F) scatter matrix.

    Of samples and features the fewer decide the size of the matrix that is decomposed.
    """
    n, f = inputs.shape
    if n < f:
        rows = inputs.double()
        values, vectors = torch.linalg.eigh(rows @ rows.T)
        kept = values > DIM * values[-1].clamp_min(1e-300)
        return values[kept], rows.T @ vectors[:, kept] / values[kept].sqrt()
    scatter = torch.zeros(f, f, dtype=torch.float64)
    for part in _parts(inputs):
        scatter += part.double().T @ part.double()
    values, vectors = torch.linalg.eigh(scatter)
    kept = values > DIM * values[-1].clamp_min(1e-300)
    return values[kept], vectors[:, kept]


def _parts(inputs: Tensor) -> list[Tensor]:
    """Return inputs (N, F) in blocks of rows, so that no copy in float64 is large."""
    return [inputs[start : start + ROWS] for start in range(0, len(inputs), ROWS)]
