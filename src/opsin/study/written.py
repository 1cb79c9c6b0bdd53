"""A plan that a person wrote down: one TOML file.

    name = "which net"                  # else the file's name
    data = "photos/"                    # a path (from the file's folder), or a named set
    seeds = 5                           # or a list of seeds
    [recipe]                            # settings in common
    epochs = 10
    [grid]                              # every combination of these is a cell
    net = ["lenet5", "network3"]
    augment = ["none", "rotate 15"]
    [[cells]]                           # and these by hand
    net = "resnet18"
    size = 64
    seeds = 3                           # the first three alone, where a cell takes long

Every error names the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsin import plugins
from opsin.engine import policies
from opsin.errors import InputError, RecipeError
from opsin.recipe import Recipe
from opsin.study.plan import SEEDS, Plan, check_names, settings_of
from opsin.training.choice import check_words

KNOWN = ("name", "data", "root", "seeds", "recipe", "grid", "cells")
LARGEST = 1 << 20  # bytes
MOST_SEEDS = 10_000


def read(path: Path, root: str | Path | None = None) -> Plan:
    """Read a plan; raise ``RecipeError`` with the line of whatever is wrong in it."""
    page = _Page(path, _text(path))
    try:
        plain = tomllib.loads(page.text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}", expected="a TOML file") from error
    for name in plain:
        if name not in KNOWN:
            raise RecipeError(
                f"{page.at('', name)}: {name!r}",
                expected=f"one of {', '.join(KNOWN)}",
                remedy=plugins.meant(name, KNOWN) or "Settings stand under [recipe] or [grid].",
            )
    if "data" not in plain:
        raise RecipeError(f"{path} without data", expected="a line such as data = 'photos/'")
    here, seeds = path.parent, _seeds(page, plain.get("seeds", 5))
    plan = Plan(
        name=_word(page, plain, "name", path.stem),
        data=_placed(here, _word(page, plain, "data", "")),
        root=_root(page, plain, here, root),
        base=_base(page, plain.get("recipe", {})),
        grid=_grid(page, plain.get("grid", {})),
        picked=_picked(page, plain.get("cells", []), len(seeds)),
        seeds=seeds,
    )
    _distinct(page, plan)
    _meaningful(page, plan)
    return plan


@dataclass(frozen=True)
class _Page:
    """Is the text of a plan, to find lines in."""

    path: Path
    text: str

    def at(self, section: str, name: str) -> str:
        """Return file and line of a name in a section; the file alone where it is not found."""
        inside, plain = "", re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.]""")
        whole = re.compile(rf"\s*\[\[?\s*{re.escape(name)}\s*\]")
        dotted = re.compile(rf"\s*{re.escape(section)}\s*\.\s*{re.escape(name)}\s*=")
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line):
                inside = header[1]
            own = inside == section and plain.match(line)
            if own or (not section and whole.match(line)) or (section and dotted.match(line)):
                return f"{self.path}, line {number}"
        return str(self.path)

    @contextmanager
    def naming(self, section: str, name: str) -> Iterator[None]:
        """Put file and line in front of what is received wrongly."""
        try:
            yield
        except InputError as error:
            raise RecipeError(
                f"{self.at(section, name)}: {error.received}",
                expected=error.expected,
                remedy=error.remedy,
            ) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise RecipeError(f"{path} of more than {LARGEST:,} bytes", expected="a plan")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"{path} ({error})", expected="a TOML file that says what to study"
        ) from error


def _word(page: _Page, plain: Mapping[str, Any], name: str, usual: str) -> str:
    value = plain.get(name, usual)
    if not isinstance(value, str) or not value:
        raise RecipeError(f"{page.at('', name)}: {name} = {value!r}", expected="a word")
    return value


def _placed(here: Path, text: str) -> str:
    """Return a path from the file's folder, where there is one; else the text as it is."""
    path = here / Path(text).expanduser()
    return str(path.resolve()) if path.exists() else text


def _root(page: _Page, plain: Mapping[str, Any], here: Path, root: str | Path | None) -> str | None:
    if root is not None:
        return str(Path(root).expanduser().resolve())
    return _placed(here, _word(page, plain, "root", "")) if "root" in plain else None


def _table(page: _Page, plain: Any, section: str) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise RecipeError(f"{page.at('', section)}: {plain!r}", expected=f"a table [{section}]")
    for name in plain:
        with page.naming(section, name):
            check_names([name], varied=section != "recipe")
    return plain


def _base(page: _Page, plain: Any) -> dict[str, Any]:
    """Return the settings in common, each checked by itself."""
    table = _table(page, plain, "recipe")
    for name, value in table.items():
        with page.naming("recipe", name):
            Recipe.from_dict({name: value})
    return table


def _grid(page: _Page, plain: Any) -> dict[str, tuple[Any, ...]]:
    """Return the values of each field, each checked by itself."""
    table = _table(page, plain, "grid")
    for name, values in table.items():
        with page.naming("grid", name):
            if not isinstance(values, list) or not values:
                raise RecipeError(
                    f"{name} = {values!r}",
                    expected="a list of values",
                    remedy=f"Write {name} = [{values!r}, ...]." if values != [] else "",
                )
            for place, value in enumerate(values):
                Recipe.from_dict({name: value})
                if value in values[:place]:
                    raise RecipeError(f"{name} = {value!r} twice", expected="each value once")
    return {name: tuple(values) for name, values in table.items()}


def _picked(page: _Page, plain: Any, many: int) -> tuple[dict[str, Any], ...]:
    """Return the cells picked by hand, each trained with at most ``many`` seeds."""
    if not isinstance(plain, list) or not all(isinstance(cell, dict) for cell in plain):
        raise RecipeError(
            f"{page.at('', 'cells')}: {plain!r}", expected="tables, each under [[cells]]"
        )
    for number, cell in enumerate(plain, 1):
        settings = settings_of(cell)
        if not settings:
            raise RecipeError(f"{page.path}: cell {number} without a setting", expected="some")
        _table(page, settings, "cells")
        if SEEDS in cell:
            _fewer(page, cell[SEEDS], many)
        for name, value in settings.items():
            with page.naming("cells", name):
                Recipe.from_dict({name: value})
    return tuple(plain)


def _fewer(page: _Page, seeds: Any, many: int) -> None:
    """Raise for a cell's own number of seeds that is none of 1 to ``many``."""
    with page.naming("cells", SEEDS):
        if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= many:
            raise RecipeError(
                f"seeds = {seeds!r} of a cell",
                expected=f"how many of the study's seeds it gets: 1 to {many:,}",
            )


def _seeds(page: _Page, plain: Any) -> tuple[int, ...]:
    """Return the seeds: as many as a number says, from 0 on, or those of a list."""
    whole = isinstance(plain, int) and not isinstance(plain, bool)
    seeds = list(range(min(plain, MOST_SEEDS + 1))) if whole else plain
    with page.naming("", "seeds"):
        if not isinstance(seeds, list) or not 0 < len(seeds) <= MOST_SEEDS:
            raise RecipeError(
                f"seeds = {plain!r}", expected=f"a number from 1 to {MOST_SEEDS:,}, or a list"
            )
        for place, seed in enumerate(seeds):
            if isinstance(seed, float):
                raise RecipeError(f"the seed {seed!r}", expected="a whole number")
            Recipe.from_dict({"seed": seed})
            if seed in seeds[:place]:
                raise RecipeError(f"the seed {seed} twice", expected="each seed once")
    return tuple(seeds)


def _meaningful(page: _Page, plan: Plan) -> None:
    """Raise where a value is a word that names nothing, each looked at by itself.

    What depends on the other settings is looked at when the cells are made.
    """
    values = [("recipe", name, value) for name, value in plan.base.items()]
    values += [("grid", name, value) for name, many in plan.grid.items() for value in many]
    for cell in plan.picked:
        values += [("cells", name, value) for name, value in settings_of(cell).items()]
    for section, name, value in values:
        with page.naming(section, name):
            if name == "policy":  # some fit some nets alone
                policies.find(value)
            elif isinstance(value, str):
                check_words(Recipe.from_dict({name: value}))


def _distinct(page: _Page, plan: Plan) -> None:
    """Raise where a cell picked by hand is in the grid, or is picked twice."""
    if not plan.picked:
        return
    usual = Recipe().to_dict() | dict(plan.base)
    standing = {name: usual[name] for name in plan.varied}
    seen: list[dict[str, Any]] = []
    for number, cell in enumerate(plan.picked, 1):
        full = standing | settings_of(cell)
        gridded = bool(plan.grid) and all(
            full[name] in plan.grid.get(name, (standing[name],)) for name in plan.varied
        )
        if gridded or full in seen:
            raise RecipeError(
                f"{page.path}: cell {number} under [[cells]], which is there already",
                expected="each combination once",
                remedy="Take it out: a cell takes [recipe]'s value where it gives none.",
            )
        seen.append(full)
