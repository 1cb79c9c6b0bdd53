"""What a study returns: its table of cells, so far.

Shapes of no interest here: rows are lines of ``rows.jsonl``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsin.report.study_scale import brief
from opsin.study.cost import Cost, spoken
from opsin.study.plan import Plan, words
from opsin.study.store import Line
from opsin.study.summary import Summary

MOST = 60  # cells that are printed
WIDEST = 40  # characters of a value in the table


@dataclass(frozen=True)
class Studied:
    """Holds a plan, what it costs, and the rows that are done; prints as a table of cells."""

    plan: Plan
    metric: str
    sign: int
    rows: Mapping[str, Line]
    cost: Cost | None = None
    folder: Path | None = None
    page: Path | None = None
    summary: Summary | None = None  # what the rows allow to be said

    right = ("mean", "sd", "n", "seconds", "ms")

    def cells(self) -> list[dict[str, Any]]:
        """Return for each cell its fields, and mean, sd and n of its scores on held-out pictures.

        ``failed`` counts rows that came to nothing; ``seconds`` is the mean of a row, and
        ``milliseconds`` the median of what a picture takes alone, None where nobody timed it.
        """
        by_cell: dict[str, list[Line]] = {}
        for line in self.rows.values():
            by_cell.setdefault(words(line["cell"]), []).append(line)
        return [self._cell(cell, by_cell.get(words(cell), [])) for cell in self.plan.cells()]

    def _cell(self, cell: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
        done = sorted((line for line in lines if line["state"] == "done"), key=_seed)
        scores = [score_of(line) for line in done]
        seconds = [line["seconds"] for line in done]
        timed = [line["speed"]["milliseconds"] for line in done if line.get("speed")]
        if not seconds and self.cost is not None and words(cell) in self.cost.each:
            seconds = [self.cost.each[words(cell)]]
        return {
            "cell": dict(cell),
            "mean": statistics.fmean(scores) if scores else None,
            "sd": statistics.stdev(scores) if len(scores) > 1 else None,
            "n": len(scores),
            "failed": len(lines) - len(done),
            "seconds": statistics.fmean(seconds) if seconds else None,
            "milliseconds": statistics.median(timed) if timed else None,
        }

    def table(self, width: int) -> list[dict[str, Any]]:
        """Return the cells as rows of a table; the best are told in ``notes``."""
        widest = max(12, min(WIDEST, (width - 40) // max(1, len(self.plan.varied))))
        found = []
        for cell in self.cells()[:MOST]:
            fields = {name: _short(value, widest) for name, value in cell["cell"].items()}
            numbers = {
                "mean": _number(cell["mean"]),
                "sd": _number(cell["sd"]),
                "n": str(cell["n"]),
                "seconds": "" if cell["seconds"] is None else f"{cell['seconds']:.1f}",
            }
            timed = {"ms": _ms(cell["milliseconds"])} if self._timed else {}
            failed = {"failed": str(cell["failed"] or "")} if self._failed else {}
            found.append(fields | numbers | timed | failed)
        return found

    def notes(self) -> list[str]:
        """Return what a person should know besides the table."""
        found = []
        if self.plan.settings > MOST:
            found.append(f"… and {self.plan.settings - MOST:,} more settings (--json lists all)")
        if not self.rows and self.cost is not None:
            return found + self.cost.lines()
        done = [line for line in self.rows.values() if line["state"] == "done"]
        part = "test" if any(line["scores"]["test"] is not None for line in done) else "validation"
        spent = spoken(sum(line["seconds"] for line in done))
        found.append(
            f"{self.metric} on {part} pictures, {len(done)} of {len(self.plan)} rows, {spent} of "
            f"training"
        )
        found += [
            f"failed: {words(line['cell'])}, seed {line['seed']}: {line['reason']}"
            for line in self.rows.values()
            if line["state"] == "failed"
        ]
        if self.folder is not None:
            found.append(f"rows: {self.folder / 'rows.jsonl'}")
        return found + (self.summary.notes() if self.summary is not None else [])

    @property
    def _timed(self) -> bool:
        return any(line.get("speed") for line in self.rows.values())

    @property
    def _failed(self) -> bool:
        return any(line["state"] == "failed" for line in self.rows.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the plan, its cost, and the cells."""
        return {
            "name": self.plan.name,
            "folder": None if self.folder is None else str(self.folder),
            "report": None if self.page is None else str(self.page),
            "metric": self.metric,
            "sign": self.sign,
            "rows": len(self.plan),
            "done": sum(line["state"] == "done" for line in self.rows.values()),
            "failed": sum(line["state"] == "failed" for line in self.rows.values()),
            "seeds": list(self.plan.seeds),
            "cost": None if self.cost is None else self.cost.to_dict(),
            "cells": self.cells(),
            "summary": None if self.summary is None else self.summary.to_dict(),
        }


def score_of(line: Line) -> float:
    """Return a row's score on test pictures, or on validation pictures where there are no others.

    >>> score_of({"scores": {"validation": 0.5, "test": None}})
    0.5
    """
    scores = line["scores"]
    found: float = scores["validation"] if scores["test"] is None else scores["test"]
    return found


def _seed(line: Line) -> int:
    return int(line["seed"])


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.4g}"


def _ms(value: float | None) -> str:
    return "" if value is None else brief(value)


def _short(value: Any, widest: int) -> str:
    text = str(value)
    return text if len(text) <= widest else text[: widest - 1] + "…"
