"""What a study will train: cells (settings that vary) times seeds, each row one recipe.

A plan is arithmetic: a million rows are counted without being made. Every cell is checked before
the first row is trained.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product
from typing import Any, Self

from opsin import plugins
from opsin.errors import InputError, RecipeError
from opsin.recipe import Recipe

Cell = dict[str, Any]  # a value for each field that varies

FIXED = {  # settings that a grid cannot vary, and why
    "seed": "seeds are varied in every study: give seeds = 5, or a list of them",
    "split": "rows are compared on the same pictures: one split for all, under [recipe]",
    "task": "rows are compared by one metric: one task for all, under [recipe]",
}
SEEDS = "seeds"  # in a cell picked by hand: no setting, but how often it is trained
SETTINGS = tuple(spec.name for spec in fields(Recipe))


@dataclass(frozen=True)
class Row:
    """Is one training: a cell and a seed, or what comes to the same, a recipe."""

    id: str
    cell: Cell
    seed: int
    recipe: Recipe

    @property
    def label(self) -> str:
        """Return what a person calls the row."""
        return f"{words(self.cell)} · seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """Holds a grid: the product of the values in ``grid``, and the cells picked by hand.

    A cell picked by hand may name, as its ``seeds``, how many of the seeds it gets, the first ones.

    >>> plan = Plan("t", "samples:digits", grid={"net": ("lenet5", "hog")}, seeds=(0, 1, 2))
    >>> len(plan), [row.label for row in plan.rows()][:2]
    (6, ['net=lenet5 · seed 0', 'net=hog · seed 0'])
    """

    name: str
    data: str
    root: str | None = None
    base: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    picked: tuple[Mapping[str, Any], ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    built_in: str | None = None  # the study whose ``finish`` comes after the rows
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # what values are called
    typed: tuple[str, ...] = ()  # words after ``opsin study`` that give this plan again

    def __len__(self) -> int:
        gridded = (self.settings - len(self.picked)) * len(self.seeds)
        return gridded + sum(len(seeds_of(cell, self.seeds)) for cell in self.picked)

    @property
    def settings(self) -> int:
        """Return how many cells there are."""
        gridded = math.prod(map(len, self.grid.values())) if self.grid else 0
        return gridded + len(self.picked) or 1

    @property
    def varied(self) -> tuple[str, ...]:
        """Return the fields that vary, those of the grid first."""
        named = [*self.grid, *(name for cell in self.picked for name in settings_of(cell))]
        return tuple(dict.fromkeys(named))

    @property
    def fields(self) -> dict[str, list[Any]]:
        """Return the values of each field that varies, in the order they were given.

        A field that goes with another one (epochs, where each net has its own) is left out.
        """
        usual = Recipe().to_dict() | dict(self.base)
        standing = {name: (usual[name],) for name in self.varied} if self.grid else {}
        given = standing | dict(self.grid)
        found: dict[str, list[Any]] = {name: list(given.get(name, ())) for name in self.varied}
        for cell in self.picked:
            for name, values in found.items():
                value = cell.get(name, usual[name])
                if value not in values:
                    values.append(value)
        if self.grid or not self.picked:
            return found
        cells = list(self.cells())
        for name in reversed(self.varied[1:]):
            others = [other for other in found if other != name]
            if any(_follows(cells, name, other) for other in others):
                del found[name]
        return found

    def cells(self, place: int = 0) -> Iterator[Cell]:
        """Yield every cell of the seed at ``place``, with a value for each field that varies."""
        varied, usual = self.varied, Recipe().to_dict() | dict(self.base)
        standing = {name: usual[name] for name in varied}
        if self.grid or not self.picked:
            for values in product(*self.grid.values()):
                yield standing | dict(zip(self.grid, values, strict=True))
        for cell in self.picked:
            if place < len(seeds_of(cell, self.seeds)):
                yield standing | settings_of(cell)

    def rows(self) -> Iterator[Row]:
        """Yield every row: all cells with the first seed, then with the second, and so on.

        A study that was ended early so has some seeds of every cell, not all of a few.
        """
        for place, seed in enumerate(self.seeds):
            for cell in self.cells(place):
                yield self.row(cell, seed)

    def row(self, cell: Cell, seed: int) -> Row:
        """Return a row; raise ``RecipeError`` for settings that contradict each other."""
        recipe = Recipe(**({"split": 0} | dict(self.base) | cell | {"seed": seed}))
        return Row(row_id(recipe, self.data), cell, seed, recipe)

    @property
    def timed(self) -> bool:
        """Say whether a clock decides what some rows learn."""
        return any(value is not None for value in self.fields.get("minutes", ())) or (
            self.base.get("minutes") is not None
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, from which ``from_dict`` makes the plan again."""
        return {
            "name": self.name,
            "data": self.data,
            "root": self.root,
            "base": dict(self.base),
            "fields": self.fields,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "picked": [dict(cell) for cell in self.picked],
            "seeds": list(self.seeds),
            "built_in": self.built_in,
            "labels": {name: dict(called) for name, called in self.labels.items()},
            "typed": list(self.typed),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Make the plan that ``to_dict`` described."""
        return cls(
            plain["name"],
            plain["data"],
            plain["root"],
            plain["base"],
            {name: tuple(values) for name, values in plain["grid"].items()},
            tuple(plain["picked"]),
            tuple(plain["seeds"]),
            plain["built_in"],
            plain.get("labels", {}),
            tuple(plain.get("typed", ())),
        )


def seeds_of(cell: Mapping[str, Any], seeds: Sequence[int]) -> Sequence[int]:
    """Return which of a study's seeds a cell picked by hand gets: all, or the first few.

    >>> seeds_of({"net": "hog"}, (4, 5, 6)), seeds_of({"net": "hog", "seeds": 2}, (4, 5, 6))
    ((4, 5, 6), (4, 5))
    """
    return seeds[: cell.get(SEEDS)]


def settings_of(cell: Mapping[str, Any]) -> Cell:
    """Return what a cell picked by hand sets: all but how often it is trained.

    >>> settings_of({"net": "hog", "seeds": 2})
    {'net': 'hog'}
    """
    return {name: value for name, value in cell.items() if name != SEEDS}


def _follows(cells: Sequence[Cell], name: str, other: str) -> bool:
    """Say whether the value of one field tells that of another in every cell.

    >>> cells = [{"net": "a", "epochs": 1}, {"net": "b", "epochs": 2}, {"net": "c", "epochs": 2}]
    >>> _follows(cells, "epochs", "net"), _follows(cells, "net", "epochs")
    (True, False)
    """
    pairs = {(str(cell[other]), str(cell[name])) for cell in cells}
    return len(pairs) == len({first for first, _ in pairs})


def row_id(recipe: Recipe, data: str) -> str:
    """Return 12 hex digits that stand for a recipe on a data set.

    Only what differs from the usual counts, so that ids outlive new settings.

    >>> row_id(Recipe(seed=1), "mnist")
    '5953916d66d6'
    """
    usual = Recipe().to_dict()
    changed = {name: value for name, value in recipe.to_dict().items() if value != usual[name]}
    plain = json.dumps([data, changed], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def words(cell: Mapping[str, Any]) -> str:
    """Return a cell as one says it.

    >>> words({"net": "lenet5", "epochs": 3}), words({})
    ('net=lenet5, epochs=3', 'one setting')
    """
    return ", ".join(f"{name}={value}" for name, value in cell.items()) or "one setting"


def preset_of(preset: str, known: Mapping[str, Any]) -> str:
    """Return a preset's name; raise ``InputError`` for one that a study does not have."""
    if preset not in known:
        raise InputError(
            f"preset={preset!r}",
            expected=f"one of {', '.join(known)}",
            remedy=plugins.meant(preset, list(known)),
        )
    return preset


def check_names(names: Sequence[str], *, varied: bool) -> None:
    """Raise ``RecipeError`` for a name that is no setting, or that a grid cannot vary."""
    for name in names:
        if name not in SETTINGS:
            raise RecipeError(
                f"the setting {name!r}",
                expected=f"one of {', '.join(SETTINGS)}",
                remedy=plugins.meant(name, SETTINGS),
            )
        if name == "seed" or (varied and name in FIXED):
            raise RecipeError(f"the setting {name!r}", expected=f"another: {FIXED[name]}")
