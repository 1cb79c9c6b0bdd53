"""Several runs become one model file that is used like any other, and says what it adds."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from opsin import cli, nets, verbs
from opsin.committee import Committee
from opsin.data.dataset import Dataset
from opsin.engine import checkpoint
from opsin.ensemble.joined import Joined
from opsin.errors import DataError, InputError, ModelError, OpsinError
from opsin.events import Event, Note
from opsin.model import Model

DIGITS = "samples:digits"
Run = Callable[..., Path]


def join(runs: list[Path], out: Path, **settings: Any) -> tuple[Joined, str]:
    """Return what the verb answers, and the notes it told on the way."""
    told: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Note):
            told.append(event.text)

    return verbs.ensemble([*map(str, runs)], out=out, watch=watch, **settings), "\n".join(told)


def said(model: Model, data: Dataset) -> np.ndarray:
    """Return the probabilities (N, K) a model gives to pictures."""
    found = model.predict([sample.image for sample in data.samples])
    return np.array([[*each.result.scores.values()] for each in found if each.result])


@pytest.fixture(scope="module")
def held() -> Dataset:
    return Dataset.read(DIGITS).split("test")


@pytest.fixture(scope="module")
def joined(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Joined]:
    """Give what each way of voting made of the three runs."""
    folder = tmp_path_factory.mktemp("joined")
    votes = ("mean", "weighted", "majority")
    return {vote: join(runs, folder / f"{vote}.safetensors", vote=vote)[0] for vote in votes}


def by_hand(vote: str, each: np.ndarray, votes: list[float]) -> np.ndarray:
    """Combine what members said, (M, N, K), by numpy alone."""
    weights = np.array(votes) / sum(votes)
    mean = np.einsum("m,mnk->nk", weights, each)
    if vote != "majority":
        return mean
    ballots = np.zeros_like(mean)
    for member, count in zip(each, votes, strict=True):
        ballots[np.arange(len(mean)), member.argmax(1)] += count
    return (ballots + mean) / (sum(votes) + 1)


@pytest.mark.parametrize("vote", ["mean", "weighted", "majority"])
def test_it_says_what_its_members_say_combined_by_hand(
    joined: dict[str, Joined], runs: list[Path], held: Dataset, vote: str
) -> None:
    model = joined[vote].model
    assert model.path is not None
    model = Model.load(model.path)
    names = [seat.name for seat in joined[vote].seats]
    members = [Model.load(run) for run in runs if str(run) in names]
    each = np.array([said(member, held) for member in members])
    wanted = by_hand(vote, each, [seat.votes for seat in joined[vote].seats])
    np.testing.assert_allclose(said(model, held), wanted, atol=1e-6)


@pytest.mark.parametrize("vote", ["mean", "weighted", "majority"])
def test_the_verbs_take_it_as_they_take_any_model(
    joined: dict[str, Joined], held: Dataset, vote: str
) -> None:
    path = joined[vote].model.path
    assert path is not None
    measured = verbs.evaluate(path, DIGITS)
    told = joined[vote].judged["test"].measures.metrics["accuracy"]
    assert measured.metrics["accuracy"] == told
    assert joined[vote].model.about["metrics"]["accuracy"]["value"] == told.value
    model = Model.load(path)
    pixels = [sample.image for sample in held.samples[:40]]
    together = [each.to_dict()["scores"] for each in model.predict(pixels)]
    alone = [model.predict(pixel)[0].to_dict()["scores"] for pixel in pixels[::7]]
    assert alone == together[::7]
    assert [each.to_dict()["label"] for each in model.predict(pixels)] == [
        max(scores, key=lambda name: scores[name]) for scores in together
    ]
    again = Model.load(model.save(path.with_name("copy.safetensors")))
    assert [each.to_dict()["scores"] for each in again.predict(pixels)] == together
    assert "lenet5" in repr(model) and "lenet5" in model._repr_html_()


def test_it_is_better_than_its_members_and_says_by_how_much(joined: dict[str, Joined]) -> None:
    one = joined["mean"]
    judged = one.judged["test"]
    scores = [seat.scores["test"].value for seat in one.seats]
    named = {seat.name: seat.scores for seat in one.seats}
    best = named[one.best]["test"].value
    assert named[one.best]["validation"].value == max(
        seat.scores["validation"].value for seat in one.seats
    )
    ours = judged.measures.metrics["accuracy"].value
    assert ours > np.mean(scores)
    assert judged.lead.value == pytest.approx(ours - best)
    assert judged.lead.low <= judged.lead.value <= judged.lead.high
    assert 0 < judged.diversity.intervals["disagreement"].value < 1
    text = "\n".join(one.notes())
    assert "On 359 test pictures, all together are" in text and "kappa" in text
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["members"][0]["seed"] == 0


def test_the_file_names_its_members(joined: dict[str, Joined], runs: list[Path]) -> None:
    path = joined["weighted"].model.path
    assert path is not None
    header = checkpoint.read_header(path)
    assert header["net"] == f"{len(header['about']['members'])} × lenet5"
    for each, run in zip(joined["mean"].model.about["members"], runs, strict=True):
        model = Model.load(run)
        assert each["name"] == str(run) and each["recipe"] == model.recipe.to_dict()
        assert each["sha256"] == checkpoint.digest(model.net.state_dict())
    votes = header["committee"]["votes"]
    assert sum(votes) == pytest.approx(1) and min(votes) > 0
    assert header["recipe"]["split"] == 0 and header["recipe"]["seed"] == 0


def test_learnt_weights_lose_least_on_validation(joined: dict[str, Joined]) -> None:
    loss = {
        vote: each.judged["validation"].measures.metrics["log_loss"].value
        for vote, each in joined.items()
    }
    assert loss["weighted"] <= loss["mean"]


def test_nets_lists_all_layers_of_all_members(joined: dict[str, Joined]) -> None:
    path = joined["mean"].model.path
    assert path is not None
    one = nets.described("lenet5", classes=10, size=(28, 28), channels=1)
    told = verbs.nets(str(path)).to_dict()
    assert told["parameters"] == 3 * one.parameters
    with pytest.raises(InputError, match="made of 3"):
        verbs.nets(str(path), classes=5)


def test_nets_of_two_kinds_and_other_normalisations_go_together(
    runs: list[Path], make_run: Run, held: Dataset, tmp_path: Path
) -> None:
    from opsin.data.preprocess import Preprocessing

    own = Preprocessing((28, 28), crop=1.0, interpolation="bilinear", mean=(0.1,), std=(0.9,))
    other = make_run(tmp_path / "other", 4, net="network3", pre=own)
    model = join([runs[0], other], tmp_path / "two.safetensors")[0].model
    assert model.net_name == "lenet5 + network3"
    each = np.array([said(Model.load(run), held) for run in (runs[0], other)])
    assert model.path is not None
    np.testing.assert_allclose(said(Model.load(model.path), held), each.mean(0), atol=1e-6)


def test_a_selection_counts_its_members(runs: list[Path], tmp_path: Path) -> None:
    one, _ = join(runs, tmp_path / "a.safetensors", select="greedy", size=7)
    assert sum(seat.votes for seat in one.seats) == 7
    best, _ = join(runs, tmp_path / "b.safetensors", select="best", size=2, vote="majority")
    assert len(best.seats) == 2
    every = join(runs, tmp_path / "c.safetensors")[0]
    worst = min(every.seats, key=lambda seat: seat.scores["validation"].value)
    assert worst.name not in {seat.name for seat in best.seats}


def test_given_data_is_what_is_reported_on(runs: list[Path], photos: Path, tmp_path: Path) -> None:
    files = [run / "model.safetensors" for run in runs]
    for number, file in enumerate(files):
        (tmp_path / str(number)).mkdir()
        files[number] = Path(shutil.copy(file, tmp_path / str(number)))
    with pytest.raises(ModelError, match=r"without the record.*--data"):
        join(files, tmp_path / "a.safetensors")
    one, told = join(files, tmp_path / "a.safetensors", data=DIGITS, vote="weighted")
    assert set(one.judged) == {"test"} and "chosen on the very pictures" in told
    assert one.judged["test"].lead.n == 359
    both, _ = join(runs, tmp_path / "a.safetensors", data=DIGITS)
    assert set(both.judged) == {"validation", "test"}
    with pytest.raises(DataError, match="classes"):
        join(files, tmp_path / "a.safetensors", data=photos)


# ── bad input ───────────────────────────────────────────────────────────────────────────────────


def changed(run: Path, out: Path, **changes: Any) -> Path:
    """Write a copy of a run whose model differs in some fields, or whose record does."""
    out.mkdir()
    facts = json.loads((run / "run.json").read_text()) | changes.pop("facts", {})
    (out / "run.json").write_text(json.dumps(facts))
    replace(Model.load(run), **changes).save(out / "model.safetensors")
    return out


def test_other_classes_are_named(runs: list[Path], tmp_path: Path) -> None:
    model = Model.load(runs[0])
    names = tuple("0123456789".replace("9", "x"))
    task = type(model.task).restore(names, model.task.state)
    other = changed(runs[0], tmp_path / "other", task=task)
    with pytest.raises(ModelError, match=r"other with the classes x, which .* lacks and not 9"):
        join([runs[0], other], tmp_path / "a.safetensors")


def test_classes_in_another_order_are_put_in_order(
    runs: list[Path], held: Dataset, tmp_path: Path
) -> None:
    model = Model.load(runs[1])
    order = [3, 0, 1, 2, 9, 8, 7, 6, 5, 4]
    head = nets.head(model.net)
    with torch.no_grad():
        head.weight.copy_(head.weight[order])
        head.bias.copy_(head.bias[order])
    task = type(model.task).restore(tuple(str(n) for n in order), model.task.state)
    turned = changed(runs[1], tmp_path / "turned", task=task, net=model.net)
    one, told = join([runs[0], turned], tmp_path / "a.safetensors")
    assert "another order" in told and one.model.classes == tuple("0123456789")
    each = np.array([said(Model.load(run), held) for run in runs[:2]])
    np.testing.assert_allclose(said(one.model, held), each.mean(0), atol=1e-6)


def test_another_frame_is_refused_with_its_reason(
    runs: list[Path], make_run: Run, tmp_path: Path
) -> None:
    pre = replace(Model.load(runs[0]).preprocessing, size=(32, 32))
    large = make_run(tmp_path / "large", 5, pre=pre)
    with pytest.raises(
        ModelError, match=r"large.* size 32×32; expected the size 28×28.*made ready"
    ):
        join([runs[0], large], tmp_path / "a.safetensors")


def test_runs_that_held_out_other_pictures_are_refused(
    runs: list[Path], make_run: Run, tmp_path: Path
) -> None:
    other = make_run(tmp_path / "other", 1, split=7)
    with pytest.raises(ModelError, match=r"other pictures.*seed of the split 7 against 0.*--split"):
        join([runs[0], other], tmp_path / "a.safetensors")
    one, told = join([runs[0], other], tmp_path / "a.safetensors", data=DIGITS)
    assert "does not serve" in told and set(one.judged) == {"test"}


def test_another_task_is_refused(runs: list[Path], tmp_path: Path) -> None:
    from opsin.tasks.regress import Regress

    model = Model.load(runs[0])
    net = nets.build("lenet5", outputs=1, channels=1, size=(28, 28))
    task = Regress({"centre": 0.0, "scale": 1.0})
    other = changed(runs[0], tmp_path / "other", task=task, net=net)
    assert model.classes
    with pytest.raises(ModelError, match="task regress; expected the task classify"):
        join([runs[0], other], tmp_path / "a.safetensors")


def test_unfinished_runs_twins_and_lonely_models(runs: list[Path], tmp_path: Path) -> None:
    open_run = changed(runs[0], tmp_path / "open", facts={"done": False})
    with pytest.raises(ModelError, match=r"not finished.*--resume"):
        join([runs[0], open_run], tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="1 model;"):
        join([runs[0]], tmp_path / "a.safetensors")
    _, told = join([runs[0], runs[0], runs[1]], tmp_path / "a.safetensors")
    assert "same weights" in told
    with pytest.raises(ModelError, match="made of several"):
        join([runs[0], tmp_path / "a.safetensors"], tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match="no snapshots"):
        join([runs[0]], tmp_path / "a.safetensors", snapshots=True)


def test_where_to_write_is_checked_first(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder"):
        join(runs, tmp_path)
    with pytest.raises(InputError, match="no out"):
        verbs.ensemble([str(run) for run in runs])
    file = runs[0] / "model.safetensors"
    with pytest.raises(ModelError, match="made from"):
        join([file, runs[1]], file)
    with pytest.raises(ModelError, match="made from"):
        join(runs, file)  # the same, by the folder of its run


def test_a_full_disk_leaves_no_file(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        join(runs, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        {"vote": "meen"}, {"select": "all of them"}, {"size": 0}, {"root": "somewhere"},
        {"vote": "weights", "select": "best"}, {"data": "/nowhere"},
    ],
)  # fmt: skip
def test_wrong_words_are_refused(
    runs: list[Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    with pytest.raises(OpsinError) as caught:
        join(runs, tmp_path / "a.safetensors", **settings)
    assert caught.value.exit_code == 2 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        {"votes": [1, 1]}, {"votes": [-1, 1, 1]}, {"votes": [0, 0, 0]}, {"vote": "pickle"},
        {"members": []}, {"members": [{}, {}, {}]}, {"votes": [float("nan")] * 3},
    ],
)  # fmt: skip
def test_a_damaged_committee_is_refused(
    joined: dict[str, Joined], tmp_path: Path, damage: dict[str, Any]
) -> None:
    path = joined["mean"].model.path
    assert path is not None
    tensors, header = checkpoint.load(path)
    header["committee"] |= damage
    checkpoint.save(tmp_path / "bad.safetensors", tensors, header)
    with pytest.raises(ModelError):
        Model.load(tmp_path / "bad.safetensors")


def test_the_command_prints_a_table_and_json(
    capsys: pytest.CaptureFixture[str], runs: list[Path], tmp_path: Path
) -> None:
    words = ["ensemble", *map(str, runs), "--out", str(tmp_path / "a.safetensors")]
    assert cli.run(words) == 0
    text = capsys.readouterr().out
    assert "all together" in text and "test accuracy" in text
    assert cli.run([*words, "--json", "--vote", "majority"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"model", "members", "metrics", "parts", "best", "vote"} <= set(told)
    assert set(told["parts"]) == {"validation", "test"}
    assert cli.run([*words, "--vote", "meen"]) == 2
    assert "Did you mean mean?" in capsys.readouterr().err


def test_a_committee_is_only_what_runs(joined: dict[str, Joined]) -> None:
    net = joined["mean"].model.net
    assert isinstance(net, Committee) and not net.counted
    assert not net.training and not any(part.training for part in net.modules())
