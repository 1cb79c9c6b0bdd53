"""Making one model of several: who takes part, how they vote, and a report on what it adds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from opsin import committee
from opsin.committee import RULES, Committee, Member
from opsin.data.dataset import Dataset
from opsin.data.sample import shown
from opsin.engine import checkpoint
from opsin.engine.policies import Part
from opsin.ensemble import choose, held, rows, soup
from opsin.ensemble.diversity import diversity
from opsin.ensemble.held import Asked
from opsin.ensemble.joined import Joined, Judged, Seat
from opsin.ensemble.members import FILE, Candidate, agreed, gather
from opsin.errors import InputError
from opsin.events import Event, Note
from opsin.figures import Measures
from opsin.model import Model
from opsin.plugins import meant
from opsin.recipe import Recipe
from opsin.results import Result
from opsin.tasks import Task
from opsin.tasks._baseline import lead
from opsin.training.run import versions

WEIGHTS = "weights"
VOTES = (*RULES, WEIGHTS)
SELECT = ("all", "best", "greedy")
SIZE, MOST = 5, 1000


@dataclass(frozen=True)
class Wish:
    """Is how several are to become one: the rule, and who of the candidates takes part."""

    vote: str = "mean"
    select: str = "all"
    size: int = SIZE
    bags: int = 1

    def __post_init__(self) -> None:
        for name, word, words in (("vote", self.vote, VOTES), ("select", self.select, SELECT)):
            if word not in words:
                raise InputError(
                    f"{name} {word!r}",
                    expected=f"one of {', '.join(words)}",
                    remedy=meant(word, words),
                )
        for name, number in (("size", self.size), ("bags", self.bags)):
            if not 1 <= number <= MOST:
                raise InputError(f"{name} {number}", expected=f"1 to {MOST}")
        if self.vote == WEIGHTS and self.select != "all":
            raise InputError(
                f"select {self.select!r} beside vote {WEIGHTS!r}",
                expected="one of the two",
                remedy="A selection is made by the mean of what members say: use --vote mean.",
            )


@dataclass(frozen=True, eq=False)
class Pool:
    """Is the candidates with what they say of each part; ``take`` reads some of them."""

    names: Sequence[str]
    task: Task  # of all together
    asked: Mapping[str, Asked]
    take: Callable[[Sequence[int]], Generator[Event, None, list[Candidate]]]
    parts: Mapping[str, Part]  # of pictures, where they were read


def join(
    models: Sequence[str | Path],
    wish: Wish,
    out: Path,
    data: Dataset | None,
    *,
    snapshots: bool = False,
) -> Generator[Event, None, Joined]:
    """Make one model of several, write it to ``out`` and return it with what is known of it."""
    if len(models) == 1 and rows.is_study(models[0]):
        pool = yield from _of_study(Path(models[0]).expanduser(), data)
    else:
        pool = yield from _of_models(models, data, snapshots)
    if wish.vote == "majority" and not pool.task.classes:
        raise InputError(
            "vote 'majority' for numbers",
            expected="one of mean, weighted",
            remedy="Classes can be voted on; numbers are averaged.",
        )
    votes = yield from _votes(pool, wish)
    chosen = [place for place, vote in enumerate(votes) if vote > 0]
    if len(chosen) < len(pool.names):
        yield Note(f"{len(chosen)} of {len(pool.names)} candidates take part.")
    if len(chosen) == 1:
        yield Note(f"{pool.names[chosen[0]]} is left alone: the others would add nothing.")
    found = yield from pool.take(chosen)
    counts = [votes[place] for place in chosen]
    made = _made(pool, found, counts, wish)
    said = {name: _said(pool, each, chosen) for name, each in pool.asked.items()}
    together = {name: _together(pool, made, name, chosen, counts) for name in pool.asked}
    joined = _judged(pool, made, wish, (found, counts), said, together)
    joined.model.save(out)
    return replace(joined, model=replace(joined.model, path=out))


# ── who ─────────────────────────────────────────────────────────────────────────────────────────


def _of_models(
    models: Sequence[str | Path], data: Dataset | None, snapshots: bool
) -> Generator[Event, None, Pool]:
    """Return the pool of runs and model files, each asked all pictures there are."""
    found = yield from gather(models, snapshots=snapshots)
    parts = yield from held.parts(found, data)
    asked: dict[str, Asked] = {}
    for name in held.ASKED:
        if name in parts:
            asked[name] = yield from held.ask([each.model for each in found], parts[name], name)

    def take(places: Sequence[int]) -> Generator[Event, None, list[Candidate]]:
        yield from ()
        return [found[place] for place in places]

    tasks = [each.model.task for each in found]
    names = [each.name for each in found]
    return Pool(names, tasks[0].together(tasks), asked, take, parts)


def _of_study(folder: Path, data: Dataset | None) -> Generator[Event, None, Pool]:
    """Return the pool of a study's finished rows, from what they left on disk."""
    if data is not None:
        raise InputError(
            "data beside a study",
            expected="the study alone",
            remedy="Its rows keep what they said of validation and test pictures. Use "
            "`opsin evaluate` on the ensemble for others.",
        )
    plan, every = rows.read(folder)
    first = Model.load(every[0].folder)
    yield from agreed([Candidate(every[0].name, first, {})])
    asked = rows.asked(folder, plan, every)

    def take(places: Sequence[int]) -> Generator[Event, None, list[Candidate]]:
        some = [every[place] for place in places]
        found = [Candidate(row.name, Model.load(row.folder / FILE), {}) for row in some]
        return (yield from agreed(found))

    yield Note(f"{len(every)} finished rows of {plan.get('name') or shown(folder)}.")
    names = [row.name for row in every]
    return Pool(names, first.task.together([first.task]), asked, take, {})


def _votes(pool: Pool, wish: Wish) -> Generator[Event, None, list[float]]:
    """Return how much each candidate counts, 0 for those who do not take part."""
    m = len(pool.names)
    votes: list[float] = [1] * m
    if wish.select == "all" and wish.vote != "weighted":
        return votes
    name = "validation" if "validation" in pool.asked else "test"
    if name == "test":
        yield Note(
            "There are no validation pictures: what is chosen here is chosen on the very pictures "
            "that are reported on, and scores are too good."
        )
    opinions, truths = pool.asked[name].opinions, pool.asked[name].truths
    if wish.select == "best":
        votes = [*choose.best(pool.task, opinions, truths, wish.size)]
    elif wish.select == "greedy":
        votes = [*choose.greedy(pool.task, opinions, truths, wish.size, bags=wish.bags)]
    if wish.vote != "weighted":
        return votes
    chosen = [place for place in range(m) if votes[place] > 0]
    learnt = dict(zip(chosen, choose.weights(pool.task, opinions[chosen], truths), strict=True))
    return [learnt.get(place, 0.0) for place in range(m)]


# ── one of several ──────────────────────────────────────────────────────────────────────────────


def _made(pool: Pool, found: Sequence[Candidate], counts: Sequence[float], wish: Wish) -> Model:
    """Return the model of all together, without what is told about it."""
    if wish.vote == WEIGHTS:
        seen = pool.parts.get("validation") or pool.parts.get("test")
        if seen is None:
            raise InputError(
                "vote 'weights' for a study",
                expected="runs or model files",
                remedy="Name the folders of some rows instead.",
            )
        return soup.averaged(found, counts, pool.parts.get("train"), seen)
    models = [each.model for each in found]
    members = [Member(m.net, m.net_name, m.task, m.preprocessing) for m in models]
    task = models[0].task.together([model.task for model in models])
    net = Committee(members, task, wish.vote, counts).eval()
    pre = committee.frame(models[0].preprocessing)
    called = committee.called([model.net_name for model in models])
    return Model(net, called, task, pre, _shared([model.recipe for model in models]))


def _shared(recipes: Sequence[Recipe]) -> Recipe:
    """Return the settings that all recipes share; where they differ, the usual ones.

    >>> _shared([Recipe(seed=1, epochs=3), Recipe(seed=2, epochs=3)]).to_dict()["epochs"]
    3
    """
    every = {spec.name: [getattr(each, spec.name) for each in recipes] for spec in fields(Recipe)}
    return Recipe(**{name: v[0] for name, v in every.items() if all(one == v[0] for one in v)})


def _said(pool: Pool, asked: Asked, chosen: Sequence[int]) -> list[list[Result]]:
    """Return what each member says of the pictures of a part."""
    return [_decoded(pool.task, asked.opinions[place]) for place in chosen]


def _decoded(task: Task, opinions: Tensor) -> list[Result]:
    return task.decode(task.outputs_of(opinions).numpy())


def _together(
    pool: Pool, made: Model, name: str, chosen: Sequence[int], counts: Sequence[float]
) -> list[Result]:
    """Return what all together say of the pictures of a part."""
    if isinstance(made.net, Committee):
        opinions = [pool.asked[name].opinions[place] for place in chosen]
        return _decoded(made.task, made.net.rule(opinions, counts))
    pixels = pool.parts[name].pixels
    blocks = [
        made.outputs(pixels[at : at + held.BLOCK]) for at in range(0, len(pixels), held.BLOCK)
    ]
    return made.decode(torch.cat([torch.from_numpy(block) for block in blocks]).numpy())


# ── what is told ────────────────────────────────────────────────────────────────────────────────


def _judged(
    pool: Pool,
    made: Model,
    wish: Wish,
    who: tuple[Sequence[Candidate], Sequence[float]],
    said: Mapping[str, list[list[Result]]],
    together: Mapping[str, list[Result]],
) -> Joined:
    """Measure members and all together on each part; return the model that says so."""
    found, counts = who
    task, better = made.task, made.task.better
    truths = {name: each.truths for name, each in pool.asked.items()}
    scores: dict[str, list[Measures]] = {
        name: [task.measure(each, truths[name]) for each in every] for name, every in said.items()
    }
    decides = "validation" if "validation" in scores else "test"
    values = [task.sign * each.metrics[better].value for each in scores[decides]]
    best = max(range(len(found)), key=lambda place: (values[place], -place))
    judged = {
        name: Judged(
            task.measure(together[name], truths[name]),
            diversity(task, said[name], truths[name]),
            lead(task, together[name], said[name][best], truths[name]),
        )
        for name in scores
    }
    seats = [
        Seat(
            each.name,
            each.model.net_name,
            each.model.recipe.seed,
            count,
            {name: scores[name][place].metrics[better] for name in scores},
        )
        for place, (each, count) in enumerate(zip(found, counts, strict=True))
    ]
    model = replace(made, about=_about(found, seats, judged, wish))
    return Joined(model, wish.vote, seats, judged, found[best].name)


def _about(
    found: Sequence[Candidate], seats: Sequence[Seat], judged: Mapping[str, Judged], wish: Wish
) -> dict[str, Any]:
    """Return what the model file says of itself: where it comes from, and how good it is."""
    part = "test" if "test" in judged else "validation"
    metrics = {name: each.to_dict() for name, each in judged[part].measures.metrics.items()}
    data = [each.model.about.get("data", {}) for each in found]
    return {
        "policy": f"ensemble by {wish.vote}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": data[0] if all(each == data[0] for each in data) else {},
        "split": {"held_out": part},
        "weights": None,
        "metrics": metrics,
        "parts": {name: each.to_dict() for name, each in judged.items()},
        "versions": versions(),
        "note": f"{wish.vote} of {len(found)} models",
        "members": [
            seat.to_dict()
            | {
                "recipe": each.model.recipe.to_dict(),
                "sha256": checkpoint.digest(each.model.net.state_dict()),
                "policy": each.model.about.get("policy"),
                "data": each.model.about.get("data"),
                "metrics": each.model.about.get("metrics"),
            }
            for each, seat in zip(found, seats, strict=True)
        ],
    }
