"""The course of the learning rate over a run, as a factor on the highest rate."""

from __future__ import annotations

import math


def factor(
    step: int, total: int, *, schedule: str = "cosine", warmup: float = 0.1, cycles: int = 1
) -> float:
    """Return the factor in 0..1 for ``step`` of ``total`` steps.

    The rate rises linearly over the first ``warmup`` share, then stays (``flat``), falls to a tenth
    at half and a hundredth at three quarters of what is left (``step``), or follows half a cosine
    down to nearly zero (``cosine``: Loshchilov & Hutter, SGDR, 2017, eq. 5, one cycle), or as many
    of them as there are ``cycles``, each beginning at the top (``cyclic``: Huang et al., Snapshot
    Ensembles, 2017, eq. 2).

    >>> [round(factor(step, 10, warmup=0.2), 2) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.04]
    >>> [factor(step, 8, schedule="step", warmup=0) for step in (0, 4, 6)]
    [1.0, 0.1, 0.01]
    >>> [round(factor(n, 6, schedule="cyclic", warmup=0, cycles=2), 2) for n in range(6)]
    [1.0, 0.75, 0.25, 1.0, 0.75, 0.25]
    """
    rising = math.ceil(total * warmup)
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    if schedule == "flat":
        return 1.0
    if schedule == "step":
        return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01
    if schedule == "cyclic":
        first, *rest = (0, *ends(total, cycles, warmup=warmup))
        for last in rest:  # in steps, so that a cycle begins at the very top
            if step < last:
                begin = max(first, rising)
                done = (step - begin) / (last - begin)
                break
            first = last
    return 0.5 * (1 + math.cos(math.pi * done))


def ends(total: int, cycles: int, *, warmup: float = 0.1) -> tuple[int, ...]:
    """Return after how many steps each of the equal ``cycles`` ends; the first holds the warm-up.

    Where there are fewer steps than cycles, there is a cycle a step.

    >>> ends(10, 4, warmup=0.2), ends(2, 3, warmup=0)
    ((4, 6, 8, 10), (1, 2))
    """
    rising = math.ceil(total * warmup)
    left = total - rising
    return tuple(sorted({rising + -(-n * left // cycles) for n in range(1, cycles + 1)}))
