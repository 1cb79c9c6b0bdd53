"""Samples, their classes and their splits; where every format reads to and writes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from opsin.data.sample import SPLITS, Sample
from opsin.errors import DataError
from opsin.events import Problem
from opsin.results import Boxes, Label, Result


@dataclass(frozen=True)
class Dataset:
    """Holds samples in a fixed order; ``ledger`` names what the format could not keep.

    ``classes`` is sorted and empty where truths are numbers. ``ids`` are the numbers that the
    source gave its classes, those without an object among them; they are never counted anew.

    >>> from opsin.results import Label
    >>> data = Dataset((Sample(b"", Label("b")), Sample(b"", Label("a"))), name="two")
    >>> data.classes, len(data)
    (('a', 'b'), 2)
    """

    samples: tuple[Sample, ...]
    name: str = ""
    ledger: tuple[Problem, ...] = ()
    ids: Mapping[str, int] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, path: str | Path, *, root: str | Path | None = None) -> Dataset:
        """Read a folder, a table, boxes or a named set, whichever ``path`` turns out to be.

        ``root`` is where a named set (``mnist``) lies on this machine or is downloaded to; for a
        table it is the folder its paths start from. Raises ``DataError`` for anything else.
        """
        from opsin.data.formats import read

        return read(path, root=root)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Return the sorted names of all classes that occur."""
        return tuple(sorted({name for s in self.samples for name in _classes(s.truth)}))

    @cached_property
    def kind(self) -> type[Result]:
        """Return the class of all truths; raise ``DataError`` if there is none or several."""
        kinds = {type(s.truth) for s in self.samples if s.truth is not None}
        if len(kinds) != 1:
            found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "no truth at all"
            raise DataError(
                f"{found} in {self.name or 'the data'}",
                expected="truths of one kind",
                remedy="Name classes, or give numbers, for every picture.",
            )
        return kinds.pop()

    def __len__(self) -> int:
        return len(self.samples)

    def split(self, name: str) -> Dataset:
        """Return the samples of one split: train, validation or test."""
        if name not in SPLITS:
            raise DataError(f"the split {name!r}", expected=f"one of {', '.join(SPLITS)}")
        return self.keep(sample for sample in self.samples if sample.split == name)

    def keep(self, samples: Iterable[Sample]) -> Dataset:
        """Return a dataset of these samples with the same name and ledger."""
        return replace(self, samples=tuple(samples))

    def pictures(self) -> dict[str, int]:
        """Return the number of samples in each split; "" means unsplit."""
        return dict(Counter(sample.split or "" for sample in self.samples))

    @property
    def without(self) -> int:
        """Return how many samples are known to show no object."""
        return sum(isinstance(s.truth, Boxes) and not len(s.truth) for s in self.samples)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of samples of each class (or kind) in each split; "" means unsplit.

        A picture of several objects counts once for each class among them.
        """
        table: dict[str, Counter[str]] = {}
        for sample in self.samples:
            truth = sample.truth
            many = isinstance(truth, Label | Boxes)
            for name in _classes(truth) if many else (type(truth).__name__.lower(),):
                table.setdefault(name, Counter())[sample.split or ""] += 1
        return {name: dict(table[name]) for name in sorted(table)}


def _classes(truth: Result | None) -> frozenset[str]:
    """Return the classes that a truth names."""
    if isinstance(truth, Label):
        return frozenset((truth.name,))
    return frozenset(truth.names) if isinstance(truth, Boxes) else frozenset()
