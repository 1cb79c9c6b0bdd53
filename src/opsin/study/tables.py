"""A study's folder as rows, and rows as a table of settings: means over seeds with their interval.

Nothing here trains; what was measured is read from ``study.json`` and ``rows.jsonl``.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.metrics.means import deviation, mean
from opsin.recipe import Recipe
from opsin.report.study_story import Cell, Missing, Setting

MOST = 100_000  # settings x seeds up to which those that were not run are named


@dataclass(frozen=True, slots=True)
class Row:
    """Is one training: a setting with a seed, what it reached and what it took.

    ``scores`` maps "validation" and "test" to the study's metric; ``curve`` lists (epoch, seconds,
    validation score).
    """

    id: str
    setting: Setting
    seed: int
    reason: str  # why it failed, "" where it did not
    scores: Mapping[str, float]
    pictures: Mapping[str, int]
    seconds: float
    images: int
    curve: tuple[tuple[float, float, float], ...]
    folder: str


@dataclass(frozen=True)
class Study:
    """Holds what was asked (``about``, as in study.json) and every row that ended, in grid order.

    ``sign`` is 1 where more of the metric is better and -1 where less is.
    """

    folder: Path
    about: Mapping[str, Any]
    fields: Mapping[str, tuple[str, ...]]
    rows: tuple[Row, ...]

    @property
    def metric(self) -> str:
        """Return the name of what was measured."""
        return str(self.about.get("metric", "accuracy"))

    @property
    def sign(self) -> int:
        """Return 1 where more of the metric is better, -1 where less is."""
        return -1 if self.about.get("sign", 1) < 0 else 1

    @property
    def split(self) -> str:
        """Return which pictures the table is about: test ones if every row was measured there."""
        asked = all("test" in row.scores for row in self.done)
        return "test" if asked and self.done else "validation"

    @property
    def done(self) -> tuple[Row, ...]:
        """Return the rows that have a score."""
        return tuple(row for row in self.rows if not row.reason)

    @property
    def failed(self) -> tuple[Row, ...]:
        """Return the rows that ended without one."""
        return tuple(row for row in self.rows if row.reason)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds that were asked for."""
        return tuple(int(seed) for seed in self.about.get("seeds", ()))

    def settings(self) -> Iterator[Setting]:
        """Give every setting that was asked for, in order: the grid, then those picked by hand.

        A setting takes the value of the recipe in common where it gives none of its own.
        """
        grid = dict(self.about.get("grid") or {})
        picked = list(self.about.get("picked") or ())
        usual = Recipe().to_dict() | dict(self.about.get("base") or {})
        standing = {name: usual.get(name) for name in self.fields}
        if not grid and not picked:
            grid = dict(self.about.get("fields") or {})
        cells = (
            dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
        )
        for cell in itertools.chain(cells if grid or not picked else (), picked):
            full = standing | cell
            yield tuple((name, told(full[name])) for name in self.fields)

    @property
    def asked(self) -> int:
        """Return how many trainings were asked for, without listing them."""
        grid, picked = self.about.get("grid") or {}, self.about.get("picked") or ()
        if not grid and not picked:
            grid = self.about.get("fields") or {}
        gridded = math.prod(len(values) for values in grid.values()) if grid or not picked else 0
        return (gridded + len(picked)) * len(self.seeds)


def read(folder: str | Path) -> Study:
    """Read the folder of a study; rows that a kill cut off half-written were not finished.

    Raises ``DataError`` where it is no such folder, or a file in it is not what it should be.
    """
    folder = Path(folder).expanduser()
    about = _read_json(folder / "study.json")
    fields = {
        str(name): tuple(dict.fromkeys(told(value) for value in values))
        for name, values in dict(about.get("fields", {})).items()
    }
    kept: dict[tuple[Setting, int], Row] = {}
    path = folder / "rows.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            plain = json.loads(line)
        except ValueError:
            continue  # cut off by a kill: the row was run again
        row = _row(plain, fields, f"{path}, line {number}")
        if not row.reason or kept.get((row.setting, row.seed), row).reason:
            kept[row.setting, row.seed] = row
    places = {name: {v: i for i, v in enumerate(values)} for name, values in fields.items()}

    def place(row: Row) -> tuple[Any, ...]:
        return (
            [places[name].get(value, len(places[name])) for name, value in row.setting],
            row.seed,
        )

    return Study(folder, about, fields, tuple(sorted(kept.values(), key=place)))


def _read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file."""
    try:
        plain = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: {error}",
            expected="the folder of a study, with its study.json",
            remedy="Make one with: opsin study STUDY --out DIR",
        ) from error
    if not isinstance(plain, dict):
        raise DataError(f"{path} with {type(plain).__name__} in it", expected="a JSON object")
    return plain


def _row(plain: Any, fields: Mapping[str, tuple[str, ...]], where: str) -> Row:
    """Return a row from what was written of it; a score that is no number is a failure."""
    try:
        cell = {str(name): told(value) for name, value in plain["cell"].items()}
        setting = tuple((name, cell[name]) for name in fields)
        scores = {
            split: float(value)
            for split, value in (plain.get("scores") or {}).items()
            if value is not None
        }
        reason = str(plain.get("reason") or "failed") if plain["state"] != "done" else ""
        finite = "validation" in scores and all(map(math.isfinite, scores.values()))
        if not reason and not finite:
            reason = "its score is not a number"
        return Row(
            id=str(plain["id"]),
            setting=setting,
            seed=int(plain["seed"]),
            reason=reason,
            scores=scores,
            pictures={k: int(v or 0) for k, v in (plain.get("n") or {}).items()},
            seconds=float(plain.get("seconds") or 0.0),
            images=int(plain.get("images") or 0),
            curve=tuple((float(e), float(s), float(v)) for e, s, v in plain.get("curve") or ()),
            folder=str(plain.get("folder") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{where}: {type(error).__name__} {error}",
            expected=f"a row with id, state, seed, scores and a cell of {', '.join(fields)}",
            remedy="Move the line away, and run the study again with --resume.",
        ) from error


def told(value: Any) -> str:
    """Return the value of a field in words.

    >>> told("rotation"), told(0.1), told(None), told(True)
    ('rotation', '0.1', 'none', 'yes')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)


def named(setting: Setting) -> str:
    """Return a setting as one says it; a bare number or yes is said with its field.

    >>> named((("net", "lenet5"), ("augment", "rotation"), ("epochs", "3")))
    'lenet5, rotation, epochs 3'
    """
    bare = ("none", "yes", "no", "true", "false")
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" if value[:1].isdigit() or value in bare else value
        for name, value in setting
    )


def cells(study: Study) -> tuple[Cell, ...]:
    """Return every setting that has a score, in grid order, with what its seeds reached."""
    groups: dict[Setting, list[Row]] = {}
    for row in study.rows:
        groups.setdefault(row.setting, []).append(row)
    return tuple(
        _cell(study, setting, rows)
        for setting, rows in groups.items()
        if any(not row.reason for row in rows)
    )


def _cell(study: Study, setting: Setting, rows: list[Row]) -> Cell:
    """Return the numbers of one setting."""
    done = [row for row in rows if not row.reason]
    scores = np.array([row.scores[study.split] for row in done])
    seconds = sum(row.seconds for row in done)
    chosen = [row.scores.get("validation", math.nan) for row in done]
    return Cell(
        setting=setting,
        name=named(setting) or "the one setting",
        score=mean(scores),
        deviation=deviation(scores),
        best=float(study.sign * (study.sign * scores).max()),
        validation=float(np.mean(chosen)),
        seeds=tuple(row.seed for row in done),
        failed=len(rows) - len(done),
        pictures=max(row.pictures.get(study.split, 0) for row in done),
        seconds=median(row.seconds for row in done),
        total=seconds,
        images=sum(row.images for row in done),
    )


def missing(study: Study) -> Missing:
    """Return what was not run: settings and seeds without a row, and how many of them there are."""
    present = {(row.setting, row.seed) for row in study.rows}
    many = study.asked
    lacking: dict[Setting, list[int]] = {}
    if many <= MOST:
        for setting in study.settings():
            for seed in study.seeds:
                if (setting, seed) not in present:
                    lacking.setdefault(setting, []).append(seed)
        count = sum(map(len, lacking.values()))
    else:
        count = many - len(present)
    return Missing(
        asked=many,
        count=count,
        settings={named(setting): tuple(seeds) for setting, seeds in lacking.items()},
    )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Holds scores (b, k) of the ``values`` of one field, a row for each setting of the others.

    A block is one seed in one setting of the other ``fields``; only those are kept in which every
    value was measured, so that columns can be compared.
    """

    field: str
    values: tuple[str, ...]
    others: tuple[Setting, ...]
    seeds: tuple[int, ...]
    scores: NDArray[np.float64]
    left_out: int


def blocks(study: Study, field: str) -> Blocks:
    """Return the scores of one field's values side by side, everything else equal."""
    found: dict[tuple[Setting, int], dict[str, float]] = {}
    for row in study.done:
        rest = tuple(pair for pair in row.setting if pair[0] != field)
        value = dict(row.setting)[field]
        found.setdefault((rest, row.seed), {})[value] = row.scores[study.split]
    seen = {value for block in found.values() for value in block}
    values = tuple(value for value in study.fields[field] if value in seen)
    whole = {key: block for key, block in found.items() if len(block) == len(values)}
    table = [[block[value] for value in values] for block in whole.values()]
    return Blocks(
        field,
        values,
        tuple(rest for rest, _ in whole),
        tuple(seed for _, seed in whole),
        np.array(table, np.float64).reshape(len(table), len(values)),
        len(found) - len(whole),
    )


def marginal(study: Study, field: str) -> tuple[Cell, ...]:
    """Return each value of a field, averaged over all settings of the others.

    The interval is over seeds, of each one's mean over the settings that have every value.
    """
    side = blocks(study, field)
    told_cells = []
    for place, value in enumerate(side.values):
        rows = [row for row in study.done if dict(row.setting)[field] == value]
        by_seed: dict[int, list[float]] = {}
        for seed, scores in zip(side.seeds, side.scores, strict=True):
            by_seed.setdefault(seed, []).append(float(scores[place]))
        most = max(map(len, by_seed.values()), default=0)
        means = np.array([np.mean(each) for each in by_seed.values() if len(each) == most])
        if not len(means):
            continue
        whole = _cell(study, ((field, value),), rows)
        told_cells.append(
            Cell(
                setting=((field, value),),
                name=named(((field, value),)),
                score=mean(means),
                deviation=deviation(means),
                best=whole.best,
                validation=whole.validation,
                seeds=tuple(seed for seed, each in by_seed.items() if len(each) == most),
                failed=sum(dict(row.setting)[field] == value for row in study.failed),
                pictures=whole.pictures,
                seconds=whole.seconds,
                total=whole.total,
                images=whole.images,
            )
        )
    return tuple(told_cells)
