"""The rows of a study as candidates: what each said is on disk, so that no net is run again.

A study's folder holds ``study.json``, ``rows.jsonl`` with a line for each finished row, and for
each row ``rows/<id>/model.safetensors`` and ``outputs.safetensors``.

Shapes: R rows, N pictures, K outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from opsin.data.dataset import Dataset
from opsin.data.sample import shown
from opsin.ensemble.held import ASKED, Asked
from opsin.errors import DataError, ModelError
from opsin.results import Label, Result

PLAN, ROWS, OUTPUTS = "study.json", "rows.jsonl", "outputs.safetensors"


@dataclass(frozen=True)
class Row:
    """Is a finished row of a study: what varies in it, and its folder."""

    id: str
    cell: Mapping[str, Any]
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Return what a person calls the row."""
        return " ".join([self.id, *(f"{n}={v}" for n, v in self.cell.items()), f"seed={self.seed}"])


def is_study(path: str | Path) -> bool:
    """Say whether a person points at the folder of a study."""
    return (Path(path).expanduser() / PLAN).is_file()


def read(folder: Path) -> tuple[dict[str, Any], list[Row]]:
    """Return the plan of a study and its finished rows, each once, in the order of their ids.

    Raises ``ModelError`` for a folder that is none, or where not two rows are finished.
    """
    try:
        plan = dict(json.loads((folder / PLAN).read_text(encoding="utf-8")))
        lines = (folder / ROWS).read_bytes().split(b"\n")
    except (OSError, ValueError) as error:
        raise ModelError(f"{shown(folder)} ({error})", expected="the folder of a study") from error
    found = {}
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # a line that a kill cut off
            plain = json.loads(line)
            if plain["state"] == "done":
                place = folder / plain["folder"]
                found[plain["id"]] = Row(plain["id"], plain["cell"], plain["seed"], place)
    if len(found) < 2:
        raise ModelError(
            f"{shown(folder)} with {len(found)} finished rows",
            expected="at least two",
            remedy="Finish the study with `opsin study --resume`.",
        )
    return plan, [found[each] for each in sorted(found)]


def asked(folder: Path, plan: Mapping[str, Any], rows: list[Row]) -> dict[str, Asked]:
    """Return what all rows said of validation and test pictures, and the truths.

    Raises ``ModelError`` that names the first row that was asked other pictures than the others.
    """
    stored = [_outputs(row) for row in rows]
    truths = _truths(folder, plan)
    made = {}
    for name in ASKED:
        if not all(len(each.get(name, ())) for each in stored):
            continue
        places = stored[0][f"{name}_index"]
        for row, each in zip(rows, stored, strict=True):
            if not torch.equal(each[f"{name}_index"], places):
                raise ModelError(
                    f"the row {row.name}, whose {name} pictures are others than those of "
                    f"{rows[0].name}",
                    expected=f"rows that agree about which pictures are for {name}",
                    remedy="Give the study one seed for its split: base split = 0.",
                )
        opinions = torch.stack([each[name].double() for each in stored])
        known = [truths[place] for place in places.tolist()]
        kept = [index for index, truth in enumerate(known) if truth is not None]
        made[name] = Asked(opinions[:, kept], [t for t in known if t is not None])
    if "validation" not in made:
        raise ModelError(
            f"{shown(folder)}, whose rows keep no outputs on validation pictures",
            expected=f"{OUTPUTS} in the folder of each row",
        )
    return made


def places(row: Row, part: str) -> NDArray[np.int64]:
    """Return where in the data the pictures of a part lie, (N,), known truths alone or not."""
    found: NDArray[np.int64] = _outputs(row)[f"{part}_index"].numpy()
    return found


def _outputs(row: Row) -> dict[str, Tensor]:
    """Return the tensors a row left; raise ``ModelError`` where they are damaged or do not fit."""
    path = row.folder / OUTPUTS
    try:
        found: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} ({error})", expected="the outputs of a finished row") from error
    for name in ASKED:
        if name in found and len(found[name]) != len(found.get(f"{name}_index", ())):
            raise ModelError(f"{path} with {len(found[name])} {name} outputs", expected="an index")
    return found


def _truths(folder: Path, plan: Mapping[str, Any]) -> list[Result | None]:
    """Return the truth of every sample of the study's data, by place."""
    quick, classes = folder / "truths.safetensors", plan.get("classes")
    if classes and quick.is_file():
        labels = np.asarray(load_file(quick)["label"])
        names = [Label(name) for name in classes]
        return [names[place] if place >= 0 else None for place in labels.tolist()]
    if not plan.get("data"):
        raise DataError(f"{shown(folder)} without its data", expected="a study on data with a path")
    samples = Dataset.read(plan["data"], root=plan.get("root")).samples
    return [sample.truth for sample in samples]
