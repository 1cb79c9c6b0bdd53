"""A study's folder as rows: what was asked, and every training that ended.

Nothing here trains; what was measured is read from ``study.json`` and ``rows.jsonl``.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsin.errors import DataError
from opsin.recipe import Recipe
from opsin.report.study_story import Setting
from opsin.study.plan import seeds_of


@dataclass(frozen=True, slots=True)
class Row:
    """Is one training: a setting with a seed, what it reached and what it took.

    ``scores`` maps "validation" and "test" to the study's metric; ``curve`` lists (epoch, seconds,
    validation score). ``milliseconds`` is what a picture takes alone from its file to the answer,
    NaN where nobody timed it, through ``runtime``, while ``at_once`` rows were in work.
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
    milliseconds: float = math.nan
    runtime: str = ""
    at_once: int = 0


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

    def settings(self) -> Iterator[tuple[Setting, tuple[int, ...]]]:
        """Give every setting that was asked for and its seeds: the grid, then those picked by hand.

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
            setting = tuple((name, self.called(name, full[name])) for name in self.fields)
            yield setting, tuple(seeds_of(cell, self.seeds))

    def called(self, name: str, value: Any) -> str:
        """Return what the study calls the value of a field."""
        return called(self.about, name, value)

    @property
    def asked(self) -> int:
        """Return how many trainings were asked for, without listing them."""
        grid, picked = self.about.get("grid") or {}, self.about.get("picked") or ()
        if not grid and not picked:
            grid = self.about.get("fields") or {}
        gridded = math.prod(len(values) for values in grid.values()) if grid or not picked else 0
        by_hand = sum(len(seeds_of(cell, self.seeds)) for cell in picked)
        return gridded * len(self.seeds) + by_hand


def read(folder: str | Path) -> Study:
    """Read the folder of a study; rows that a kill cut off half-written were not finished.

    Raises ``DataError`` where it is no such folder, or a file in it is not what it should be.
    """
    folder = Path(folder).expanduser()
    about = _read_json(folder / "study.json")
    fields = {
        str(name): tuple(dict.fromkeys(called(about, str(name), value) for value in values))
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
        row = _row(plain, about, fields, f"{path}, line {number}")
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


def _row(
    plain: Any, about: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]], where: str
) -> Row:
    """Return a row from what was written of it; a score that is no number is a failure."""
    try:
        cell = {str(n): called(about, str(n), value) for n, value in plain["cell"].items()}
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
        speed = plain.get("speed") or {}
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
            milliseconds=float(speed.get("milliseconds") or math.nan),
            runtime=str(speed.get("runtime") or ""),
            at_once=int(plain.get("at_once") or 0),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{where}: {type(error).__name__} {error}",
            expected=f"a row with id, state, seed, scores and a cell of {', '.join(fields)}",
            remedy="Move the line away, and run the study again with --resume.",
        ) from error


def called(about: Mapping[str, Any], name: str, value: Any) -> str:
    """Return what the study calls the value of a field: by its label, where it has one.

    >>> called({"labels": {"net": {"conv 5x5x8": "small"}}}, "net", "conv 5x5x8")
    'small'
    """
    text = told(value)
    return str((about.get("labels") or {}).get(name, {}).get(text, text))


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
