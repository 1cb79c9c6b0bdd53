"""A model in whole numbers of 8 bits: made from pictures, and measured against what it was.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsin import runtimes
from opsin.data.dataset import Dataset
from opsin.data.decode import centre
from opsin.data.loader import prepared
from opsin.errors import DataError, ModelError
from opsin.events import Advanced, Event, Finished, Started
from opsin.figures import Metric, count
from opsin.model import Model
from opsin.results import Result
from opsin.tasks._baseline import lead

LOOKED_AT = 64  # pictures that say what the numbers in the net range over
FEWEST = 8
BLOCK = 16
PARTS = "ranges", "measuring"
DEVICE = "cpu"  # where OpenVINO computes in 8 bits

Said = tuple[list[Result], list[Result], list[Result]]  # before, after, truths


@dataclass(frozen=True, eq=False)
class Quantized:
    """Is the model in 8 bits, and what it says beside what it said before, on the same pictures.

    ``scores`` and ``rates`` (pictures a second through the net) are of before and after; ``lead``
    is how much better it became, paired picture by picture.
    """

    model: Model
    names: tuple[str, str]  # of the runtimes
    scores: tuple[Metric, Metric]
    rates: tuple[float, float]
    lead: Metric
    seen: int  # pictures that the ranges are of

    @property
    def right(self) -> tuple[str, ...]:
        """Return the columns of numbers."""
        return ("pictures/s",)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin quantize --json`` prints."""
        return {
            "model": str(self.model.path),
            "metric": self.model.task.better,
            "before": self._one(0),
            "after": self._one(1),
            "lead": self.lead.to_dict(),
            "pictures_of_ranges": self.seen,
        }

    def _one(self, place: int) -> dict[str, Any]:
        return {
            "runtime": self.names[place],
            "score": self.scores[place].to_dict(),
            "images_per_second": round(self.rates[place], 1),
        }

    def table(self, width: int) -> list[dict[str, str]]:
        """Return a row for what the model was, and one for what it is."""
        del width
        rows = zip(("before", "after"), self.names, self.scores, self.rates, strict=True)
        return [
            {
                "model": which,
                "runs in": name,
                self.model.task.better: score.short(),
                "pictures/s": f"{rate:,.0f}",
            }
            for which, name, score, rate in rows
        ]

    def notes(self) -> list[str]:
        """Return what the table cannot say."""
        gap = self.lead
        said = "worse" if gap.high < 0 else "better" if gap.low > 0 else "neither better nor worse"
        return [
            "",
            f"On {count(gap.n, 'picture')} it is {said}: {gap.value:+.4f} in "
            f"{self.model.task.better} ({gap.low:+.4f} to {gap.high:+.4f}, paired).",
            f"Ranges were taken from {count(self.seen, 'picture')}.",
            f"model: {self.model.path}",
        ]


def quantize(model: Model, data: Dataset, out: Path) -> Generator[Event, None, Quantized]:
    """Write ``model`` so that its convolutions run in 8 bits, and say what that did to it.

    Ranges come from the pictures of ``data`` that are not its test split, scores from that split;
    where there is none, all pictures serve for both. Raises ``ModelError`` where nothing here
    computes in 8 bits, ``DataError`` for too few pictures.
    """
    model.must_know(data)
    kept = {name: fact for name, fact in model.about.items() if name != "int8"}
    model = replace(model, about=kept)  # as it was before, even if it was made so once already
    began = time.monotonic()
    yield Started(PARTS[0])
    pixels = _seen(model, data)
    spans = runtimes.ranges(model.net, model.preprocessing, pixels, device=DEVICE)
    if not spans:
        raise ModelError(f"{model.net_name}, which does not convolve", expected="convolutions")
    yield Finished(PARTS[0], time.monotonic() - began, count(len(spans), "convolution"))
    runtime = runtimes.in_int8(model.net, model.preprocessing, spans, device=DEVICE)
    if runtime is None:
        raise ModelError(
            f"{model.net_name}, which does not run in 8 bits on this machine",
            expected="a net whose convolutions OpenVINO can round",
        )
    fact = {"ranges": [[round(end, 6) for end in span] for span in spans], "pictures": len(pixels)}
    made = replace(model, about={**model.about, "int8": fact}, path=out)
    made.__dict__["runtime"] = runtime  # on a GPU it would run otherwise
    before, after, truths = yield from _said(model, made, data)
    task = model.task
    scores = task.headline(before, truths), task.headline(after, truths)
    about = {**made.about, "int8": fact | {"score": scores[1].to_dict()}}
    found = Quantized(
        replace(made, about=about),
        (model.runtime.name, runtime.name),
        scores,
        (runtimes.throughput(model.runtime, pixels), runtimes.throughput(runtime, pixels)),
        lead(task, after, before, truths),
        len(pixels),
    )
    found.model.save(out)
    return found


def _seen(model: Model, data: Dataset) -> NDArray[np.uint8]:
    """Return up to 64 pictures (N, C, h, w) as the net sees them, evenly chosen.

    They are of what is not to be measured, where that is enough.
    """
    others = [sample for sample in data.samples if sample.split != "test"]
    samples = others if len(others) >= FEWEST else data.samples
    places = np.linspace(0, len(samples) - 1, min(LOOKED_AT, len(samples))).astype(int)
    named = ((samples[place].called, samples[place].image) for place in places)
    found = [
        array
        for _, arrays, _, _ in prepared(named, model.preprocessing, BLOCK)
        for array in arrays
        if array is not None
    ]
    if len(found) < FEWEST:
        raise DataError(
            f"{count(len(found), 'picture')} to take ranges from",
            expected=f"{FEWEST} or more, such as those it learnt from",
        )
    return np.ascontiguousarray(centre(np.stack(found), model.preprocessing))


def _said(before: Model, after: Model, data: Dataset) -> Generator[Event, None, Said]:
    """Return what both models say of the pictures to measure, and the truths of these."""
    began = time.monotonic()
    yield Started(PARTS[1], len(data.split("test")) or len(data))
    rows = []
    both = zip(before.answers(data), after.answers(data), strict=True)
    for (sample, one), (_, other) in both:
        if one.result is not None and other.result is not None and sample.truth is not None:
            rows.append((one.result, other.result, sample.truth))
        yield Advanced(PARTS[1])
    if not rows:
        raise DataError(
            f"{count(len(data), 'picture')}, none of which could be read",
            expected="at least one picture with its truth",
            remedy="See `opsin check`.",
        )
    yield Finished(PARTS[1], time.monotonic() - began, count(len(rows), "picture"))
    first, second, truths = (list(column) for column in zip(*rows, strict=True))
    return first, second, truths
