"""A data set made ready once for all rows of a study: pixels in order of their split, mapped.

Pictures are decoded once for every frame that some row wants (a frame is a size and a number of
channels). They lie train, validation, test, so that a part is a slice of one memory map: worker
processes share its pages and copy nothing. The split is cut once, on the first frame.

Shapes: N samples of the data set, M that were kept, C channels, H and W of the working size.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from opsin.data.cache import BLOCK, fill
from opsin.data.dataset import Dataset
from opsin.data.preprocess import Preprocessing
from opsin.data.sample import SPLITS, Sample
from opsin.engine import checkpoint
from opsin.errors import DataError
from opsin.events import Event
from opsin.files import replacing, write_json
from opsin.recipe import Recipe
from opsin.results import Label, Result, Value
from opsin.study import speed
from opsin.study.plan import Row
from opsin.tasks import name_of
from opsin.training import choice as choosing
from opsin.training import material
from opsin.training.choice import Choice
from opsin.training.material import Material

if TYPE_CHECKING:
    from opsin.data.sample import Source

DECODED = "decoded"  # what fill keeps until it lies in order
KINDS: dict[str, type[Result]] = {kind.kind: kind for kind in get_args(Result)}
CHOOSING = (
    "net",
    "backbone",
    "weights",
    "size",
    "policy",
    "minutes",
)  # settings that choose net and frame


@dataclass(frozen=True, eq=False)
class Stock:
    """Holds the pictures and truths of a study in order of their split, and who sees them how."""

    facts: dict[str, Any]  # name, kind, truths (each once), counts, fingerprint, choices, frames
    numbers: NDArray[np.int64]  # (M,), which of the truths is a sample's
    places: NDArray[np.int64]  # (M,), where in the data set a sample is
    sizes: NDArray[np.int32]  # (M, 2), the heights and widths that pictures had
    pixels: dict[str, NDArray[np.uint8]]  # by frame, (M, H, W, C)
    originals: tuple[Source, ...]  # some held-out pictures as they came, to be timed on

    def material(self, frame: str) -> Material:
        """Return the pictures in one frame as a run wants them."""
        kind = KINDS[self.facts["kind"]]
        truths = [kind.from_dict(plain) for plain in self.facts["truths"]]
        splits = [split for split in SPLITS for _ in range(self.facts["counts"][split])]
        samples = tuple(
            Sample(b"", truths[number], split)
            for number, split in zip(self.numbers.tolist(), splits, strict=True)
        )
        return Material(
            Dataset(samples, self.facts["name"]),
            self.pixels[frame].transpose(0, 3, 1, 2),
            list(range(len(samples))),
            self.places.tolist(),
            (),
            self.sizes,
            material.placements(kind, self._pre(frame), self.sizes),
            self.facts["fingerprint"],
        )

    def _pre(self, frame: str) -> Preprocessing:
        """Return a preprocessing that brings pictures into a frame."""
        choices = self.facts["choices"].values()
        return Preprocessing.from_dict(next(c["pre"] for c in choices if c["frame"] == frame))

    def choice(self, row: Row) -> dict[str, Any] | None:
        """Return what a row learns with: net, preprocessing and frame; None if not yet chosen."""
        found: dict[str, Any] | None = self.facts["choices"].get(choosing_key(row.recipe))
        return found

    @property
    def bytes(self) -> int:
        """Return how much all pictures take."""
        return sum(pixels.nbytes for pixels in self.pixels.values())


def choosing_key(recipe: Recipe) -> str:
    """Return the settings of a recipe that choose net and frame, as a word."""
    return json.dumps([getattr(recipe, name) for name in CHOOSING])


def choice_of(plain: dict[str, Any], recipe: Recipe) -> Choice:
    """Return the choice that was made for a row."""
    return choosing.again(plain["net"], Preprocessing.from_dict(plain["pre"]), recipe)


def load(folder: Path) -> Stock | None:
    """Return what ``gather`` left in a folder, mapped; None where it is absent or not whole."""
    try:
        facts = json.loads((folder / "stock.json").read_text(encoding="utf-8"))
        tensors, _ = checkpoint.load(folder / "stock.safetensors")
        pixels: dict[str, NDArray[np.uint8]] = {}
        for frame, shape in facts["frames"].items():
            raw = folder / f"pixels-{frame}.raw"
            if raw.stat().st_size != math.prod(shape):
                return None
            # copy on write: torch wants arrays that may be written to
            pixels[frame] = np.memmap(raw, np.uint8, "c", shape=tuple(shape))
        originals = speed.restored(tensors, facts["originals"])
    except (OSError, ValueError, KeyError, DataError):
        return None
    numbers, places, sizes = (tensors[name].numpy() for name in ("numbers", "places", "sizes"))
    return Stock(facts, numbers, places, sizes, pixels, originals)


def gather(
    data: Dataset, rows: Iterable[Row], folder: Path
) -> Generator[Event, None, tuple[Stock, dict[str, Any]]]:
    """Decode and split what ``rows`` look at; return the stock and what a study says of its data.

    Every sample's truth lies beside the study (``truths``), in the order of the data set.
    """
    recipes: dict[str, Recipe] = {}
    for row in rows:
        recipes.setdefault(choosing_key(row.recipe), row.recipe)
    first = next(iter(recipes.values()))
    task = choosing.choose_task(data, first)
    choices: dict[str, Any] = {}
    frames: dict[str, Preprocessing] = {}
    for key, recipe in recipes.items():
        found = choosing.choose_net(task, data, recipe)
        frame = frame_key(found.pre)
        frames.setdefault(frame, found.pre)
        choices[key] = {"net": found.net, "pre": found.pre.to_dict(), "frame": frame}
    made, order = None, np.zeros(0, np.int64)
    shapes: dict[str, list[int]] = {}
    for frame, pre in frames.items():
        if made is None:
            made = yield from material.prepare(data, pre, first, folder / DECODED)
            order = _order(made)
            memory, lies = made.pixels.transpose(0, 2, 3, 1), np.array(made.rows)[order]
        else:
            kept = [data.samples[place] for place in np.array(made.places)[order]]
            others = yield from fill(kept, pre, folder=folder / DECODED)
            memory, lies = others.memory, np.arange(len(kept))
        shapes[frame] = _written(folder, frame, memory, lies)
        shutil.rmtree(folder / DECODED, ignore_errors=True)
    assert made is not None
    truths: dict[str, tuple[int, dict[str, Any]]] = {}  # each once, with its number
    numbers, splits = [], Counter[str | None]()
    for sample in (made.data.samples[place] for place in order.tolist()):
        truth = sample.truth
        assert truth is not None
        splits[sample.split] += 1
        known = truths.setdefault(repr(truth), (len(truths), truth.to_dict()))
        numbers.append(known[0])
    tensors = {
        "numbers": torch.tensor(numbers),
        "places": torch.from_numpy(np.array(made.places, np.int64)[order]),
        "sizes": torch.from_numpy(made.sizes[order]),
    }
    originals = speed.originals([made.data.samples[place] for place in order.tolist()])
    checkpoint.save(folder / "stock.safetensors", tensors | originals, {})
    facts = {
        "name": made.data.name,
        "kind": data.kind.kind,
        "truths": [plain for _, plain in truths.values()],
        "counts": {split: splits[split] for split in SPLITS},
        "fingerprint": made.fingerprint,
        "choices": choices,
        "frames": shapes,
        "originals": len(originals),
    }
    write_json(folder / "stock.json", facts)  # last: it says that all is there
    stock = load(folder)
    assert stock is not None
    told = {"task": name_of(task), "metric": task.better, "sign": task.sign}
    return stock, told | {"classes": list(task.classes)}


def frame_key(pre: Preprocessing) -> str:
    """Return a name for the pixels a preprocessing wants, whatever it makes of their values."""
    plain = f"{pre.working} {pre.fit} {pre.interpolation} {pre.channels}"
    return hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()


def _order(made: Material) -> NDArray[np.int64]:
    """Return the labelled samples in the order of their split, within one as in the data set."""
    samples = made.data.samples
    known = [place for place, sample in enumerate(samples) if sample.truth is not None]
    return np.array(sorted(known, key=lambda place: SPLITS.index(str(samples[place].split))))


def _written(
    folder: Path, frame: str, pixels: NDArray[np.uint8], order: NDArray[np.int64]
) -> list[int]:
    """Write pictures (N, H, W, C) in an order, block by block; return the shape of the file."""
    path = folder / f"pixels-{frame}.raw"
    with replacing(path) as beside, beside.open("wb") as stream:
        for start in range(0, len(order), BLOCK):
            stream.write(np.ascontiguousarray(pixels[order[start : start + BLOCK]]).data)
    return [len(order), *pixels.shape[1:]]


def write_truths(data: Dataset, classes: list[str], path: Path) -> None:
    """Write the truth of every sample, (N,): ``label`` numbers, -1 unknown, or else ``value``."""
    number = {name: place for place, name in enumerate(classes)}
    truths = [sample.truth for sample in data.samples]
    if classes:
        labels = [number.get(t.name, -1) if isinstance(t, Label) else -1 for t in truths]
        tensors = {"label": torch.tensor(labels, dtype=torch.int64)}
    else:
        values = [t.value if isinstance(t, Value) else math.nan for t in truths]
        tensors = {"value": torch.tensor(values, dtype=torch.float64)}
    checkpoint.save(path, tensors, {"classes": classes})
