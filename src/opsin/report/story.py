"""Everything a report tells, as plain data: whoever ran the run fills it in, the page only shows.

Shapes: h, w height and width of a picture in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsin.data.preprocess import Preprocessing
from opsin.events import Epoch, Finished, Planned, Problem
from opsin.figures import Measures, Metric
from opsin.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Shows a picture, uint8 (3, h, w) or (1, h, w), with what was said of it and what is true.

    ``score`` lies in 0..1 and is None where the task has no score. A ``pair`` shows the truth drawn
    on the left, and on the right what was said.
    """

    image: NDArray[np.uint8]
    said: str
    truth: str
    score: float | None = None
    path: str = ""
    pair: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Is a classical pipeline fitted beside the model: a description and a linear SVM.

    ``metric`` is the headline metric; ``taught`` counts the training pictures it learnt from.
    """

    net: str
    called: str
    paper: str
    metric: Metric
    taught: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Classical:
    """Sets a model beside classical pipelines that were asked the same held-out pictures.

    ``own`` is what the model reaches on them, ``lead`` how much better it is than the ``best``
    pipeline, picture by picture. ``left_out`` names the pipelines there was no time for. There were
    ``of`` training pictures and ``asked_of`` held-out ones.
    """

    subject: str
    own: float
    best: Pipeline | None
    lead: Metric | None
    pipelines: tuple[Pipeline, ...]
    left_out: tuple[str, ...]
    of: int
    asked_of: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Story:
    """Holds what a run saw, did and learnt.

    ``held_out`` was measured on the pictures of ``split``; ``better`` names its headline metric and
    ``sign`` is +1 where more of it is better, -1 where less is. ``counts`` is what
    ``Dataset.counts`` returns, ``pictures`` what ``Dataset.pictures`` does, which is no sum of it
    where a picture shows several classes or none; ``sizes`` lists (h, w) of the pictures.
    ``mistakes`` come worst first. ``speed`` maps a name to a number and its unit. ``commands``
    are the lines to type to get this model again.

    >>> told = Story(
    ...     title="shoes",
    ...     task="classify",
    ...     net="lenet5",
    ...     better="accuracy",
    ...     held_out=Measures({"accuracy": Metric(0.9, 0.8, 0.95, 50)}, {}, (), ()),
    ... )
    >>> print(told.score)
    0.900 (0.800–0.950, n=50)
    """

    title: str
    task: str
    net: str
    held_out: Measures
    better: str
    sign: int = 1
    split: str = "test"
    policy: str = ""
    when: str = ""
    seconds: float = 0.0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pictures: Mapping[str, int] = field(default_factory=dict)
    without: int = 0  # pictures that show no object
    sizes: tuple[tuple[int, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    plan: Planned | None = None
    parts: tuple[Finished, ...] = ()
    notes: tuple[str, ...] = ()
    baselines: Mapping[str, Measures] = field(default_factory=dict)
    classical: Classical | None = None
    mistakes: tuple[Picture, ...] = ()
    suspects: tuple[Picture, ...] = ()
    samples: tuple[Picture, ...] = ()
    speed: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    weights: str = ""  # where they came from
    licence: str = ""  # of the weights
    model: str = ""  # path of the model file
    model_bytes: int = 0
    sha256: str = ""
    recipe: Recipe | None = None
    preprocessing: Preprocessing | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()

    @property
    def score(self) -> Metric:
        """Return the headline metric; not a number, n=0, where it was not measured."""
        return self.held_out.metrics.get(self.better, Metric(math.nan, math.nan, math.nan, 0))

    @property
    def rivals(self) -> dict[str, Metric]:
        """Return the headline metric of every baseline that has it."""
        measured = {name: b.metrics.get(self.better) for name, b in self.baselines.items()}
        return {name: metric for name, metric in measured.items() if metric is not None}

    def total(self, split: str) -> int:
        """Return how many pictures a split has."""
        return self.pictures.get(split, 0)
