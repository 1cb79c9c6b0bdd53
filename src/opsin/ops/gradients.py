"""Holds the gradient that a module computes against the slope of its loss, measured by moving it.

The numerical gradient is approximate, slow and easy to write; the analytic one is exact, fast and
easy to get wrong. So a module learns by the second and is checked by the first (LeCun, Bottou, Orr
& Müller, Efficient BackProp, 1998; the lectures' "gradient check").

Shapes: P numbers in a tensor, of which some are looked at one by one and all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from opsin.errors import InputError
from opsin.ops._doubled import analytic, doubled
from opsin.ops._measured import Direction, Function, Slopes, undisturbed

FINER = 10  # so much finer is each of two more steps, taken where the first is in doubt
SPARE = 4  # times as many entries are looked at where some stand at kinks


@dataclass(frozen=True)
class Row:
    """Is what was found for one parameter or input; ``index`` is its worst entry."""

    name: str
    shape: tuple[int, ...]
    checked: int  # entries judged
    kinks: int  # entries not judged: the loss has no slope there
    error: float  # the worst relative error, 0..2, infinite where a gradient is not finite
    index: tuple[int, ...]
    analytic: float
    numerical: float

    @property
    def entry(self) -> str:
        """Return the worst entry as one would write it: ``fc.weight[2, 0]``."""
        return f"{self.name}[{', '.join(map(str, self.index))}]" if self.shape else self.name


@dataclass(frozen=True)
class GradientCheck:
    """Holds what ``gradient_check`` found: a row for each parameter and input; as text, a table."""

    rows: tuple[Row, ...]
    tolerance: float

    @property
    def worst(self) -> Row:
        """Return the row with the largest error."""
        return max(self.rows, key=lambda row: row.error)

    @property
    def error(self) -> float:
        """Return the largest relative error."""
        return self.worst.error

    @property
    def ok(self) -> bool:
        """Return whether every row is right, and could be judged at all."""
        return self.error <= self.tolerance and all(row.checked for row in self.rows)

    def __str__(self) -> str:
        told = [("", "shape", "checked", "kinks", "error", "analytic", "numerical")]
        for row in self.rows:
            shape = "×".join(map(str, row.shape)) or "number"
            slopes = f"{row.analytic:.6g}", f"{row.numerical:.6g}"
            told.append(
                (row.entry, shape, f"{row.checked}", f"{row.kinks}", f"{row.error:.1e}", *slopes)
            )
        wide = [max(map(len, column)) for column in zip(*told, strict=True)]
        lines = [
            "  ".join([line[0].ljust(wide[0]), *map(str.rjust, line[1:], wide[1:])])
            for line in told
        ]
        return "\n".join([self._verdict(), *(line.rstrip() for line in lines)])

    def _verdict(self) -> str:
        if self.error > self.tolerance:
            said = f"wrong gradient at {self.worst.entry}"
        elif unseen := [row.name for row in self.rows if not row.checked]:
            return (
                f"not judged, for the loss has kinks there: {', '.join(unseen)}. Weights that "
                "start at 0 stand at kinks: draw them, or train a few steps."
            )
        else:
            said = f"gradients are right; worst at {self.worst.entry}"
        return f"{said}: relative error {self.error:.1e}, tolerance {self.tolerance:.0e}"


def gradient_check(
    module: nn.Module,
    loss: Callable[[Any], Tensor],
    *inputs: Any,
    entries: int = 8,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of ``loss(module(*inputs))`` with its slope, measured in float64.

    Every parameter that learns and every float tensor among the inputs is looked at: ``entries`` of
    its numbers, drawn by ``seed``, one by one, and all together along one drawn direction, which
    leads to a wrong one that was not drawn. That takes 2 · ``entries`` + 2 forward passes each.

    The relative error of an entry is |a − n| / max(|a|, |n|, r), where r is what rounding lets one
    measure at this tolerance. Where a ReLU or a max-pooling has a kink, the slopes to both sides
    differ however small the step, and the entry is counted as a kink, not as an error.

    Works on a copy in float64: the module keeps its numbers, its running means and its mode, in
    which it is checked. Dropout drops the same each time; other inputs (whole numbers, masks, None)
    are handed on as they are. Raises ``InputError`` for a module or a loss that cannot be checked:
    without weights, drawing by other generators, in lower precision inside, no single number.

    >>> net = nn.Linear(2, 1)
    >>> check = gradient_check(net, lambda y: y.square().sum(), torch.ones(3, 2))
    >>> check.ok, [row.name for row in check.rows]
    (True, ['weight', 'bias', 'input 0'])
    """
    _hold_to_ranges(entries=entries, step=step, tolerance=tolerance)
    function, leaves = doubled(module, loss, inputs, seed)
    with undisturbed(function.devices):
        gradients = analytic(function, leaves)
        flats = {name: leaf.data.view(-1) for name, leaf in leaves.items()}
        function.listen(list(flats.values()))
        look = _Look(function, entries, step, tolerance, seed)
        rows = [
            look.row(name, leaf, gradients[name].reshape(-1), number)
            for number, (name, leaf) in enumerate(leaves.items())
        ]
    return GradientCheck(tuple(rows), tolerance)


def _hold_to_ranges(*, entries: int, step: float, tolerance: float) -> None:
    """Raise ``InputError`` for a number that nothing could be found with."""
    ranges = {"entries": (entries, 1, 1e9), "step": (step, 1e-9, 1e-2)}
    for name, (value, least, most) in (ranges | {"tolerance": (tolerance, 1e-12, 1)}).items():
        if not least <= value <= most:
            raise InputError(f"{name}={value!r}", expected=f"{least:g} to {most:g}")


class _Entry(NamedTuple):
    """Is what was found for one number; the worst comes last in order."""

    error: float
    flat: int  # its index
    numerical: float
    kink: bool = False


class _Look:
    """Judges the gradients of one function, tensor after tensor."""

    def __init__(
        self, function: Function, entries: int, step: float, tolerance: float, seed: int
    ) -> None:
        self.function, self.entries, self.step = function, entries, step
        self.tolerance, self.seed = tolerance, seed

    def row(self, name: str, leaf: Tensor, gradient: Tensor, number: int) -> Row:
        """Return what was found for one tensor; ``number`` is its place, which its draws follow."""
        flat, draws = leaf.data.view(-1), np.random.default_rng((self.seed, number))
        found: list[_Entry] = []
        for index in draws.choice(len(flat), min(len(flat), SPARE * self.entries), replace=False):
            if sum(not each.kink for each in found) < self.entries:  # a kink: take another
                found.append(self._entry(flat, gradient, int(index)))
        if len(found) < len(flat) and not any(each.error > self.tolerance for each in found):
            found.extend(self._hunted(flat, gradient, draws))
        judged = [each for each in found if not each.kink]
        worst = max(judged or found)
        place = tuple(int(i) for i in np.unravel_index(worst.flat, leaf.shape))
        return Row(
            name,
            tuple(leaf.shape),
            checked=len(judged),
            kinks=len(found) - len(judged),
            error=worst.error if judged else 0.0,
            index=place,
            analytic=float(gradient[worst.flat]),
            numerical=worst.numerical,
        )

    def _entry(self, flat: Tensor, gradient: Tensor, index: int) -> _Entry:
        """Return what is found when one number alone moves."""
        way = _together(index, index + 1, torch.ones_like(flat[:1]))
        return self._judged(flat, way, float(gradient[index]))

    def _judged(self, flat: Tensor, way: Direction, slope: float, least: float = 0.0) -> _Entry:
        """Hold a computed slope against the measured one along a direction.

        What a kink beside the point or a strong bend spoils, a finer step mends. At a kink right
        here the slopes of the two sides differ as much however fine the step is; where the loss
        only bends, they differ in proportion to it.
        """
        index = int(way.place.start)
        wide = self.function.slopes(flat, way, self.step)
        error, off = self._error(slope, wide, least)
        if error <= self.tolerance or not math.isfinite(error):
            return _Entry(error, index, wide.both)
        for finer in (FINER, FINER**2):
            fine = self.function.slopes(flat, way, self.step / finer)
            second, left = self._error(slope, fine, least)
            if second <= self.tolerance and left < off / FINER:
                return _Entry(second, index, fine.both)
        certain = max(2 * fine.doubt, self.tolerance * max(abs(slope), abs(fine.both)))
        kink = fine.jump > max(certain, wide.jump / FINER)
        return _Entry(error, index, wide.both, kink)

    def _error(self, slope: float, seen: Slopes, least: float) -> tuple[float, float]:
        """Return how far a computed slope is from a measured one, relative and absolute."""
        off = abs(slope - seen.both)
        if not math.isfinite(off):
            return math.inf, off
        scale = max(abs(slope), abs(seen.both), least, seen.doubt / self.tolerance)
        return (off / scale if off else 0.0), off

    def _hunted(
        self, flat: Tensor, gradient: Tensor, draws: np.random.Generator
    ) -> Iterator[_Entry]:
        """Yield a wrong entry, if moving all together shows that there is one: half after half."""
        size = len(flat)
        bits = np.unpackbits(np.frombuffer(draws.bytes(-(-size // 8)), np.uint8), count=size)
        signs = torch.from_numpy(bits).to(flat).mul_(2).sub_(1)
        whole = _together(0, size, signs)
        typical = float(gradient.norm()) / math.sqrt(size)
        found = self._judged(flat, whole, float(gradient @ whole.share), typical)
        if found.kink or found.error <= self.tolerance:
            return
        start, stop = 0, size
        while stop - start > 1:
            middle = (start + stop) // 2
            first = self._off(flat, gradient, _together(start, middle, signs[start:middle]))
            second = self._off(flat, gradient, _together(middle, stop, signs[middle:stop]))
            start, stop = (middle, stop) if first < second else (start, middle)
        yield self._entry(flat, gradient, start)

    def _off(self, flat: Tensor, gradient: Tensor, way: Direction) -> float:
        """Return by how much the numbers of a direction are off in sum."""
        slope = float(gradient[way.place] @ way.share)
        off = abs(slope - self.function.slopes(flat, way, self.step).both)
        return off * math.sqrt(len(way.share))


def _together(start: int, stop: int, signs: Tensor) -> Direction:
    """Return the direction in which numbers from ``start`` to ``stop`` move by as much each."""
    return Direction(slice(start, stop), signs / math.sqrt(stop - start))
