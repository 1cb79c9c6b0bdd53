"""A whole training run as one generator of events that returns what came of it."""

from __future__ import annotations

import copy
import logging
import os
import platform
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from opsin import runtimes
from opsin.data.dataset import Dataset
from opsin.engine import heap, policies
from opsin.engine.clock import Clock
from opsin.engine.policies import Learnt, Setting
from opsin.engine.precision import best as best_precision
from opsin.engine.store import Store, once
from opsin.errors import DataError, RecipeError
from opsin.events import Event, Finished, Note, Planned, Problem, Started
from opsin.figures import Measures
from opsin.model import Model
from opsin.nets import classical as classical_nets
from opsin.recipe import Recipe
from opsin.report.rivals import verdict
from opsin.report.story import Classical
from opsin.results import Result
from opsin.tasks import Task, name_of
from opsin.tasks._baseline import guess, neighbours
from opsin.training import choice as choosing
from opsin.training import material, rivals

MEASURING = "measuring"
SMALL_RATE = 3000.0  # images/s that a net without pretrained weights is assumed to measure
COMPARED = 5000  # training pictures the colour baseline looks among


@dataclass(frozen=True, eq=False)
class Outcome:
    """Is what a run leaves behind: the model, and what a report wants to tell of it."""

    model: Model
    path: Path
    learnt: Learnt
    made: material.Material
    split: str  # the part that was held out and measured
    measures: Measures
    results: tuple[Result, ...]
    baselines: Mapping[str, Measures]
    classical: Classical | None
    problems: tuple[Problem, ...]
    speed: float  # images/s of the runtime, pixels in memory
    seconds: float


def run(
    data: Dataset, recipe: Recipe, out: Path, clock: Clock
) -> Generator[Event, None, Outcome | None]:
    """Train on ``data`` into the folder ``out``; every process but the first returns None.

    Where ``out`` holds a run that was killed, it goes on from its last checkpoint.
    """
    store = Store(out)
    fabric = launch(recipe, heavy=choosing.heavy(data, recipe))
    task = choosing.choose_task(data, recipe)
    picked = store.facts().get("net")
    choice = choosing.choose_net(task, data, recipe, picked)
    if (name := once(fabric, store, "net", lambda: choice.net)) != choice.net:
        choice = choosing.choose_net(task, data, recipe, name)  # another process measured otherwise
    yield Note(f"{name_of(task)} {len(data)} pictures with {choice.net} on {fabric.device.type}")
    if fabric.global_rank > 0:
        fabric.barrier()  # the first process decodes; the others find it done
    made = yield from material.prepare(data, choice.pre, recipe, store.scratch)
    if fabric.global_rank == 0:
        fabric.barrier()
    if (seen := once(fabric, store, "data seen", lambda: made.fingerprint)) != made.fingerprint:
        raise DataError(
            f"{data.name or 'data'} with other pictures, labels or splits than when this run began",
            expected=f"the same data (fingerprint {seen[:12]})",
            remedy="Put back what has changed, or start a new run with another --out.",
        )
    setting = settle(recipe, task, choice, made, fabric, clock, store)
    policy = policies.find(way(setting))
    beside = rivals.seconds(clock.budget) if task.linear and task.classes else 0.0
    clock.reserve = afterwards(setting, len(made.samples("test"))) + beside
    after = [(MEASURING, clock.reserve - beside), (rivals.PART, beside)]
    parts = (*policy.plan(setting), *(part for part in after if part[1]))
    yield Planned(parts, clock.budget)
    learnt = yield from policy.learn(setting, None)
    if clock.asked:
        yield Note("Ended early by hand: the best model so far is kept.")
    outcome = None
    if fabric.is_global_zero:
        outcome = yield from finish(setting, learnt, made, out)
    fabric.barrier()  # no process leaves before the model file is there
    return outcome


def settle(
    recipe: Recipe,
    task: Task,
    choice: choosing.Choice,
    made: material.Material,
    fabric: Fabric,
    clock: Clock,
    store: Store,
) -> Setting:
    """Return everything a policy works with; raise ``DataError`` for too few pictures."""
    train, validation = made.part("train"), made.part("validation")
    _enough(train, validation)
    return Setting(
        recipe=recipe,
        task=task,
        net=choice.net,
        weights=choice.weights,
        pre=choice.pre,
        chain=material.choose_chain(recipe, train),
        train=train,
        validation=validation,
        fabric=fabric,
        clock=clock,
        store=store,
        ready=choice.ready,
    )


def way(setting: Setting) -> str:
    """Return the policy a run follows; ``auto`` has nothing to probe in a net without weights.

    What is true of a place moves with the picture, so such tasks train on pictures. Raises
    ``RecipeError`` for a policy that the task has no use for, and for snapshots it has none of.
    """
    name = setting.recipe.policy
    if name == "auto" and setting.weights is None:
        name = "count" if classical_nets.counted(setting.net) else "scratch"
    elif name == "auto" and setting.task.result.located:
        name = "full"
    policy, task = policies.find(name), setting.task
    linear, still = (getattr(policy, word, False) for word in ("LINEAR", "STILL"))
    if (linear and not task.linear) or (still and task.result.located):
        raise RecipeError(
            f"the policy {name} for the task {name_of(task)}",
            expected="a policy that trains the whole net by descent",
            remedy="Give --policy full, or leave it out.",
        )
    if setting.recipe.snapshots and not getattr(policy, "SNAPSHOTS", False):
        raise RecipeError(
            f"snapshots={setting.recipe.snapshots} with the policy {name}",
            expected="a policy that trains the whole net by descent",
            remedy="Add --policy scratch or --policy full.",
        )
    return name


def afterwards(setting: Setting, testing: int) -> float:
    """Return the seconds to keep for calibrating, measuring and the report."""
    rate = SMALL_RATE if setting.weights is None else setting.rate
    measured = (1 + setting.recipe.snapshots) * (len(setting.validation) + testing)
    needed = 4.0 + measured / rate
    return needed if setting.clock.budget is None else min(needed, 0.3 * setting.clock.budget)


def launch(recipe: Recipe, *, heavy: bool) -> Fabric:
    """Return the devices and processes of this run; a GPU where there is one, with no flag.

    A net that is not ``heavy`` keeps the memory it frees: its steps are short, and many.
    """
    accelerator = recipe.device
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise RecipeError(
            "device='cuda'",
            expected="a machine on which torch sees a GPU",
            remedy="Leave --device out to use what there is.",
        )
    if accelerator == "cpu" and not heavy:
        heap.keep()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    # Fabric logs the precision, to whoever listens or not; the run's own notes say what matters.
    logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)
    fabric = Fabric(
        accelerator=accelerator,
        devices=local,
        num_nodes=max(1, processes // local),
        strategy="ddp" if processes > 1 else "auto",
        precision=best_precision(recipe.precision, accelerator),
    )
    fabric.launch()
    return fabric


def _enough(train: policies.Part, validation: policies.Part) -> None:
    if len(train) < 2 or len(validation) < 1:
        raise DataError(
            f"{len(train)} pictures to learn from and {len(validation)} to check on",
            expected="at least 2 and 1",
            remedy="Add pictures; about 20 of each class are a fair start.",
        )


@dataclass(frozen=True, eq=False)
class Judged:
    """Is a model that was measured on held-out pictures, with what it said of them."""

    model: Model
    path: Path
    split: str  # the part that was held out and measured
    measures: Measures
    results: tuple[Result, ...]
    outputs: Mapping[str, NDArray[np.float32]]  # (N, K) of the parts that were not learnt from


Say = Callable[[Model, NDArray[np.uint8]], NDArray[np.float32]]  # pixels -> outputs (N, K)
Measure = Callable[[Sequence[Result], Sequence[Result]], Measures]  # answers, truths


def judge(
    setting: Setting,
    learnt: Learnt,
    made: material.Material,
    out: Path,
    *,
    say: Say,
    measure: Measure,
) -> Generator[Event, None, Judged]:
    """Calibrate, measure on held-out pictures, and write the model file; ``say`` runs the net."""
    yield Started(MEASURING)
    clock, task, recipe = setting.clock, setting.task, setting.recipe
    began = clock.spent()
    net = learnt.net.cpu().float().eval()
    draft = Model(net, setting.net, task, setting.pre, recipe)
    validation = setting.validation
    outputs = {"validation": say(draft, validation.pixels)}
    task.calibrate(outputs["validation"], validation.truths, recipe.operating)
    held, split = made.part("test"), "test"
    if not len(held):
        held, split = validation, "validation"
        yield Note("No test split: the scores are those of the pictures that chose the model.")
    else:
        outputs["test"] = say(draft, held.pixels)
    results = task.decode(outputs[split])
    measures = measure(held.restored(results), made.truths(split))
    yield Finished(
        MEASURING, clock.spent() - began, f"{split} {task.better} {measures.metrics[task.better]}"
    )
    about = {
        "policy": learnt.policy,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "name": made.data.name,
            "images": len(made.data),
            "fingerprint": made.fingerprint,
        },
        "split": {"held_out": split, **_sizes(made)},
        "weights": _weights(setting),
        "metrics": {name: metric.to_dict() for name, metric in measures.metrics.items()},
        "augment": str(setting.chain),
        "versions": versions(),
        "note": learnt.note,
        "seconds": round(clock.spent(), 2),
    }
    path = out / "model.safetensors"
    model = Model(net, setting.net, task, setting.pre, recipe, about, path)
    model.save(path)
    if "runtime" in draft.__dict__:  # the same net: no need to compile it twice
        model.__dict__["runtime"] = draft.runtime
    if forget := getattr(net, "forget", None):  # users wait for the first look at each picture
        forget()
    return Judged(model, path, split, measures, tuple(results), outputs)


def finish(
    setting: Setting, learnt: Learnt, made: material.Material, out: Path
) -> Generator[Event, None, Outcome]:
    """Measure and write the model, and set it beside what is simpler, for the report."""
    judged = yield from judge(
        setting, learnt, made, out, say=_outputs, measure=setting.task.measure
    )
    task, model = setting.task, judged.model
    held = made.part(judged.split)
    speed = runtimes.throughput(model.runtime, setting.examples)
    yield from _keep_snapshots(setting, learnt.snapshots, model, held, made.truths(judged.split))
    classical = None
    if task.linear and task.classes:
        called = _called(model.net)
        classical = yield from rivals.compare(setting, held, judged.results, called)
        if told := verdict(classical, task.better):
            yield Note(told)
    return Outcome(
        model,
        judged.path,
        learnt,
        made,
        judged.split,
        judged.measures,
        judged.results,
        _baselines(setting, held),
        classical,
        made.problems,
        speed,
        setting.clock.spent(),
    )


def _keep_snapshots(
    setting: Setting,
    kept: Sequence[Mapping[str, Tensor]],
    best: Model,
    held: policies.Part,
    truths: Sequence[Result],
) -> Generator[Event, None, None]:
    """Write each model that was kept on the way, calibrated and measured as the best one was."""
    folder, validation = setting.store.folder, setting.validation
    for number, weights in enumerate(kept, 1):
        net = copy.deepcopy(best.net)
        net.load_state_dict(weights)
        task = type(best.task).restore(best.classes, best.task.state)
        draft = replace(best, net=net, task=task, path=None)
        wish = setting.recipe.operating
        task.calibrate(_outputs(draft, validation.pixels), validation.truths, wish)
        said = held.restored(task.decode(_outputs(draft, held.pixels)))
        measures = task.measure(said, truths)
        metrics = {name: metric.to_dict() for name, metric in measures.metrics.items()}
        about = {**best.about, "metrics": metrics, "note": f"snapshot {number} of {len(kept)}"}
        replace(draft, about=about).save(folder / f"snapshot-{number}.safetensors")
    if kept:
        yield Note(f"{len(kept)} snapshots: opsin ensemble {folder} --snapshots --out FILE")


def _called(net: nn.Module) -> str:
    """Return what a sentence calls a net: a CNN where it convolves."""
    if isinstance(net, classical_nets.Counted):
        return net.features.called
    return "CNN" if any(isinstance(module, nn.Conv2d) for module in net.modules()) else "net"


def _outputs(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return outputs (N, K) for pixels (N, C, H, W), by blocks so that memory stays flat."""
    step = 256
    found = [model.outputs(pixels[at : at + step]) for at in range(0, len(pixels), step)]
    return np.concatenate(found)


def _baselines(setting: Setting, held: policies.Part) -> dict[str, Measures]:
    """Measure what needs no net: the commonest answer, and what pictures alike in colour are.

    Tasks with classes have better rivals: the classical pipelines.
    """
    task, train, seed = setting.task, setting.train, setting.recipe.seed
    said = {"commonest answer": guess(task, train.truths, held.truths)}
    if task.linear and not task.classes:
        some = rivals.spread(len(train), COMPARED)
        known, truths = train.pixels[some, :3], [train.truths[place] for place in some]
        alike = neighbours(task, known, truths, held.pixels[:, :3], seed=seed)
        said["colours of the picture"] = alike
    return {name: task.measure(results, held.truths) for name, results in said.items()}


def _sizes(made: material.Material) -> dict[str, int]:
    return {name: len(made.samples(name)) for name in ("train", "validation", "test")}


def _weights(setting: Setting) -> dict[str, str] | None:
    """Say where the pretrained weights came from, so that a model can name its ancestor."""
    weights = setting.weights
    if weights is None:
        return None
    return {"origin": weights.origin, "sha256": weights.sha256, "licence": weights.licence}


def versions() -> dict[str, str]:
    """Return the versions of what computed the numbers."""
    names = ("opsin", "torch", "timm", "openvino", "numpy", "pillow", "scikit-learn")
    return {name: version(name) for name in names} | {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }
