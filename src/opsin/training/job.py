"""Starting, watching, ending and taking up again a training run in its folder."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from opsin.data.dataset import Dataset
from opsin.engine.clock import Clock
from opsin.engine.store import Store
from opsin.errors import InputError, ModelError
from opsin.events import Event, Note, follow
from opsin.model import Model
from opsin.recipe import Recipe
from opsin.report import write
from opsin.training import run
from opsin.training.choice import check_words
from opsin.training.curves import Curves
from opsin.training.story import Record, tell

Watch = Callable[[Event], None]

MINUTES = 3.0  # the budget where neither time nor epochs are given


def start(
    data: str | Path | Dataset,
    recipe: Recipe,
    out: Path,
    root: str | Path | None,
    watch: Watch,
    born: float,
) -> Model:
    """Train in the folder ``out``, which must not hold another run; return the model."""
    store = Store(out)
    if _first() and store.facts():
        done = "a finished run" if (out / "model.safetensors").exists() else "a run"
        raise ModelError(
            f"{out}, which holds {done}",
            expected="a new folder",
            remedy=f"Choose another --out, or go on with `opsin train --resume {out}`.",
        )
    check_words(recipe)
    if recipe.minutes is None and recipe.epochs is None:
        recipe = recipe.replace(minutes=MINUTES)
    read = data if isinstance(data, Dataset) else Dataset.read(data, root=root)
    facts = {
        "data": None if isinstance(data, Dataset) else str(data),
        "root": None if root is None else str(root),
        "recipe": recipe.to_dict(),
        "spent": 0.0,
    }
    return _work(read, recipe, store, time.monotonic() - born, watch, begins=facts)


def free_folder(data: str | Path | Dataset) -> Path:
    """Return a folder below ``runs`` that no run has used, named after the data."""
    name = data.name if isinstance(data, Dataset) else Path(str(data).replace(":", "-")).stem
    names = (name or "pictures", *(f"{name or 'pictures'}-{n}" for n in range(2, 10_000)))
    return next(p for p in (Path("runs") / each for each in names) if not p.exists())


def resume(out: Path, watch: Watch, born: float) -> Model:
    """Go on with the run in ``out``: same plan, same draws, same weights in the end."""
    store = Store(out)
    facts = store.facts()
    if "recipe" not in facts:
        raise ModelError(
            f"{out}, where there is no run to resume",
            expected="the folder of a run that was stopped",
            remedy="Start one with `opsin train DATA --out FOLDER`.",
        )
    if facts.get("done"):
        store.clean()  # it may have been killed between its last fact and its last broom
        watch(Note("This run is finished; there was nothing left to do."))
        return Model.load(out)
    if facts["data"] is None:
        raise ModelError(
            f"{out}, a run on data that was given as an object",
            expected="a run started with a path",
            remedy="Give opsin.train a path to be able to resume.",
        )
    read = Dataset.read(facts["data"], root=facts["root"])
    spent = facts["spent"] + time.monotonic() - born
    return _work(read, Recipe.from_dict(facts["recipe"]), store, spent, watch)


def _work(
    data: Dataset,
    recipe: Recipe,
    store: Store,
    spent: float,
    watch: Watch,
    *,
    begins: dict[str, Any] | None = None,
) -> Model:
    """Run to the end, write the report, and clean up; ``begins`` are the facts of a new run."""
    clock = Clock(recipe.minutes, spent=spent)
    record = Record()
    record.replay(store.logged())
    with (
        store.locked() if _first() else nullcontext(),
        closing(Curves(store.folder / "tensorboard")) as curves,
        clock.interruptible(),
    ):

        def tell_all(event: Event) -> None:
            if _first():
                record.watch(event)
                store.log(event)
                curves.watch(event)
            watch(event)

        with _forgotten(store) if begins and _first() else nullcontext():
            if begins and _first():
                store.note(**begins)
            outcome = follow(run.run(data, recipe, store.folder, clock), tell_all)
    if outcome is None:  # not the first of several processes
        return Model.load(store.folder)
    write(
        tell(outcome, record, commands(store.facts(), store.folder)), store.folder / "report.html"
    )
    store.note(done=True, spent=clock.spent())
    store.clean()
    model: Model = outcome.model
    return model


@contextmanager
def _forgotten(store: Store) -> Iterator[None]:
    """Remove what a new run wrote where wrong input ends it, while the folder is still ours."""
    try:
        yield
    except InputError:
        store.forget()
        raise


def _first() -> bool:
    """Say whether this is the first of the processes that train one model together."""
    return os.environ.get("RANK", "0") == "0"


def commands(facts: dict[str, Any], out: Path) -> list[str]:
    """Return the lines to type to train this model again and to use it."""
    if facts["data"] is None:
        return [f"model = opsin.Model.load({str(out / 'model.safetensors')!r})"]
    usual = Recipe().to_dict()
    words = ["opsin", "train", facts["data"]]
    for name, value in facts["recipe"].items():
        if value != usual[name]:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    if facts["root"]:
        words += ["--root", facts["root"]]
    file = str(out / "model.safetensors")
    return [
        shlex.join([*words, "--out", str(out)]),
        shlex.join(["opsin", "evaluate", file, "NEW_PICTURES"]),
        shlex.join(["opsin", "predict", file, "PICTURES"]),
    ]
