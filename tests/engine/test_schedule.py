"""The course of the rate: cycles beside the formula of the paper."""

from __future__ import annotations

import math

import pytest

from opsin.engine.schedule import ends, factor
from opsin.errors import RecipeError
from opsin.recipe import Recipe


@pytest.mark.parametrize(("total", "cycles"), [(60, 6), (300, 6), (50, 1), (40, 40)])
def test_cycles_are_those_of_snapshot_ensembles(total: int, cycles: int) -> None:
    """Huang et al., 2017, equation 2; where cycles are of one length, they are exactly these."""
    length = math.ceil(total / cycles)
    for step in range(total):
        wanted = (math.cos(math.pi * (step % length) / length) + 1) / 2
        found = factor(step, total, schedule="cyclic", warmup=0.0, cycles=cycles)
        assert found == pytest.approx(wanted)


@pytest.mark.parametrize(("total", "cycles", "warmup"), [(100, 3, 0.1), (37, 5, 0.2), (4, 9, 0.5)])
def test_each_cycle_begins_at_the_top_and_ends_low(total: int, cycles: int, warmup: float) -> None:
    last = ends(total, cycles, warmup=warmup)
    assert last[-1] == total and len(last) <= cycles
    rates = [
        factor(step, total, schedule="cyclic", warmup=warmup, cycles=cycles)
        for step in range(total)
    ]
    for end in last[:-1]:
        assert rates[end] == 1.0 and rates[end - 1] <= 1.0
    assert all(0 < rate <= 1 for rate in rates)


def test_cycles_must_be_counted() -> None:
    with pytest.raises(RecipeError, match="--snapshots 5"):
        Recipe(schedule="cyclic")
    assert Recipe(schedule="cyclic", snapshots=3).to_dict()["snapshots"] == 3
