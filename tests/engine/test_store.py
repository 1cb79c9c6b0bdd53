"""The folder of a run: decisions last, logs survive a kill at any byte, one process at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from opsin.engine.store import Sparing, Store
from opsin.errors import DataError, ModelError
from opsin.events import Advanced, Epoch, Finished, Note


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "run")


def test_a_decision_outlives_the_process_that_took_it(store: Store) -> None:
    assert store.once("epochs", lambda: 7) == 7
    assert Store(store.folder).once("epochs", lambda: 8) == 7
    store.note(spent=1.5)
    assert Store(store.folder).facts() == {"epochs": 7, "spent": 1.5}


def test_a_damaged_run_is_named(store: Store) -> None:
    store.note(spent=0.0)
    (store.folder / "run.json").write_text('{"spent": ')
    with pytest.raises(ModelError, match=r"run\.json"):
        store.facts()


def test_a_checkpoint_comes_back(store: Store) -> None:
    assert store.kept("upper") is None
    store.keep("upper", {"w": torch.arange(3.0)}, {"step": 2})
    kept = Store(store.folder).kept("upper")
    assert kept is not None
    assert torch.equal(kept[0]["w"], torch.arange(3.0))
    assert kept[1] == {"step": 2}


def test_steps_are_not_logged_and_the_rest_comes_back(store: Store) -> None:
    store.folder.mkdir()
    for event in (Note("größer"), Advanced("head"), Finished("head", 1.0, "good")):
        store.log(event)
    assert [line["event"] for line in store.logged()] == ["note", "finished"]
    assert store.logged()[0]["text"] == "größer"


def test_a_log_cut_at_any_byte_loses_one_line_and_is_gone_on_with(store: Store) -> None:
    store.folder.mkdir()
    path = store.folder / "events.jsonl"
    store.log(Note("first"))
    whole = len(path.read_bytes())
    store.log(Epoch("scratch", 1, 2, 3, 0.5, {"loss": 1.0, "größe": 2.0}))
    raw = path.read_bytes()
    for length in range(whole, len(raw)):
        path.write_bytes(raw[:length])
        kept = store.logged()
        assert [line["event"] for line in kept] in (["note"], ["note", "epoch"])
        store.log(Note("after"))
        assert store.logged() == [*kept, {"event": "note", "text": "after"}]


def test_a_second_process_is_kept_out(store: Store) -> None:
    with (
        store.locked(),
        pytest.raises(ModelError, match="another process"),
        Store(store.folder).locked(),
    ):
        pass
    with store.locked():  # free again
        pass


def test_a_folder_that_cannot_be_is_said_by_every_writer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "run")
    assert store.facts() == {}
    with pytest.raises(DataError):
        store.note(spent=0.0)
    with pytest.raises(DataError):
        store.log(Note("?"))
    with pytest.raises(DataError), store.locked():
        pass
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_run_that_never_learnt_is_forgotten_and_others_files_stay(store: Store) -> None:
    store.note(spent=0.0)
    store.forget()
    assert not store.folder.exists()
    store.note(spent=0.0)
    (store.folder / "mine.txt").write_text("keep")
    store.forget()
    assert [path.name for path in store.folder.iterdir()] == ["mine.txt"]
    store.note(spent=0.0)
    store.keep("scratch", {"w": torch.zeros(1)}, {})
    store.forget()
    assert json.loads((store.folder / "run.json").read_text()) == {"spent": 0.0}


def test_a_sparing_store_writes_nothing_before_a_checkpoint_is_due(tmp_path: Path) -> None:
    store = Sparing(tmp_path / "row", every=3600.0)
    assert store.once("epochs", lambda: 7) == store.once("epochs", lambda: 8) == 7
    store.note(curve=[[1, 0.5, 0.9]])
    store.keep("scratch", {"w": torch.zeros(1)}, {"step": 1})
    assert not store.folder.exists() and store.kept("scratch") is None


def test_a_sparing_store_keeps_decisions_with_its_checkpoint(tmp_path: Path) -> None:
    store = Sparing(tmp_path / "row", every=0.0)
    store.once("epochs", lambda: 7)
    store.note(curve=[[1, 0.5, 0.9]])
    store.keep("scratch", {"w": torch.arange(3.0)}, {"step": 1})
    again = Sparing(store.folder)
    assert again.facts() == {"epochs": 7, "curve": [[1, 0.5, 0.9]]}
    kept = again.kept("scratch")
    assert kept is not None and torch.equal(kept[0]["w"], torch.arange(3.0))
    again.clean()
    assert list(store.folder.iterdir()) == []


def test_a_run_that_is_done_leaves_nothing_half_written(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f".snapshot-1.safetensors.{ended.pid}.part"
    mine = tmp_path / f".report.html.{os.getpid()}.part"
    other = tmp_path / ".notes.part"
    for path in (dead, mine, other):
        path.touch()
    Store(tmp_path).clean()
    assert not dead.exists()
    assert mine.exists() and other.exists()
