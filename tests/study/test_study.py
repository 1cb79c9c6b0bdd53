"""A study from plan to table, worked on within this process.

tests/study/test_study_killed.py does it for real.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from here import Here

import opsin
from opsin import cli, verbs
from opsin.engine import checkpoint
from opsin.errors import DataError, InputError, ModelError
from opsin.events import Advanced, Event, Finished, Note, Started
from opsin.study import job, page
from opsin.study.hands import Job
from opsin.study.plan import Plan
from opsin.study.rows import Study
from opsin.study.speed import MOST
from opsin.study.stock import Stock
from opsin.study.store import RowStore
from opsin.study.summary import summary
from opsin.study.told import Studied

Fails = Callable[[Job], dict[str, Any] | None]

PLAN = Plan(
    "t",
    "samples:digits",
    base={"net": "lenet5", "policy": "scratch", "epochs": 1, "batch": 256},
    grid={"augment": ("none", "rotate 10")},
    seeds=(0, 1),
)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fails], list[Here]]:
    """Let studies be worked on in this process; give who worked, one for each call."""

    def use(fails: Fails = lambda asked: None) -> list[Here]:
        used: list[Here] = []

        def hands(way: job.Way, store: RowStore, stock: Stock, many: int, threads: int) -> Here:
            used.append(Here(stock, fails))
            return used[-1]

        monkeypatch.setattr(job, "_hands", hands)
        return used

    return use


def table(studied: Studied) -> list[Any]:
    """Return what must not depend on how a study was worked on."""
    return [{name: cell[name] for name in ("cell", "mean", "sd", "n")} for cell in studied.cells()]


def lines(out: Path) -> dict[str, Any]:
    """Return every row without its times and places."""
    found = [json.loads(text) for text in (out / "rows.jsonl").read_text().splitlines()]
    for line in found:
        line["curve"] = [[epoch, score] for epoch, _, score in line["curve"]]
        del line["seconds"], line["worker"], line["speed"], line["at_once"]
    assert len({line["id"] for line in found}) == len(found)
    return {line["id"]: line for line in found}


def test_a_study_leaves_rows_outputs_and_truths(here: Any, tmp_path: Path) -> None:
    told: list[Event] = []
    (used, out) = here(), tmp_path / "study"
    studied = verbs.study(PLAN, out=out, watch=told.append)
    assert set(used[0].done) == {row.id for row in PLAN.rows()} and len(used[0].done) == 4
    assert [cell["n"] for cell in studied.cells()] == [2, 2]
    facts = json.loads((out / "study.json").read_text())
    assert facts["metric"] == "accuracy" and facts["sign"] == 1 and facts["task"] == "classify"
    assert facts["fields"] == {"augment": ["none", "rotate 10"]} and facts["seeds"] == [0, 1]
    assert facts["classes"] == list("0123456789") and facts["base"]["net"] == "lenet5"
    labels = checkpoint.load(out / "truths.safetensors")[0]["label"]
    data = opsin.Dataset.read("samples:digits")
    assert [str(k) for k in labels.tolist()] == [s.truth.words() for s in data.samples if s.truth]
    for line in lines(out).values():
        outputs, _ = checkpoint.load(out / line["folder"] / "outputs.safetensors")
        model = opsin.Model.load(out / line["folder"])
        assert model.recipe.augment == line["cell"]["augment"] and model.recipe.split == 0
        for part, n in line["n"].items():
            said, places = outputs[part], outputs[f"{part}_index"]
            assert said.shape == (n, 10) and said.dtype == torch.float32
            assert torch.allclose(said.sum(1), torch.ones(n))
            right = (said.argmax(1) == labels[places]).double().mean()
            assert float(right) == pytest.approx(line["scores"][part])
        assert {data.samples[i].split for i in outputs["test_index"].tolist()} == {"test"}
        image = data.samples[int(outputs["test_index"][0])].image
        (answer,) = model.predict(image)
        scores = [answer.to_dict()["scores"][name] for name in model.classes]
        assert np.allclose(scores, outputs["test"][0].numpy(), atol=0.02)
        assert line["images"] == 1024 and line["epochs"] == len(line["curve"]) == 1
    left = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    assert left == ["rows", "rows.jsonl", "study.html", "study.json", "truths.safetensors"]
    assert any(isinstance(e, Note) and "4 rows" in e.text for e in told)
    assert Started("rows", 4, "rows") in told
    assert sum(e.by for e in told if isinstance(e, Advanced) and e.part == "rows") == 4
    ended = [e.text for e in told if isinstance(e, Finished) and "seed" in e.part]
    assert len(ended) == 4 and all(text.startswith("test accuracy 0.") for text in ended)


def test_rows_of_one_split_are_comparable(here: Any, tmp_path: Path) -> None:
    """Seeds change the training and not the pictures that are asked."""
    here()
    verbs.study(PLAN, out=tmp_path / "study")
    files = sorted(tmp_path.glob("study/rows/*/outputs.safetensors"))
    found = [checkpoint.load(path)[0] for path in files]
    assert all(torch.equal(o["validation_index"], found[0]["validation_index"]) for o in found)
    assert len({o["validation"].numpy().tobytes() for o in found}) == 4


@pytest.mark.contracts
def test_a_row_is_the_run_of_its_recipe(here: Any, tmp_path: Path) -> None:
    """Not a copy of the engine but the engine: the same weights to the bit."""
    here()
    verbs.study(PLAN, out=tmp_path / "study")
    row = list(PLAN.rows())[-1]
    whole = opsin.train("samples:digits", row.recipe, out=tmp_path / "run")
    lean = opsin.Model.load(tmp_path / "study" / "rows" / row.id)
    assert checkpoint.digest(lean.net.state_dict()) == checkpoint.digest(whole.net.state_dict())
    assert lean.task.state == pytest.approx(whole.task.state, abs=0.02)
    assert lean.about["data"] == whole.about["data"] and lean.about["split"] == whole.about["split"]


def test_a_long_row_goes_on_from_its_checkpoint(here: Any, tmp_path: Path) -> None:
    """Cut off after its second epoch and taken up again, it leaves the bits of a whole one."""
    from opsin.data.dataset import Dataset
    from opsin.engine import store as stores
    from opsin.events import Epoch, follow
    from opsin.study import stock as stocks
    from opsin.study.stock import choice_of
    from opsin.training.lean import lean

    plan = Plan("t", PLAN.data, base=dict(PLAN.base) | {"epochs": 4}, seeds=(3,))
    (row,) = plan.rows()
    data = Dataset.read(PLAN.data)
    stock, _ = follow(stocks.gather(data, [row], tmp_path / "cache"), lambda event: None)
    chosen = stock.choice(row)
    assert chosen is not None
    made, choice = stock.material(chosen["frame"]), choice_of(chosen, row.recipe)
    whole = follow(lean(made, choice, row.recipe, tmp_path / "whole"), lambda event: None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stores.Sparing.__init__, "__defaults__", (0.0,))
        events = lean(made, choice, row.recipe, tmp_path / "cut")
        for event in events:
            if isinstance(event, Epoch) and event.epoch == 3:
                break
        events.close()
    assert (tmp_path / "cut" / "checkpoints").is_dir()
    told: list[Event] = []
    cut = follow(lean(made, choice, row.recipe, tmp_path / "cut"), told.append)
    assert [event.epoch for event in told if isinstance(event, Epoch)] == [3, 4]
    assert checkpoint.digest(cut.judged.model.net.state_dict()) == checkpoint.digest(
        whole.judged.model.net.state_dict()
    )
    assert [[e, score] for e, _, score in cut.curve] == [[e, score] for e, _, score in whole.curve]
    assert cut.scores == whole.scores and cut.images == whole.images
    left = sorted(path.name for path in (tmp_path / "cut").iterdir())
    assert left == ["model.safetensors", "outputs.safetensors"]


def test_a_row_that_fails_is_tried_again_and_then_named(here: Any, tmp_path: Path) -> None:
    tried: Counter[str] = Counter()
    bad, shaky = (row.id for row in list(PLAN.rows())[:2])

    def fails(asked: Job) -> dict[str, Any] | None:
        if asked["ask"] == "price":
            return None
        tried[asked["id"]] += 1
        if asked["id"] == bad:
            return {"failed": "ValueError: no luck"}
        return {"died": "the worker ended by SIGKILL."} if tried[shaky] == 1 else None

    here(fails)
    studied = verbs.study(PLAN, out=tmp_path / "study")
    assert tried[bad] == tried[shaky] == 2
    found = RowStore(tmp_path / "study").rows()
    assert found[bad]["state"] == "failed" and found[bad]["reason"] == "ValueError: no luck"
    assert found[shaky]["state"] == "done"
    assert [cell["failed"] for cell in studied.cells()] == [1, 0]
    assert any("no luck" in note for note in studied.notes())
    assert not (tmp_path / "study" / "rows" / bad).exists()

    used = here()  # whatever it was is mended: going on tries what failed, and nothing else
    whole = verbs.study(resume=True, out=tmp_path / "study")
    assert used[0].done == [bad] and [cell["n"] for cell in whole.cells()] == [2, 2]


def test_a_diverging_row_is_a_row_that_failed(here: Any, tmp_path: Path) -> None:
    here()
    plan = Plan("t", "samples:digits", base=PLAN.base, grid={"rate": (0.05, 99.0)}, seeds=(0,))
    studied = verbs.study(plan, out=tmp_path / "study", retries=0)
    fine, wild = studied.cells()
    assert fine["n"] == 1
    assert wild["failed"] == 1 or wild["mean"] < 0.5


def test_a_study_times_its_rows_and_shows_it(here: Any, tmp_path: Path) -> None:
    here()
    studied = verbs.study(PLAN, out=tmp_path / "s")
    for line in map(json.loads, (tmp_path / "s/rows.jsonl").read_text().splitlines()):
        assert line["speed"]["milliseconds"] > 0 and line["at_once"] == 1
        assert 1 <= line["speed"]["pictures"] <= MOST and line["speed"]["runtime"]
    assert all(cell["milliseconds"] > 0 for cell in studied.cells())
    assert all(row["ms"] for row in studied.table(100))
    told = page.tell(tmp_path / "s")
    assert told.at_once == (1,) and 'id="speed"' in (tmp_path / "s/study.html").read_text("utf-8")
    plain = summary(tmp_path / "s").to_dict()
    assert plain["front"] and all(cell["milliseconds"] > 0 for cell in plain["cells"])
    # A row of a time before rows were timed stands beside them.
    path = tmp_path / "s/rows.jsonl"
    old = [json.loads(line) for line in path.read_text().splitlines()]
    del old[0]["speed"], old[0]["at_once"]
    path.write_text("".join(json.dumps(line) + "\n" for line in old))
    used = here()
    resumed = verbs.study(resume=True, out=tmp_path / "s")
    assert used == [] and [cell["n"] for cell in resumed.cells()] == [2, 2]
    assert all(cell["milliseconds"] > 0 for cell in resumed.cells())


class Cut(Exception):
    """Ends a study in the middle."""


def test_a_study_that_was_cut_off_goes_on(here: Any, tmp_path: Path) -> None:
    here()
    whole = verbs.study(PLAN, out=tmp_path / "whole")
    done: list[str] = []

    def cuts(asked: Job) -> dict[str, Any] | None:
        if asked["ask"] == "row":
            done.append(asked["id"])
        if len(done) == 3:
            raise Cut
        return None

    here(cuts)
    with pytest.raises(Cut):
        verbs.study(PLAN, out=tmp_path / "cut")
    before = set(lines(tmp_path / "cut"))
    assert len(before) == 2
    with pytest.raises(ModelError, match="--resume"):
        verbs.study(PLAN, out=tmp_path / "cut")
    used = here()
    resumed = verbs.study(resume=True, out=tmp_path / "cut")
    assert set(used[0].done) == {row.id for row in PLAN.rows()} - before
    assert table(resumed) == table(whole)
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")
    again = verbs.study(resume=True, out=tmp_path / "cut")  # nothing is left to do
    assert table(again) == table(whole) and len(used) == 1


def test_a_full_disk_ends_it_in_one_sentence_and_loses_nothing(here: Any, tmp_path: Path) -> None:
    refused = {"received": "no room", "expected": "a folder with room", "remedy": "Free some."}
    begun: list[str] = []

    def fails(asked: Job) -> dict[str, Any] | None:
        begun.extend([asked["id"]] if asked["ask"] == "row" else [])
        return {"failed": "no room", "refused": refused} if len(begun) > 1 else None

    here(fails)
    with pytest.raises(DataError, match="received no room; expected a folder with room"):
        verbs.study(PLAN, out=tmp_path / "study")
    kept = lines(tmp_path / "study")
    assert set(kept) == {begun[0]} and len(begun) == 2
    here()
    verbs.study(resume=True, out=tmp_path / "study")
    assert lines(tmp_path / "study").keys() == {row.id for row in PLAN.rows()}


def test_a_row_that_someone_else_has_is_waited_for(here: Any, tmp_path: Path) -> None:
    here()
    out = tmp_path / "study"
    theirs = next(PLAN.rows()).id
    other = RowStore(out)
    claim = other.claim(theirs)
    assert claim is not None

    def finish() -> None:
        line = {"id": theirs, "cell": {"augment": "none"}, "seed": 0, "state": "done"}
        scores = {"scores": {"validation": 0.5, "test": 0.5}, "seconds": 1.0, "curve": []}
        other.record(line | scores)
        claim.release()

    timer = threading.Timer(2.0, finish)
    timer.start()
    used = here()
    studied = verbs.study(PLAN, out=out)
    timer.join()
    assert theirs not in used[0].done and len(used[0].done) == 3
    assert studied.rows[theirs]["scores"]["test"] == 0.5


def test_a_study_grows_and_does_not_change(here: Any, tmp_path: Path) -> None:
    here()
    verbs.study(PLAN, out=tmp_path / "study")
    more = Plan("t", PLAN.data, base=PLAN.base, grid=PLAN.grid, seeds=(0, 1, 2))
    used = here()
    studied = verbs.study(more, out=tmp_path / "study", resume=True)
    assert len(used[0].done) == 2 and [cell["n"] for cell in studied.cells()] == [3, 3]
    other = Plan("t", PLAN.data, base=PLAN.base, grid={"augment": ("flip",)}, seeds=(0, 1, 2))
    with pytest.raises(ModelError, match="another plan"):
        verbs.study(other, out=tmp_path / "study", resume=True)


def test_a_dry_run_tells_the_cost_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "Processes", lambda cache, many, threads: Here(stock_of(cache)))
    studied = verbs.study(PLAN, dry_run=True)
    assert not list(tmp_path.iterdir())
    assert studied.cost is not None and studied.cost.left == 4
    assert 4 * 1100 < studied.cost.images < 4 * 1300
    assert studied.cost.seconds > 0 and studied.cost.bytes > 1_000_000
    assert [row["augment"] for row in studied.table(100)] == ["none", "rotate 10"]
    assert any("4 rows" in note for note in studied.notes())
    large = Plan(
        "t", PLAN.data, base=PLAN.base, grid={"rate": (0.1, 0.2)}, seeds=tuple(range(5001))
    )
    with pytest.raises(InputError, match=r"10,002 rows, .* GB on this machine.*--yes"):
        verbs.study(large, out=tmp_path / "study")
    assert not list(tmp_path.iterdir())


def stock_of(cache: Path) -> Stock:
    from opsin.study import stock

    found = stock.load(cache)
    assert found is not None
    return found


def test_nets_that_look_otherwise_share_a_split(here: Any, tmp_path: Path) -> None:
    here()
    plan = Plan("t", "samples:shapes", base={"epochs": 1, "policy": "scratch"},
                picked=({"net": "lenet5", "size": 32}, {"net": "lenet5", "size": 40}),
                seeds=(0,))  # fmt: skip
    verbs.study(plan, out=tmp_path / "study")
    one, two = (
        checkpoint.load(tmp_path / "study" / "rows" / row.id / "outputs.safetensors")[0]
        for row in plan.rows()
    )
    for part in ("validation_index", "test_index"):
        assert torch.equal(one[part], two[part]) and len(one[part]) > 10


def test_numbers_are_studied_too(here: Any, tmp_path: Path) -> None:
    here()
    plan = Plan("t", "samples:discs", base={"net": "lenet5", "epochs": 1}, seeds=(0, 1))
    studied = verbs.study(plan, out=tmp_path / "study")
    assert studied.metric == "mae" and studied.sign == -1 and studied.cells()[0]["n"] == 2
    truths = checkpoint.load(tmp_path / "study" / "truths.safetensors")[0]["value"]
    for line in lines(tmp_path / "study").values():
        outputs = checkpoint.load(tmp_path / "study" / line["folder"] / "outputs.safetensors")[0]
        missed = (outputs["test"][:, 0] - truths[outputs["test_index"]]).abs().mean()
        assert float(missed) == pytest.approx(line["scores"]["test"], rel=1e-4)


def test_wrong_input_leaves_no_folder(here: Any, tmp_path: Path) -> None:
    here()
    for data in ("samples:digit", str(tmp_path / "absent")):
        with pytest.raises(InputError):
            verbs.study(Plan("t", data), out=tmp_path / "study")
        assert not (tmp_path / "study").exists()


def test_the_page_says_what_to_type(tmp_path: Path) -> None:
    plan = job.asked("mnist-augmentation", "laptop", "data/mnist", None)
    assert Plan.from_dict(plan.to_dict()).typed == plan.typed
    about = {"typed": list(plan.typed)}
    assert page._commands(Study(tmp_path / "out", about, {}, ())) == (
        f"opsin study mnist-augmentation --preset laptop --root data/mnist --out {tmp_path}/out",
        f"opsin study --resume --out {tmp_path}/out",
    )


def test_the_command_line_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in {
        (): "expected a TOML file",
        ("digits-augmentation",): "Add --out studies/NAME",
        ("--resume", "--out", str(tmp_path / "none")): "no study to go on with",
        ("digits-augmentation", "--out", "x", "--workers", "0"): "workers=0; expected 1 to",
    }.items():
        assert cli.run(["study", *words]) == 2
        assert said in capsys.readouterr().err
