"""What a terminal prints of a study: its table, and what it allows to be said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsin.report import study_speed
from opsin.report.axis import fit
from opsin.report.study_scale import BOUND, Scale, brief
from opsin.report.study_story import Cell, StudyStory
from opsin.report.words import NARROW, quantity
from opsin.study.page import tell

MOST = 60  # settings that are printed
LEAST, MARGIN = 16, 62  # letters a setting's name has at least; letters of the other columns
TIMED = 9  # letters of the column of milliseconds


@dataclass(frozen=True)
class Summary:
    """Is a study in short: ``table`` has a row each setting, the best first.

    ``page`` is where its page lies, if it was written.
    """

    story: StudyStory
    page: Path | None = None

    right = ("mean", "sd", "95 %", "best", "n", "seconds", "images/s", "ms")

    def table(self, width: int) -> list[dict[str, str]]:
        """Return a row each setting, fitted to so many letters."""
        written = Scale(self.story.metric, max((c.pictures for c in self.story.cells), default=0))
        ordered = sorted(self.story.cells, key=lambda c: -self.story.sign * c.score.value)
        timed = any(math.isfinite(cell.milliseconds) for cell in ordered)
        letters = max(LEAST, width - MARGIN - timed * TIMED)
        return [
            _row(cell, written, letters) | ({"ms": _ms(cell)} if timed else {})
            for cell in ordered[:MOST]
        ]

    def notes(self) -> list[str]:
        """Return the conclusion in words, what it does not say, and where the page is."""
        rest = len(self.story.cells) - MOST
        more = [f"… and {rest:,} more settings (--json lists all)"] if rest > 0 else []
        page = [f"report: {self.page}"] if self.page is not None else []
        told = [_plain(line) for line in (*self._said(), *self.story.limits)]
        return [*more, "", *told, *page]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for ``--json``."""
        story = self.story
        return {
            "name": story.title,
            "metric": story.metric,
            "sign": story.sign,
            "split": story.split,
            "cells": [cell.to_dict() for cell in story.cells],
            "best": dict(story.best.setting) if story.best else None,
            "against_best": story.against.to_dict(),
            "baseline": story.baseline or None,
            "against_baseline": story.gained.to_dict(),
            "ranks": story.ranked.to_dict() if story.ranked else None,
            "agreement": [each.to_dict() for each in story.agreements],
            "failed": [
                {"setting": name, "seed": seed, "reason": reason}
                for name, seed, reason in story.failures
            ],
            "not_run": story.missing.count,
            "front": [dict(cell.setting) for cell in study_speed.front(story)],
            "conclusion": self._said(),
            "limits": list(story.limits),
            "report": None if self.page is None else str(self.page),
        }

    def _said(self) -> list[str]:
        """Return what the rows allow to be said, that of speed last."""
        speed = study_speed.told(self.story)
        return [self.story.lead, *self.story.findings, *([speed] if speed else [])]


def summary(folder: str | Path, page: Path | None = None) -> Summary:
    """Return a study's folder in short; raise ``DataError`` where it is none."""
    return Summary(tell(folder), page)


def _row(cell: Cell, written: Scale, letters: int) -> dict[str, str]:
    """Return one setting in words."""
    spread = written.bare(cell.deviation) if math.isfinite(cell.deviation) else "–"
    return {
        "setting": fit(cell.name, letters),
        "mean": written.bare(cell.score.value),
        "sd": spread,
        "95 %": written.range(cell.score).replace(f"{NARROW}%", ""),
        "best": written.bare(cell.best),
        "n": f"{len(cell.seeds)}" + (f" of {len(cell.seeds) + cell.failed}" if cell.failed else ""),
        "seconds": f"{cell.seconds:.1f}",
        "images/s": quantity(cell.rate),
    }


def _plain(line: str) -> str:
    """Return a line with the spaces of a terminal, which spells out those that do not break."""
    return line.replace(NARROW, " ").replace(BOUND, " ")


def _ms(cell: Cell) -> str:
    """Return the milliseconds a picture takes in words."""
    return brief(cell.milliseconds) if math.isfinite(cell.milliseconds) else "–"
