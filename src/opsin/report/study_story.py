"""Everything the page of a study tells, as plain data: ``opsin.study`` fills it in.

A setting is what varies, without the seed; a cell is a setting with what its seeds reached. All
differences are gains: above zero, the first of the two is better, whichever way the metric counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opsin.figures import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Setting = tuple[tuple[str, str], ...]  # (field, value) pairs in the order of the grid

LEVEL = 0.05  # a corrected p value below it is called shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Is one setting: ``score`` is the mean over its seeds with Student's interval.

    ``pictures`` says on how many each seed was measured, ``failed`` how many trainings ended
    without a score. ``seconds`` is the median of a training, ``total`` and ``images`` are of all.
    ``milliseconds`` is what a picture takes alone, from its file to the answer: the median over
    seeds, NaN where it was not timed, through the ``runtimes``; the slowest of its seeds took
    ``swing`` times what the fastest took.
    """

    setting: Setting
    name: str
    score: Metric
    deviation: float
    best: float
    validation: float
    seeds: tuple[int, ...]
    failed: int
    pictures: int
    seconds: float
    total: float
    images: int
    milliseconds: float = math.nan
    swing: float = math.nan
    runtimes: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Return training pictures a second; NaN where no time was taken."""
        return self.images / self.total if self.total > 0 else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; what is not a number is None."""
        return {
            "cell": dict(self.setting),
            "mean": self.score.value,
            "low": _or_none(self.score.low),
            "high": _or_none(self.score.high),
            "sd": _or_none(self.deviation),
            "best": self.best,
            "seeds": list(self.seeds),
            "failed": self.failed,
            "pictures": self.pictures,
            "median_seconds": self.seconds,
            "images": self.images,
            "images_per_second": _or_none(self.rate),
            "milliseconds": _or_none(self.milliseconds),
            "runtimes": list(self.runtimes),
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """Says what was not run: of ``asked`` trainings ``count``, by name with their seeds."""

    asked: int
    count: int
    settings: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Is the answer to one question about a difference: the gain, its interval and a p value.

    ``corrected`` is p after Holm's correction for all comparisons of its family, ``smallest`` the
    least p that so few differences could have given.
    """

    gain: Metric
    p: float
    corrected: float
    smallest: float = 0.0

    @property
    def shown(self) -> bool:
        """Return whether it is shown that the two differ."""
        return self.corrected < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; what is not a number is None."""
        plain = {k: _or_none(v) for k, v in self.gain.to_dict().items()}
        return plain | {"p": self.p, "corrected": self.corrected, "smallest": self.smallest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Compares two settings on the seeds both have; ``None`` where a question has no answer.

    ``seeds`` asks whether other trainings would differ the same way on these pictures, ``pictures``
    whether these nets would on other pictures, ``both`` whether other trainings would on others.
    The first is ahead in ``ahead`` of ``pairs`` seeds and behind in ``behind``.
    """

    first: str
    second: str
    gain: float
    pairs: int
    ahead: int
    behind: int
    seeds: Evidence | None
    pictures: Evidence | None
    both: Evidence | None

    @property
    def settled(self) -> bool:
        """Return whether the settings are shown to differ: other trainings would, as well."""
        carrier = self.both or self.seeds
        return carrier is not None and carrier.shown

    @property
    def nets_differ(self) -> bool:
        """Return whether the nets that were trained are shown to differ on other pictures."""
        return self.pictures is not None and self.pictures.shown

    @property
    def interval(self) -> Metric:
        """Return the gain with the widest interval there is."""
        for each in (self.both, self.pictures, self.seeds):
            if each is not None:
                return each.gain
        return Metric(self.gain, math.nan, math.nan, self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        parts = {"seeds": self.seeds, "pictures": self.pictures, "both": self.both}
        return {
            "first": self.first,
            "second": self.second,
            "gain": self.gain,
            "ahead": self.ahead,
            "behind": self.behind,
            "pairs": self.pairs,
            **{name: part.to_dict() if part else None for name, part in parts.items()},
        }


@dataclass(frozen=True, slots=True)
class Family:
    """Holds comparisons that were corrected together, for ``made`` of them."""

    differences: tuple[Difference, ...]
    made: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"made": self.made, "differences": [d.to_dict() for d in self.differences]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Orders the values of one field by their average rank, 1 the best, over ``blocks``.

    A block is one seed in one setting of the other fields. Two whose ranks are less than
    ``critical`` apart are not told apart; ``groups`` lists the longest runs of such, as the places
    of the first and the last. ``p`` is Friedman's: whether any of them differ.
    """

    field: str
    names: tuple[str, ...]
    ranks: tuple[float, ...]
    blocks: int
    left_out: int
    statistic: float
    p: float
    critical: float
    groups: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "field": self.field,
            "ranks": dict(zip(self.names, self.ranks, strict=True)),
            "blocks": self.blocks,
            "friedman": _or_none(self.statistic),
            "p": _or_none(self.p),
            "critical_difference": _or_none(self.critical),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """Says how the order of ``cells`` settings agrees with the published one; 1 is the same."""

    name: str
    rho: Metric
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; what is not a number is None."""
        plain = {k: _or_none(v) for k, v in self.rho.to_dict().items()}
        return {"of": self.name, **plain, "p": _or_none(self.p)}


@dataclass(frozen=True, slots=True)
class Published:
    """Is one number of a published table; ``best`` is that of its best run where it is told."""

    setting: Setting
    mean: float
    best: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Is one vote of several models and how often it is right."""

    name: str
    how: str
    members: tuple[str, ...]
    accuracy: Metric
    diversity: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Missed:
    """Is a picture, uint8 (C, h, w), that every ensemble gets wrong: what it is, what they said."""

    index: int
    true: str
    said: tuple[str, ...]
    image: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Is what a setting reached on validation pictures while it learnt, over the seeds it has.

    ``points`` lists (epoch, mean seconds, mean, lowest, highest).
    """

    setting: Setting
    name: str
    points: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyStory:
    """Holds what a study asked, measured and found; ``lead`` and ``findings`` say it in words.

    ``split`` names the pictures that were measured on. ``marginals`` has each field's values,
    averaged over the others. ``against`` compares the best setting with all others, ``gained``
    every setting with the ``baseline`` of its own kind.
    """

    title: str
    metric: str
    sign: int
    split: str
    fields: Mapping[str, tuple[str, ...]]
    asked_seeds: tuple[int, ...] = ()
    lead: str
    findings: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    best: Cell | None = None
    marginals: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    against: Family = Family((), 0)
    gained: Family = Family((), 0)
    baseline: str = ""
    ranked: Ranked | None = None
    curves: tuple[Curve, ...] = ()
    source: str = ""
    published: tuple[Published, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    ensembles: tuple[Ensemble, ...] = ()
    missed: tuple[Missed, ...] = ()
    failures: tuple[tuple[str, int, str], ...] = ()  # setting, seed, reason
    missing: Missing = Missing(0, 0, {})
    at_once: tuple[int, ...] = ()  # how many rows were in work when one was timed, each number once
    when: str = ""
    data: str = ""
    base: Mapping[str, Any] = field(default_factory=dict)
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()

    def published_of(self, setting: Setting) -> Published | None:
        """Return the published number of a setting, if there is one."""
        return next((each for each in self.published if each.setting == setting), None)


def _or_none(value: float) -> float | None:
    """Return a number for JSON, which has no NaN."""
    return value if math.isfinite(value) else None
