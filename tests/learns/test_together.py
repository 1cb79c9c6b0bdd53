"""Nets trained for real are better together, and so are the cycles of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

import opsin
from opsin import verbs

pytestmark = pytest.mark.learns

DIGITS = "samples:digits"


def test_three_runs_are_better_together(tmp_path: Path) -> None:
    runs = []
    for seed in range(3):
        recipe = opsin.Recipe(net="lenet5", policy="scratch", epochs=6, seed=seed, split=0)
        opsin.train(DIGITS, recipe, out=tmp_path / str(seed))
        runs.append(str(tmp_path / str(seed)))
    for vote in ("mean", "weighted", "majority"):
        out = tmp_path / f"{vote}.safetensors"
        one = verbs.ensemble(runs, vote=vote, out=out)
        told = one.judged["test"].measures.metrics["accuracy"]
        measured = opsin.evaluate(out, DIGITS).metrics["accuracy"]
        assert measured.value == pytest.approx(told.value, abs=1.1 / 359)
        scores = sorted(seat.scores["test"].value for seat in one.seats)
        assert told.value >= scores[0]
        if vote == "mean":
            assert told.value >= scores[1] and told.value > 0.93


def test_cycles_of_one_run(tmp_path: Path) -> None:
    words = opsin.Recipe(net="lenet5", epochs=9, schedule="cyclic", snapshots=3, warmup=0.0)
    opsin.train(DIGITS, words, out=tmp_path / "run")
    files = sorted(path.name for path in (tmp_path / "run").glob("snapshot-*"))
    assert files == [f"snapshot-{number}.safetensors" for number in (1, 2, 3)]
    last = opsin.Model.load(tmp_path / "run" / files[-1])
    assert last.about["note"] == "snapshot 3 of 3"
    measured = opsin.evaluate(last, DIGITS).metrics["accuracy"].to_dict()
    assert last.about["metrics"]["accuracy"] == measured
    one = verbs.ensemble([str(tmp_path / "run")], snapshots=True, out=tmp_path / "a.safetensors")
    assert [seat.votes for seat in one.seats] == [1, 1, 1]
    scores = [seat.scores["test"].value for seat in one.seats]
    assert scores[2] > scores[0]
    assert one.judged["test"].measures.metrics["accuracy"].value > scores[0]


def test_last_weights_of_one_descent_are_averaged(tmp_path: Path) -> None:
    """Stochastic weight averaging: of a course that stays high, the early weights left out."""
    line = "conv 3x3x16, bn, pool 2, conv 3x3x32, bn, pool 2, dense 10"
    recipe = opsin.Recipe(net=line, epochs=8, schedule="flat", snapshots=8, warmup=0.0)
    opsin.train(DIGITS, recipe, out=tmp_path / "run")
    late = [str(tmp_path / "run" / f"snapshot-{number}.safetensors") for number in (5, 6, 7, 8)]
    one = verbs.ensemble(late, vote="weights", out=tmp_path / "a.safetensors")
    assert one.model.net_name == line
    scores = [seat.scores["test"].value for seat in one.seats]
    told = one.judged["test"].measures.metrics["accuracy"].value
    assert told >= min(scores) - 0.02 and told > 0.9
    assert opsin.evaluate(tmp_path / "a.safetensors", DIGITS).metrics["accuracy"].value == (
        pytest.approx(told, abs=1.1 / 359)
    )
