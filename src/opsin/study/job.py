"""Starting, going on with and ending a study in its folder."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsin import plugins
from opsin.data.dataset import Dataset
from opsin.errors import InputError, ModelError, RecipeError
from opsin.events import Event, Note
from opsin.study import page, written
from opsin.study import stock as stocks
from opsin.study.cost import Cost, estimate, spoken
from opsin.study.drive import drive
from opsin.study.hands import Hands, Processes, processors
from opsin.study.plan import Plan, Row, words
from opsin.study.stock import Stock
from opsin.study.store import RowStore
from opsin.study.summary import summary
from opsin.study.told import Studied
from opsin.training.choice import check_words
from opsin.training.run import versions

STUDIES = "opsin.study.studies"
USUAL = "laptop"  # preset
MOST_WORKERS, MOST_RETRIES = 1024, 100
MOST = 10_000  # rows that start without a word


@dataclass(frozen=True)
class Way:
    """Says how a study is worked on, none of which changes its table."""

    on: str | None = None  # address of a Ray cluster
    workers: int | None = None
    retries: int = 1
    large: bool = False  # more rows than usual are meant

    def __post_init__(self) -> None:
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise InputError(f"workers={self.workers}", expected=f"1 to {MOST_WORKERS}")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise InputError(f"retries={self.retries}", expected=f"0 to {MOST_RETRIES}")


def asked(
    plan: str | Path | Plan | None, preset: str | None, root: str | Path | None, out: Path | None
) -> Plan:
    """Return the plan a person asks for; None is that of the study in ``out``."""
    if isinstance(plan, Plan):
        return plan
    if plan is None:
        facts = RowStore(out).facts() if out is not None else {}
        if not facts:
            raise ModelError(
                f"{out}, where there is no study to go on with",
                expected="the folder of a study",
                remedy="Start one with `opsin study PLAN --out FOLDER`.",
            )
        return Plan.from_dict(facts)
    path = Path(plan).expanduser()
    if path.suffix == ".toml" or path.is_file():
        if preset is not None:
            raise InputError("preset beside a file", expected="a study that is built in")
        return replace(written.read(path, root), typed=(str(plan), *_rooted(root)))
    where = None if root is None else Path(root).expanduser()
    found: Plan = _module(str(plan)).plan(preset or USUAL, where)
    return replace(found, typed=(str(plan), "--preset", preset or USUAL, *_rooted(root)))


def _rooted(root: str | Path | None) -> tuple[str, ...]:
    """Return the words that say where data lies, if anybody said."""
    return () if root is None else ("--root", str(root))


def _module(name: str) -> Any:
    """Return the module of a study that is built in."""
    try:
        return plugins.load(STUDIES, name, "study", InputError)
    except InputError as error:
        remedy = f"{error.remedy} Or give a TOML file that says what to study.".strip()
        raise InputError(error.received, expected=error.expected, remedy=remedy) from error


def finish(plan: Plan, out: Path) -> None:
    """Do what a built-in study wants done after its rows, where it wants anything."""
    if plan.built_in is not None:
        wanted = getattr(_module(plan.built_in), "finish", None)
        if wanted is not None:
            wanted(out)


def start(plan: Plan, out: Path, way: Way, *, resume: bool) -> Generator[Event, None, Studied]:
    """Work on a study in the folder ``out`` until all rows are done; return its table."""
    store = RowStore(out)
    facts = store.facts()
    if facts and not resume:
        raise ModelError(
            f"{out}, which holds the study {facts.get('name')!r}",
            expected="a new folder",
            remedy="Choose another --out, or go on with --resume.",
        )
    yield from _within_reason(plan, way)
    rows = checked(plan)
    cost = None

    def tidy() -> None:
        lines = store.rows().values()
        store.forget({line["id"] for line in lines if line["state"] == "failed"})

    with _forgotten(store), store.working(tidy):
        if any(row.id not in store.rows() for row in rows):
            cost = yield from _worked(plan, rows, store, way)
    facts = store.facts()
    store.clean()
    finish(plan, out)
    written_page = page.write(out)
    told = summary(out, written_page)
    return Studied(
        plan, facts["metric"], facts["sign"], store.rows(), cost, out, written_page, told
    )


@contextmanager
def _forgotten(store: RowStore) -> Iterator[None]:
    """Remove what a new study wrote where wrong input ends it before it began."""
    try:
        yield
    except InputError:
        store.forget_all()
        raise


def _worked(
    plan: Plan, rows: Sequence[Row], store: RowStore, way: Way
) -> Generator[Event, None, Cost]:
    """Make the pictures ready, tell what is left to do and what it costs, and do it."""
    with store.alone("study"):
        stock = yield from _stocked(plan, rows, store)
    facts = store.facts()
    left = [row for row in rows if row.id not in store.rows()]
    many = min(way.workers or max(1, processors() // facts["threads"]), max(1, len(left)))
    with closing(_hands(way, store, stock, many, facts["threads"])) as hands:
        cost = yield from estimate(plan, left, store, stock, hands)
        for line in cost.lines():
            yield Note(line)
        seeds = {seed: place for place, seed in enumerate(plan.seeds)}
        # The dearest first within a seed, so that no core waits for a long one at the end.
        left.sort(key=lambda row: (seeds[row.seed], -cost.each[words(row.cell)]))
        done = [row for row in rows if row.id in store.rows()]
        metric = facts["metric"]
        yield from drive([*done, *left], store, stock, hands, retries=way.retries, metric=metric)
    return cost


def dry_run(plan: Plan, way: Way) -> Generator[Event, None, Studied]:
    """Return the plan and its cost; nothing is trained and nothing is kept.

    Of a plan of very many rows the first cell stands for all.
    """
    few = len(plan) <= MOST
    rows = checked(plan) if few else [plan.row(next(plan.cells()), seed) for seed in plan.seeds]
    with tempfile.TemporaryDirectory(prefix="opsin-study-") as folder:
        store = RowStore(Path(folder))
        stock = yield from _stocked(plan, rows, store)
        facts = store.facts()
        many = min(way.workers or max(1, processors() // facts["threads"]), len(rows))
        with closing(Processes(store.cache, many, facts["threads"])) as hands:
            cost = yield from estimate(plan, rows, store, stock, hands)
    cost = cost if few else cost.scaled(plan)
    return Studied(plan, facts["metric"], facts["sign"], {}, cost)


def _within_reason(plan: Plan, way: Way) -> Generator[Event, None, None]:
    """Raise, with what it would cost, for a plan of so many rows that it may be a mistake."""
    if len(plan) <= MOST or way.large:
        return
    told = yield from dry_run(plan, way)
    assert told.cost is not None
    raise InputError(
        f"a study of {len(plan):,} rows, {spoken(told.cost.seconds)} and "
        f"{told.cost.bytes / 1e9:,.1f} GB on this machine",
        expected=f"at most {MOST:,} rows, unless more are meant",
        remedy="Add --yes to start it all the same.",
    )


def checked(plan: Plan) -> list[Row]:
    """Return every row; raise ``RecipeError`` where a cell cannot be trained."""
    for cell in plan.cells():
        with _naming(cell):
            check_words(plan.row(cell, plan.seeds[0]).recipe)
    rows = list(plan.rows())
    if len({row.id for row in rows}) < len(rows):
        raise RecipeError("two rows that are the same", expected="each setting and seed once")
    return rows


@contextmanager
def _naming(cell: dict[str, Any]) -> Iterator[None]:
    """Say in which cell the settings contradict each other."""
    try:
        yield
    except InputError as error:
        raise RecipeError(
            f"in {f'the cell {words(cell)}' if cell else 'the settings'}: {error.received}",
            expected=error.expected,
            remedy=error.remedy,
        ) from error


def _must_grow(old: Plan, new: Plan, rows: Sequence[Row], out: Path) -> None:
    """Raise where a plan leaves out rows that a study in its folder may have done already."""
    kept = {row.id for row in rows}
    lost = [row for row in old.rows() if row.id not in kept]
    if lost or old.data != new.data:
        raise ModelError(
            f"another plan than that of the study in {out}"
            + (f" (without {lost[0].label})" if lost else ""),
            expected="the same plan, or one that adds to it",
            remedy="Choose another --out, or leave the plan out to go on with the old one.",
        )


def _stocked(plan: Plan, rows: Sequence[Row], store: RowStore) -> Generator[Event, None, Stock]:
    """Return the pictures of a study, made ready where they are not; write down what is studied."""
    facts, stock = store.facts(), stocks.load(store.cache)
    if facts:
        _must_grow(Plan.from_dict(facts), plan, rows, store.folder)
    if stock is None or any(stock.choice(row) is None for row in rows):
        data = Dataset.read(plan.data, root=plan.root)
        stock, told = yield from stocks.gather(data, rows, store.cache)
        seen = facts.get("fingerprint", stock.facts["fingerprint"])
        if seen != stock.facts["fingerprint"]:
            shutil.rmtree(store.cache, ignore_errors=True)
            raise InputError(
                f"{plan.data} with other pictures or labels than when the study began",
                expected=f"the same data (fingerprint {seen[:12]})",
                remedy="Put back what has changed, or start a new study with another --out.",
            )
        stocks.write_truths(data, told["classes"], store.folder / "truths.safetensors")
        facts = facts | told | {"fingerprint": seen}
    if any(facts.get(name) != value for name, value in plan.to_dict().items()):
        here = versions()
        new = {
            "threads": 1,
            "machine": f"{platform.machine()}, {processors()} cores, 1 thread a row",
            "versions": {name: version for name, version in here.items() if name != "machine"},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        store.note(**(new | facts | plan.to_dict()))
    return stock


def _hands(way: Way, store: RowStore, stock: Stock, many: int, threads: int) -> Hands:
    """Return who works: processes of this machine, or a cluster."""
    if way.on is not None:
        from opsin.study.fleet import Fleet

        return Fleet(way.on, store.cache, stock, way.workers or 0)
    return Processes(store.cache, many, threads)
