"""What was learnt, in one file: net, task, classes, preprocessing, recipe, provenance, scores.

The file is safetensors: weights, and a JSON header. Loading it runs no code from it: the header
names a net of this library, and the tensors must have exactly that net's names and shapes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from opsin import augment, card, runtimes
from opsin.committee import Committee, built
from opsin.data.dataset import Dataset
from opsin.data.decode import centre
from opsin.data.loader import expand, prepared
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import Sample, shown
from opsin.engine import checkpoint
from opsin.errors import DataError, InputError, ModelError
from opsin.events import Problem
from opsin.figures import Measures, count
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.tasks import Task, name_of
from opsin.tasks import find as find_task
from opsin.tasks._suspects import suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opsin.data.sample import Source
    from opsin.runtimes import Runtime

Asked = tuple[list[str], list[str | None], list[tuple[int, int]]]  # names, errors, sizes

FORMAT = 1  # of the header; raised when a reader of today could not read it
BLOCK = 64  # pictures decoded ahead of the net: what keeps memory flat over any number of them
FEW = 8  # pictures whose answers are made at once, while the net goes on


@dataclass(frozen=True)
class Prediction:
    """Is the answer for one picture: a ``result``, or the ``error`` that names what is wrong."""

    path: str
    result: Result | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``path`` and the result's own keys, or ``path`` and ``error``."""
        if self.result is None:
            return {"path": self.path, "error": self.error}
        return {"path": self.path} | self.result.to_dict()


@dataclass(frozen=True, eq=False)
class Model:
    """Is a trained net with everything needed to use it, explain where it came from and trust it.

    ``about`` holds plain facts: policy, seeds, data fingerprint, versions, scores with intervals,
    and of a model that ``opsin quantize`` made the ranges it computes in.
    """

    net: nn.Module
    net_name: str
    task: Task
    preprocessing: Preprocessing
    recipe: Recipe
    about: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, () for a number."""
        return self.task.classes

    # ── the file ────────────────────────────────────────────────────────────────────────────────

    def header(self) -> dict[str, Any]:
        """Return the JSON header of the model file."""
        several = {"committee": self.net.to_dict()} if isinstance(self.net, Committee) else {}
        return {
            "format": FORMAT,
            "task": name_of(self.task),
            "net": self.net_name,
            "classes": list(self.classes),
            "state": self.task.state,
            "preprocessing": self.preprocessing.to_dict(),
            "recipe": self.recipe.to_dict(),
            "about": dict(self.about),
            **several,
        }

    def save(self, path: str | Path) -> Path:
        """Write the model to one ``.safetensors`` file, whole or not at all."""
        path = Path(path)
        weights = self.net.state_dict()
        checkpoint.save(path, weights, self.header() | {"sha256": checkpoint.digest(weights)})
        return path

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model file; raise ``ModelError`` for one that is damaged, foreign or too large."""
        path = Path(path)
        if path.is_dir():
            path = path / "model.safetensors"
        header = checkpoint.read_header(path)
        try:
            if header["format"] > FORMAT:
                raise ModelError(
                    f"{path} in format {header['format']}",
                    expected=f"at most format {FORMAT}",
                    remedy="Update opsin.",
                )
            task = find_task(header["task"]).restore(tuple(header["classes"]), header["state"])
            pre = Preprocessing.from_dict(header["preprocessing"])
            recipe = Recipe.from_dict(header["recipe"])
            net = _shaped_like(path, header, task, pre)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ModelError(
                f"{path} with a damaged header ({error!r})", expected="a file `opsin train` wrote"
            ) from error
        tensors, _ = checkpoint.load(path)
        if checkpoint.digest(tensors) != header.get("sha256"):
            raise ModelError(
                f"{path}, whose weights are not those that were saved",
                expected="a whole file",
                remedy="Copy it again from where it was written.",
            )
        net.load_state_dict(tensors, assign=True)
        return cls(net.eval(), header["net"], task, pre, recipe, header["about"], path)

    # ── use ─────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def runtime(self) -> Runtime:
        """Return the fastest runtime on this machine that agrees with plain torch.

        Where ``opsin quantize`` has measured the model in whole numbers of 8 bits, it is these.
        """
        fact = self.about.get("int8")
        if isinstance(fact, Mapping) and (ranges := fact.get("ranges")):
            device = self.recipe.device
            found = runtimes.in_int8(self.net, self.preprocessing, ranges, device=device)
            if found is not None:
                return found
        height, width = self.preprocessing.size
        draws = np.random.default_rng(0)
        shape = (4, self.preprocessing.channels, height, width)
        examples = draws.integers(0, 256, shape, dtype=np.uint8)
        return runtimes.fastest(
            self.net, self.preprocessing, device=self.recipe.device, examples=examples
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what ``train --json`` prints: where the model is, what it is, how good."""
        about = self.about
        report = self.path.with_name("report.html") if self.path else None
        return {
            "model": str(self.path) if self.path else None,
            "report": str(report) if report else None,
            "task": name_of(self.task),
            "net": self.net_name,
            "policy": about.get("policy"),
            "classes": list(self.classes),
            "images": about.get("data", {}).get("images"),
            "seconds": about.get("seconds"),
            "metrics": self._metrics(),
            "split": about.get("split"),
        }

    def predict(self, images: Any, *, tta: int = 1, score: float | None = None) -> list[Prediction]:
        """Predict for files, folders, globs, arrays (3, H, W) or bytes: one, or a list of them.

        A picture that cannot be read becomes a prediction with an ``error``. With ``tta`` views of
        each picture, answers are the mean of the plain view and of drawn ones. Of boxes those are
        told whose score reaches the operating point of the model, or ``score``.
        """
        return list(self.iterate(images, tta=tta, score=score))

    def iterate(
        self, images: Any, *, tta: int = 1, score: float | None = None
    ) -> Iterator[Prediction]:
        """Yield what ``predict`` returns, one by one, in constant memory."""
        if score is not None and not 0 <= score <= 1:
            raise InputError(f"score={score}", expected="a number from 0 to 1")
        for said in self.stream(sources(images), tta=tta):
            if said.result is None:
                yield said
            else:
                yield replace(said, result=self.task.told([said.result], score)[0])

    def stream(
        self, sources: Iterable[tuple[str, Source]], *, tta: int = 1
    ) -> Iterator[Prediction]:
        """Yield all that is said of each (name, source), in order, in constant memory."""
        augment.check_views(tta)
        return self._stream(sources, tta)

    def _stream(self, sources: Iterable[tuple[str, Source]], tta: int) -> Iterator[Prediction]:
        asked: deque[Asked] = deque()
        pictures = self._readable(sources, asked)
        if tta == 1:  # the net works on what comes next while answers are made of what it said
            seen = (np.ascontiguousarray(centre(some, self.preprocessing)) for some in pictures)
            answers = self.runtime.stream(seen)
        else:
            answers = (self.outputs(some, tta=tta) for some in pictures)
        for outputs in answers:
            results = iter(self.decode(outputs) if len(outputs) else [])
            for name, error, size in zip(*asked.popleft(), strict=True):
                if error:
                    yield Prediction(name, error=error)
                else:
                    placement = self.preprocessing.placement(size)
                    yield Prediction(name, next(results).restored(placement))

    def _readable(
        self, sources: Iterable[tuple[str, Source]], asked: deque[Asked]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield blocks of pictures (n, C, H, W), and note in ``asked`` what was to be read.

        Of a block none of which could be read n is 0.
        """
        pre = self.preprocessing
        none = np.empty((0, pre.channels, *pre.working), np.uint8)
        for names, arrays, errors, sizes in prepared(sources, pre, max(FEW, self.runtime.together)):
            asked.append((names, errors, sizes))
            good = [array for array in arrays if array is not None]
            yield np.stack(good) if good else none

    def outputs(self, pixels: NDArray[np.uint8], *, tta: int = 1) -> NDArray[np.float32]:
        """Return the net's outputs (N, K) for pictures (N, C, H, W) at the working size.

        With ``tta`` views, what the mean of their opinions (probabilities, numbers) stands for: of
        the plain view, and of others drawn from what the net learnt with.
        """
        plain = self.runtime.run(np.ascontiguousarray(centre(pixels, self.preprocessing)))
        if tta == 1 or not len(pixels):
            return plain
        if self.task.result.located:
            raise InputError(
                f"tta={tta} for {name_of(self.task)}",
                expected="1: what views that are moved say of places is moved, too",
            )
        chain = augment.glances(self.about.get("augment", self.recipe.augment))
        batch = torch.from_numpy(np.ascontiguousarray(pixels))
        opinions = self.task.opinions(torch.from_numpy(plain).double())
        for view in augment.views(batch, chain, self.preprocessing.size, tta):
            outputs = self.runtime.run(view.contiguous().numpy())
            opinions += self.task.opinions(torch.from_numpy(outputs).double())
        found: NDArray[np.float32] = self.task.outputs_of(opinions / tta).float().numpy()
        return found

    def decode(self, outputs: NDArray[np.float32]) -> list[Result]:
        """Return the results that outputs (N, K) stand for."""
        return self.task.decode(outputs)

    def evaluate(
        self, data: Dataset | str | Path, *, root: str | Path | None = None, tta: int = 1
    ) -> Measures:
        """Measure the model on labelled pictures; those that cannot be read are left out.

        Where the data has a test split, that is what is measured; ``tta`` is as in ``predict``.
        """
        data = data if isinstance(data, Dataset) else Dataset.read(data, root=root)
        results, truths = [], []
        for sample, said in self.answers(data, tta=tta):
            if said.result is not None and sample.truth is not None:
                results.append(said.result)
                truths.append(sample.truth)
        if not results:
            raise DataError(
                f"{len(data)} pictures, none of which could be read",
                expected="at least one picture with a label",
                remedy="See `opsin check`.",
            )
        return self.task.measure(results, truths)

    def doubts(self, data: Dataset) -> list[Problem]:
        """Name the samples whose truth this model contradicts most clearly, the clearest first."""
        self.must_know(data)
        labelled = [sample for sample in data.samples if sample.truth is not None]
        named = ((str(index), sample.image) for index, sample in enumerate(labelled))
        outputs, kept, truths = [], [], []
        for names, arrays, _, sizes in prepared(named, self.preprocessing, BLOCK):
            good = []
            for name, array, size in zip(names, arrays, sizes, strict=True):
                sample = labelled[int(name)]
                if array is not None and sample.truth is not None:
                    good.append(array)
                    kept.append(sample)
                    truths.append(sample.truth.placed(self.preprocessing.placement(size)))
            if good:
                outputs.append(self.outputs(np.stack(good)))
        found = suspects(self.task, np.concatenate(outputs), truths) if kept else []
        told = self.task.told([each.said for each in found], None)
        return [
            Problem(
                "suspicious-label",
                kept[each.index].called,
                f"labelled {truths[each.index].words()}, but the model says {said.words()}",
            )
            for each, said in zip(found, told, strict=True)
        ]

    def must_know(self, data: Dataset) -> None:
        """Raise ``DataError`` for data whose truths are of another kind than what is predicted."""
        if data.kind is not self.task.result:
            raise DataError(
                f"truths of kind {data.kind.kind}",
                expected=f"{self.task.result.kind}, which this model predicts",
            )
        if data.classes and self.classes and not set(data.classes) & set(self.classes):
            raise DataError(
                f"classes {', '.join(data.classes[:5])}",
                expected=f"some of those this model knows: {', '.join(self.classes[:5])}",
            )

    def answers(self, data: Dataset, *, tta: int = 1) -> Iterator[tuple[Sample, Prediction]]:
        """Yield each labelled sample of the part to measure with what the model says of it."""
        self.must_know(data)
        held_out = data.split("test")
        samples = held_out.samples if len(held_out) else data.samples
        said = self.stream(((sample.called, sample.image) for sample in samples), tta=tta)
        yield from zip(samples, said, strict=True)

    # ── how it shows itself ─────────────────────────────────────────────────────────────────────

    def __repr__(self) -> str:
        scores = ", ".join(f"{n} {m['value']:.3f}" for n, m in self._metrics().items())
        return (
            f"Model({name_of(self.task)}, {self.net_name}, "
            f"{count(len(self.classes), 'class')}; {scores})"
        )

    def _repr_html_(self) -> str:
        """Return the card a notebook shows."""
        plain = self.header()
        return card.card(plain | {"metrics": self._metrics(), "size": self.preprocessing.size})

    def _metrics(self) -> dict[str, dict[str, float]]:
        return dict(self.about.get("metrics", {}))


def _shaped_like(
    path: Path, header: Mapping[str, Any], task: Task, pre: Preprocessing
) -> nn.Module:
    """Build the net without memory, and refuse a file whose tensors are not exactly its own."""
    name, several = header["net"], header.get("committee")
    with torch.device("meta"):
        net: nn.Module = (
            Committee.from_dict(several, task, pre) if several else built(name, task.outputs, pre)
        )
    wanted = {key: tuple(tensor.shape) for key, tensor in net.state_dict().items()}
    found = checkpoint.shapes(path)
    if found != wanted:
        odd = sorted(set(found.items()) ^ set(wanted.items()))[0]
        raise ModelError(
            f"{path}, whose tensor {odd[0]} {odd[1]} is not that of {name}",
            expected=f"the {len(wanted)} tensors of {name} with {task.outputs} outputs",
        )
    return net


def sources(images: Any) -> Iterator[tuple[str, Source]]:
    """Yield (name, source) for whatever a person may point at."""
    several = isinstance(images, Sequence) and not isinstance(images, str | bytes)
    for index, item in enumerate(images if several else [images]):
        if isinstance(item, str | Path):
            yield from _found(item)
        elif isinstance(item, bytes | np.ndarray):
            yield f"{index}", item
        else:
            raise InputError(f"a {type(item).__name__}", expected="a path, an array or bytes")


def _found(item: str | Path) -> Iterator[tuple[str, Source]]:
    """Yield the pictures a path stands for; a path that stands for none becomes an error line."""
    try:
        for path in expand(item):
            yield shown(path), path
    except DataError:
        yield shown(item), Path(item)
