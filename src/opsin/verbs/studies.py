"""What is asked of many trainings: which setting is better, what several models say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opsin.errors import InputError
from opsin.events import follow
from opsin.verbs._asked import Watch, ignore, new_file

if TYPE_CHECKING:
    from opsin.data.dataset import Dataset
    from opsin.ensemble.joined import Joined
    from opsin.study.plan import Plan
    from opsin.study.told import Studied


def study(
    plan: str | Path | Plan | None = None,
    *,
    out: str | Path | None = None,
    root: str | Path | None = None,
    preset: str | None = None,
    on: str | None = None,
    workers: int | None = None,
    retries: int = 1,
    resume: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    watch: Watch = ignore,
) -> Studied:
    """Train a grid of settings with several seeds each, and say what each makes of it.

    A plan is a TOML file with data, seeds, [recipe] (settings in common) and [grid] (lists of
    values for any setting; every combination is a cell), or the name of a study that is built in.
    Each cell and seed is a row, written down when it is done. The cost is told before the first.
    The page sets what each setting reaches against the milliseconds it takes for a picture.
    Several commands on one folder share its rows.

    Args:
        plan: a TOML file, or the name of a study
        out: folder for the rows and the report
        root: where a named set lies on this machine, or the folder a table's paths start from
        preset: how much of a built-in study: laptop (if not given) or full
        on: address of a Ray cluster that works on the rows, as ray://HOST:PORT, HOST:PORT or auto
        workers: rows in work at a time; as many as there are cores if not given
        retries: how often a row that failed is tried again
        resume: go on with the study in out, and try again what failed
        dry_run: say what would be done and what it costs, and do nothing
        yes: more than 10,000 rows are meant

    Examples:
        opsin study study.toml --out studies/nets --dry-run
        opsin study study.toml --out studies/nets
        opsin study --resume --out studies/nets
        opsin study digits-augmentation --out studies/digits
        opsin study examples/detectors.toml --out studies/detectors
        opsin study study.toml --out studies/nets --on ray://head:10001
    """
    from opsin.study import job

    if plan is None and not (resume and out is not None):
        raise InputError(
            "no plan", expected="a TOML file or the name of a study, or --resume with --out"
        )
    if out is None and not dry_run:
        raise InputError("no out", expected="a folder", remedy="Add --out studies/NAME.")
    way = job.Way(on, workers, retries, large=yes)
    asked = job.asked(plan, preset, root, None if out is None else Path(out).expanduser())
    if dry_run:
        return follow(job.dry_run(asked, way), watch)
    return follow(job.start(asked, Path(str(out)).expanduser(), way, resume=resume), watch)


def ensemble(
    models: Sequence[str],
    *,
    out: str | Path | None = None,
    vote: str = "mean",
    data: str | Path | Dataset | None = None,
    root: str | Path | None = None,
    select: str | None = None,
    size: int | None = None,
    snapshots: bool = False,
    watch: Watch = ignore,
) -> Joined:
    """Make one model of several, and say what that adds.

    The model file that comes out is used like any other: evaluate, predict, nets. All must answer
    the same question about pictures of one size. What is learnt or chosen here comes from the
    validation pictures the runs held out, which must be the same ones: train with one --split.

    \b
    mean       of the calibrated probabilities, or numbers
    weighted   mean; the weights have the least loss on validation pictures
    majority   each votes for a class, ties are broken by mean probability
    weights    of the nets themselves are averaged: one net, as from snapshots of one run

    Args:
        models: runs or model files; or the folder of one study
        out: the model file to write
        vote: mean, weighted, majority or weights
        data: labelled pictures none has learnt from, to report on (and to weigh by, without runs)
        root: where a named set lies on this machine, or the folder a table's paths start from
        select: who takes part: all, the best, or greedy (a model may be chosen again and again)
        size: how many are selected; else 5
        snapshots: make one of what each run kept on the way

    Examples:
        opsin ensemble runs/a runs/b runs/c --vote majority --out three.safetensors
        opsin ensemble runs/a runs/b runs/c --vote weighted --data photos_test/ --out w.safetensors
        opsin ensemble studies/mnist --select greedy --size 5 --out five.safetensors
        opsin train samples:digits --schedule cyclic --snapshots 5 --epochs 50 --out runs/cyclic
        opsin ensemble runs/cyclic --snapshots --out cycles.safetensors
    """
    from opsin.ensemble import held, job, rows

    path = new_file(out, models)
    studied = len(models) == 1 and rows.is_study(models[0])
    who = select or ("greedy" if studied or size is not None else "all")
    wish = job.Wish(vote, who, job.SIZE if size is None else size)
    given = held.read(data, root)
    return follow(job.join(models, wish, path, given, snapshots=snapshots), watch)
