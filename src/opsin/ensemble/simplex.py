"""The least of a convex function where numbers from 0 sum to 1: how much each of several counts.

Shapes: M numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

STEPS, INNER = 100, 20_000
REST = 1e-10  # of the function, by which the found point is above the least at most


def minimise(function: Callable[[Tensor], Tensor], m: int) -> Floats:
    """Return the M numbers, each 0 or more and 1 together, at which a convex function is least.

    Newton's method: the quadratic that fits the function at a point is minimised under the same
    bounds, and a step is taken towards that point, halved until the function falls enough (Nocedal
    & Wright, Numerical Optimization, 2006, chapter 18 and equation 3.4). It ends where the slope
    proves that no point is lower by more than ``REST``: for convex functions f(x) - f(y) is at most
    slope · (x - y) (Jaggi, Revisiting Frank-Wolfe, 2013, equation 2). Nothing is drawn at random.

    >>> far = torch.tensor([0.9, 0.3, -0.5], dtype=torch.float64)
    >>> minimise(lambda x: ((x - far) ** 2).sum(), 3).round(6).tolist()
    [0.8, 0.2, 0.0]
    """
    point = np.full(m, 1.0 / m)
    value, slope, bend = _looked(function, point)
    for _ in range(STEPS):
        if slope @ point - slope.min() <= REST * max(1.0, abs(value)):
            break
        way = _quadratic(slope, bend, point) - point
        falls, step = float(slope @ way), 1.0
        while step > 1e-10:
            lower = float(function(torch.from_numpy(point + step * way)))
            if lower <= value + 1e-4 * step * falls:
                break
            step /= 2
        else:  # rounding is all that is left to gain
            break
        point = np.maximum(point + step * way, 0.0)
        point /= point.sum()
        value, slope, bend = _looked(function, point)
    return point


def _looked(function: Callable[[Tensor], Tensor], point: Floats) -> tuple[float, Floats, Floats]:
    """Return value, slope (M,) and curvature (M, M) of a function at a point."""
    at = torch.from_numpy(point).requires_grad_()
    value = function(at)
    (slope,) = torch.autograd.grad(value, at)
    bend = torch.autograd.functional.hessian(function, at.detach())  # type: ignore[no-untyped-call]
    return float(value.detach()), slope.numpy(), np.asarray(bend)


def _quadratic(slope: Floats, bend: Floats, start: Floats) -> Floats:
    """Return where slope · (x - start) + (x - start) · bend · (x - start) / 2 is least.

    What counts moves from the number that gains most by falling to the one that gains most by
    rising, as far as that helps (Lacoste-Julien & Jaggi, On the Global Linear Convergence of
    Frank-Wolfe Optimization Variants, 2015, algorithm 2).
    """
    point, rises = start.copy(), slope.copy()
    for _ in range(INNER):
        up = int(rises.argmin())
        down = int(np.where(point > 0, rises, -np.inf).argmax())
        gain = rises[down] - rises[up]
        if gain <= 1e-15:
            break
        curve = bend[up, up] + bend[down, down] - 2 * bend[up, down]
        moved = min(point[down], gain / curve) if curve > 0 else point[down]
        if moved <= 0:
            break
        point[up] += moved
        point[down] = 0.0 if moved == point[down] else point[down] - moved
        rises += moved * (bend[:, up] - bend[:, down])
    return point
