"""From a study's folder to its story, its page and what a terminal prints of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin.errors import DataError
from opsin.figures import Metric
from opsin.report import study_page
from opsin.report.study_story import Ensemble, Missed, Published, StudyStory
from opsin.report.words import term
from opsin.study import compare, ranks, words
from opsin.study.curves import curves
from opsin.study.pictures import answers
from opsin.study.rows import Study, named, read, told
from opsin.study.tables import cells, marginal, missing


def write(folder: str | Path) -> Path:
    """Write the page of a study into its folder as study.html and return where it is.

    Raises ``DataError`` where the folder is none of a study, or a file in it is damaged.
    """
    return study_page.write(tell(folder), Path(folder).expanduser() / "study.html")


def tell(folder: str | Path) -> StudyStory:
    """Return everything a study's folder tells, with what it allows to be said in words."""
    study = read(folder)
    found, said = cells(study), answers(study)
    baseline, gained = compare.against_baseline(study, found, said)
    main = main_field(study)
    source, published = _published(study)
    votes, missed = _ensembles(study)
    story = StudyStory(
        title=str(study.about.get("name") or study.folder.name),
        metric=study.metric,
        sign=study.sign,
        split=study.split,
        fields=study.fields,
        asked_seeds=study.seeds,
        lead="",
        cells=found,
        best=compare.best(found, study.sign),
        marginals={name: marginal(study, name) for name in study.fields if len(study.fields) > 1},
        against=compare.against_best(study, found, said),
        gained=gained,
        baseline=baseline,
        ranked=ranks.ranked(study, main) if main else None,
        curves=curves(study),
        source=source,
        published=published,
        agreements=ranks.agreements(found, published, main) if main else (),
        ensembles=votes,
        missed=missed,
        failures=tuple((named(row.setting), row.seed, row.reason) for row in study.failed),
        missing=missing(study),
        at_once=tuple(sorted({row.at_once for row in study.done if row.at_once})),
        when=str(study.about.get("created") or ""),
        data=str(study.about.get("data") or ""),
        base=dict(study.about.get("base") or {}),
        machine=told(study.about.get("machine") or ""),
        versions={str(k): str(v) for k, v in dict(study.about.get("versions") or {}).items()},
        commands=_commands(study),
    )
    return replace(
        story,
        lead=words.lead(story),
        findings=words.findings(story),
        limits=words.limits(story, said.remark if len(found) > 1 else ""),
    )


def main_field(study: Study) -> str:
    """Return the field a study is about: the one with the most values, of equals the last."""
    many = [(len(values), place, name) for place, (name, values) in enumerate(study.fields.items())]
    return max(many)[2] if many else ""


def _commands(study: Study) -> tuple[str, ...]:
    """Return the line to type to get this study again, and the one to go on with it."""
    typed = tuple(map(str, study.about.get("typed") or ()))
    here = ("--out", str(study.folder))
    lines = [typed] if typed else []
    return tuple(shlex.join(("opsin", "study", *line, *here)) for line in (*lines, ("--resume",)))


def _published(study: Study) -> tuple[str, tuple[Published, ...]]:
    """Read the table of others, if there is one; its scores are in the unit of ours."""
    plain = _optional(study.folder / "published.json")
    if plain is None:
        return "", ()
    found = []
    try:
        for each in plain["cells"]:
            cell = {str(name): told(value) for name, value in each["cell"].items()}
            setting = tuple((name, cell[name]) for name in study.fields)
            best = each.get("best")
            found.append(
                Published(setting, float(each["mean"]), None if best is None else float(best))
            )
        source = str(plain.get("source") or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        wanted = "source and cells of cell, mean, best"
        raise _odd(study.folder / "published.json", error, wanted) from error
    if term(study.metric).share and any(abs(each.mean) > 1 for each in found):
        raise DataError(
            f"{study.folder / 'published.json'} with a mean above 1",
            expected="shares from 0 to 1, as ours are",
            remedy="Write 0.9908 for 99.08 %.",
        )
    return source, tuple(found)


def _ensembles(study: Study) -> tuple[tuple[Ensemble, ...], tuple[Missed, ...]]:
    """Read what ensembles of the study's nets reached and what all of them miss."""
    path = study.folder / "ensembles.json"
    plain = _optional(path)
    if plain is None:
        return (), ()
    try:
        rows = tuple(
            Ensemble(
                name=str(each["name"]),
                how=str(each["how"]),
                members=tuple(map(str, each["members"])),
                accuracy=_metric(each["accuracy"], int(each.get("n") or 0)),
                diversity={str(k): float(v) for k, v in (each.get("diversity") or {}).items()},
            )
            for each in plain["rows"]
        )
        lost = (plain.get("missed") or {}).get("by_all") or []
        images = _images(study.folder / "missed.safetensors", len(lost))
        missed = tuple(
            Missed(int(each["index"]), str(each["true"]), tuple(map(str, each["said"])), image)
            for each, image in zip(lost, images, strict=True)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _odd(path, error, "rows of name, how, members, accuracy") from error
    return rows, missed


def _metric(plain: Mapping[str, Any], n: int) -> Metric:
    """Return a number with its interval from plain data."""
    value = float(plain["value"])
    return Metric(value, float(plain["low"]), float(plain["high"]), int(plain.get("n") or n))


def _images(path: Path, many: int) -> list[NDArray[np.uint8] | None]:
    """Return the pictures (n, C, h, w) of a file one by one; None for each where there are none."""
    if not path.is_file():
        return [None] * many
    from safetensors.numpy import load_file

    stacks = [each for each in load_file(path).values() if each.ndim == 4 and len(each) == many]
    return list(stacks[0].astype(np.uint8)) if stacks else [None] * many


def _optional(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None where there is no such file."""
    if not path.is_file():
        return None
    try:
        plain: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _odd(path, error, "JSON") from error
    return plain


def _odd(path: Path, error: Exception, expected: str) -> DataError:
    """Return the error of a file that is not what it should be."""
    return DataError(
        f"{path}: {type(error).__name__} {error}",
        expected=expected,
        remedy="Mend the file, or move it away: the page does without.",
    )
