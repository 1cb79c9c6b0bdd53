"""Rows are kept once and whole, whoever writes them and whatever ends the writing."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from opsin.errors import DataError, ModelError
from opsin.study.store import RowStore

FORKS = multiprocessing.get_context("fork")


def line(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "state": "done"} | more


def test_a_row_is_recorded_once(tmp_path: Path) -> None:
    one, other = RowStore(tmp_path), RowStore(tmp_path)
    assert one.record(line("a")) and one.record(line("b"))
    assert not other.record(line("a", seconds=2))
    assert list(other.rows()) == ["a", "b"] and "seconds" not in other.rows()["a"]


def test_what_others_write_is_seen(tmp_path: Path) -> None:
    one, other = RowStore(tmp_path), RowStore(tmp_path)
    for name in "abc":
        assert name not in other.rows()
        one.record(line(name))
        assert name in other.rows()


def test_a_line_cut_at_any_byte_is_done_again(tmp_path: Path) -> None:
    RowStore(tmp_path).record(line("first"))
    path = tmp_path / "rows.jsonl"
    whole = len(path.read_bytes())
    RowStore(tmp_path).record(line("größer"))
    raw = path.read_bytes()
    for length in range(whole, len(raw)):
        path.write_bytes(raw[:length])
        store = RowStore(tmp_path)
        assert list(store.rows()) == ["first"]
        assert store.record(line("größer")) and store.record(line("last"))
        assert list(RowStore(tmp_path).rows()) == ["first", "größer", "last"]


def test_a_disk_that_refuses_leaves_the_lines_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RowStore(tmp_path)
    store.record(line("a"))
    before = (tmp_path / "rows.jsonl").read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DataError, match="Free some disk space"):
            store.record(line("b"))
    assert (tmp_path / "rows.jsonl").read_bytes() == before
    assert store.record(line("b")) and list(RowStore(tmp_path).rows()) == ["a", "b"]


def test_a_claim_is_one_process_own(tmp_path: Path) -> None:
    one, other = RowStore(tmp_path), RowStore(tmp_path)
    claim, beside = one.claim("a"), other.claim("b")
    assert claim is not None and beside is not None and other.claim("a") is None
    beside.release()
    assert json.loads((tmp_path / "claims" / "a").read_text())["pid"] == os.getpid()
    claim.release()
    again = other.claim("a")
    assert again is not None
    other.record(line("a"))
    again.release()
    assert one.claim("a") is None  # it is done


def test_the_claim_of_a_killed_process_is_free(tmp_path: Path) -> None:
    def hold() -> None:
        claim = RowStore(tmp_path).claim("a")
        (tmp_path / "held").touch()
        time.sleep(60)
        assert claim is not None

    child = FORKS.Process(target=hold)
    child.start()
    while not (tmp_path / "held").exists():
        assert child.is_alive()
        time.sleep(0.01)
    assert RowStore(tmp_path).claim("a") is None
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    free = RowStore(tmp_path).claim("a")
    assert free is not None
    free.release()


def test_processes_that_scramble_for_rows_do_each_once(tmp_path: Path) -> None:
    names = [f"row{number}" for number in range(60)]

    def work(seed: int) -> None:
        store = RowStore(tmp_path)
        while len(store.rows()) < len(names):
            for name in names[seed:] + names[:seed]:
                if claim := store.claim(name):
                    with (tmp_path / "done").open("a") as stream:
                        stream.write(name + "\n")
                    store.record(line(name, by=seed))
                    claim.release()

    workers = [FORKS.Process(target=work, args=(20 * seed,)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert sorted((tmp_path / "done").read_text().split()) == sorted(names)
    raw = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert sorted(json.loads(text)["id"] for text in raw) == sorted(names)
    assert not list((tmp_path / "claims").iterdir())


def test_who_is_alone_tidies(tmp_path: Path) -> None:
    store, tidied = RowStore(tmp_path), []
    other = RowStore(tmp_path)
    with (
        store.working(lambda: tidied.append("first")),
        other.working(lambda: tidied.append("second")),
    ):
        pass
    with store.working(lambda: tidied.append("third")):
        pass
    assert tidied == ["first", "third"]


def test_lines_are_taken_out(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    for name in "abc":
        store.record(line(name))
    store.forget({"b"})
    assert list(store.rows()) == list(RowStore(tmp_path).rows()) == ["a", "c"]
    assert store.record(line("b"))


def test_a_damaged_study_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"name": ')
    with pytest.raises(ModelError, match=r"study\.json"):
        RowStore(tmp_path).facts()


def test_a_study_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    store = RowStore(tmp_path / "new")
    with store.working(lambda: None), store.alone("study"):
        (store.folder / "cache").mkdir()
    store.forget_all()
    assert not store.folder.exists()
    kept = RowStore(tmp_path / "old")
    kept.note(name="t")
    kept.forget_all()
    assert kept.facts() == {"name": "t"}
