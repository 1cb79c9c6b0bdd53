"""A study's rows as tables: means over seeds with their interval, and fields side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from opsin.metrics.means import deviation, mean
from opsin.report.study_story import Cell, Missing, Setting
from opsin.study.rows import Row, Study, named

MOST = 100_000  # settings x seeds up to which those that were not run are named


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
    timed = [row.milliseconds for row in done if math.isfinite(row.milliseconds)]
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
        milliseconds=median(timed) if timed else math.nan,
        swing=max(timed) / min(timed) if timed else math.nan,
        runtimes=tuple(dict.fromkeys(row.runtime for row in done if row.runtime)),
    )


def missing(study: Study) -> Missing:
    """Return what was not run: settings and seeds without a row, and how many of them there are."""
    present = {(row.setting, row.seed) for row in study.rows}
    many = study.asked
    lacking: dict[Setting, list[int]] = {}
    if many <= MOST:
        for setting, seeds in study.settings():
            for seed in seeds:
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
                milliseconds=whole.milliseconds,
                swing=whole.swing,
                runtimes=whole.runtimes,
            )
        )
    return tuple(told_cells)
