"""The models that are to become one: found, read, and held to agree on what they are asked."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from opsin import nets
from opsin.committee import Committee, frame
from opsin.data.sample import shown
from opsin.engine import checkpoint
from opsin.errors import InputError, ModelError
from opsin.events import Event, Note
from opsin.figures import count
from opsin.model import Model
from opsin.tasks import name_of

FILE, FACTS = "model.safetensors", "run.json"


@dataclass(frozen=True)
class Candidate:
    """Is a model that may take part; ``facts`` are those of its run, {} for a file without one."""

    name: str
    model: Model
    facts: dict[str, Any]

    @property
    def seen(self) -> str:
        """Return what tells the data and the split of its training from others; "" if unknown."""
        known = self.facts.get("data seen") or self.model.about.get("data", {}).get("fingerprint")
        return str(known or "")


def gather(
    paths: Sequence[str | Path], *, snapshots: bool = False
) -> Generator[Event, None, list[Candidate]]:
    """Read model files and folders of runs; with ``snapshots``, those of each run instead.

    Raises ``ModelError`` for a run that is not finished and for what is no model.
    """
    found = [candidate for path in _files(paths, snapshots) for candidate in [_read(path)]]
    if len(found) < 2:
        raise InputError(
            f"{len(found)} model" + ("" if len(found) == 1 else "s"),
            expected="at least two to make one of",
            remedy="Name several, as in: opsin ensemble runs/a runs/b --out FILE",
        )
    seen: dict[str, str] = {}
    for candidate in found:
        digest = checkpoint.digest(candidate.model.net.state_dict())
        if digest in seen:
            yield Note(
                f"{candidate.name} holds the same weights as {seen[digest]}: it counts twice and "
                "adds nothing new."
            )
        seen.setdefault(digest, candidate.name)
    return (yield from agreed(found))


def _files(paths: Sequence[str | Path], snapshots: bool) -> list[Path]:
    """Return the model files that are meant, in order."""
    files: list[Path] = []
    for given in paths:
        path = Path(given).expanduser()
        if snapshots:
            kept = sorted(path.glob("snapshot-*.safetensors"), key=_number)
            if not kept:
                raise ModelError(
                    f"{shown(path)}, where there are no snapshots",
                    expected="the folder of a run that kept some",
                    remedy="Train with --snapshots 5, and --schedule cyclic if you like.",
                )
            files += kept
        else:
            files.append(_finished(path) if path.is_dir() else path)
    return files


def _number(path: Path) -> int:
    return int("".join(re.findall(r"[0-9]+", path.stem)) or 0)


def _finished(folder: Path) -> Path:
    """Return the model file of a run; raise ``ModelError`` for one that is not finished."""
    begun = (folder / FACTS).exists()
    if begun and not _facts(folder).get("done"):
        raise ModelError(
            f"{shown(folder)}, a run that is not finished",
            expected="a finished run",
            remedy=f"Finish it with `opsin train --resume {shown(folder)}`.",
        )
    if not (folder / FILE).exists():
        raise ModelError(
            f"{shown(folder)}, where there is no model",
            expected="the folder of a run, or a model file",
            remedy="A study is a folder with study.json and rows.jsonl.",
        )
    return folder / FILE


def _facts(folder: Path) -> dict[str, Any]:
    """Return what a run wrote down; {} where there is nothing, raise where it is damaged."""
    path = folder / FACTS
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} ({error})", expected="the file a run wrote") from error


def _read(path: Path) -> Candidate:
    model = Model.load(path)
    if isinstance(model.net, Committee):
        raise ModelError(
            f"{shown(path)}, which is made of several models itself",
            expected="models of one net each",
            remedy="Name its members instead.",
        )
    facts = _facts(path.parent)
    ours = model.about.get("data", {}).get("fingerprint") == facts.get("data seen")
    name = path.parent if path.name == FILE else path
    return Candidate(shown(name), model, facts if facts.get("done") and ours else {})


def agreed(found: Sequence[Candidate]) -> Generator[Event, None, list[Candidate]]:
    """Return candidates that are asked the same thing in the same way, classes in one order.

    Raises ``ModelError`` that names the first who differs, in what, and why it cannot be.
    """
    first = found[0]
    if first.model.task.result.located:
        raise ModelError(
            f"{first.name} for the task {name_of(first.model.task)}",
            expected="models that say what a picture shows, not where",
            remedy="Use one model: places that several look at are not the same.",
        )
    made = []
    for other in found:
        _same_question(first, other)
        _same_frame(first, other)
        if other.model.classes != first.model.classes:
            yield Note(f"{other.name} has its classes in another order: they are put in order.")
            other = replace(other, model=_reordered(other.model, first.model.classes))
        made.append(other)
    return made


def _same_question(first: Candidate, other: Candidate) -> None:
    """Raise unless both have the same task and the same set of classes."""
    if type(first.model.task) is not type(other.model.task):
        raise ModelError(
            f"{other.name} for the task {name_of(other.model.task)}",
            expected=f"the task {name_of(first.model.task)}, as {first.name}",
            remedy="Only answers to one question can be averaged.",
        )
    mine, theirs = set(first.model.classes), set(other.model.classes)
    if mine != theirs:
        more, less = sorted(theirs - mine), sorted(mine - theirs)
        told = [f"{_few(more)}, which {first.name} lacks"] if more else []
        told += [f"not {_few(less)}, which {first.name} has"] if less else []
        raise ModelError(
            f"{other.name} with the classes {' and '.join(told)}",
            expected=f"the {count(len(mine), 'class')} of {first.name}",
            remedy="Train all of them on the same classes: what a net cannot say it cannot share.",
        )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _same_frame(first: Candidate, other: Candidate) -> None:
    """Raise unless both take pictures of the same size, cut and scaled alike."""
    mine, theirs = (frame(each.model.preprocessing) for each in (first, other))
    for name in ("channels", "size", "crop", "fit", "interpolation"):
        one, another = getattr(mine, name), getattr(theirs, name)
        if one != another:
            raise ModelError(
                f"{other.name}, which takes pictures with the {name} {_said(another)}",
                expected=f"the {name} {_said(one)}, as {first.name}",
                remedy="A picture is made ready once for all members. Train them on the same "
                f"pictures with the same --size; {first.name} was trained with "
                f"--size {mine.size[0]}.",
            )


def _said(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _reordered(model: Model, classes: tuple[str, ...]) -> Model:
    """Return a model whose outputs stand in the order of ``classes``, its own in another order."""
    net = copy.deepcopy(model.net)
    head = nets.head(net)
    order = torch.tensor([model.classes.index(name) for name in classes])
    with torch.no_grad():
        head.weight.copy_(head.weight[order])
        if head.bias is not None:
            head.bias.copy_(head.bias[order])
    task = model.task.restore(classes, model.task.state)
    return replace(model, net=net, task=task)
