"""The scores of all classes as one row of numbers that reads like a dictionary.

A thousand classes in twenty thousand dictionaries take a gigabyte and seconds; rows of one array
that share their names take neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from opsin.results import Label

Floats = NDArray[np.float64]


class Scores(Mapping[str, float]):
    """Maps the names of classes, in the order of ``columns``, to the numbers of ``row`` (K,).

    >>> dict(Scores({"cat": 0, "dog": 1}, np.array([0.75, 0.25])))
    {'cat': 0.75, 'dog': 0.25}
    """

    __slots__ = ("columns", "row")

    def __init__(self, columns: Mapping[str, int], row: Floats) -> None:
        self.columns, self.row = columns, row

    def __getitem__(self, name: str) -> float:
        return float(self.row[self.columns[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return repr(dict(self))


def table(said: Sequence[Label], classes: Sequence[str]) -> Floats:
    """Return the scores that labels give to classes, (N, K).

    A label that leaves classes out (a saved answer, a neighbour's name) gives its own class its
    score and shares what is left equally among those it does not speak of.

    >>> table([Label("a"), Label("b", 0.5)], ["a", "b", "c"]).tolist()
    [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]]
    """
    columns = {name: place for place, name in enumerate(classes)}
    found = np.empty((len(said), len(classes)))
    pick = itemgetter(*classes) if len(classes) > 1 else None
    for place, label in enumerate(said):
        scores = label.scores
        if isinstance(scores, Scores) and scores.columns == columns:
            found[place] = scores.row
        elif pick is not None and scores.keys() >= columns.keys():
            found[place] = pick(scores)
        else:
            found[place] = _shared(label, columns)
    return found


def _shared(label: Label, columns: Mapping[str, int]) -> Floats:
    """Return the scores (K,) of a label that does not name all classes."""
    known = {label.name: label.score} | dict(label.scores)
    row = np.full(len(columns), np.nan)
    for name, score in known.items():
        if name in columns:
            row[columns[name]] = score
    silent = np.isnan(row)
    rest = max(0.0, 1.0 - sum(known.values()))
    return np.where(silent, rest / max(1, int(silent.sum())), row)
