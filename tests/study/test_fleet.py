"""Two Ray nodes on this machine, started here: the table of a study is that of one machine."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsin.errors import InputError

LONG = 400.0

PLAN = """
data = "samples:digits"
seeds = 5
[recipe]
net = "lenet5"
policy = "scratch"
epochs = 1
[grid]
augment = ["none", "rotate 10"]
"""

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed: pip install 'opsin[fleet]'",
)


@pytest.mark.parametrize("address", ["nowhere", "ray://host", "host:port", "host:70000x"])
def test_an_address_that_is_none(address: str) -> None:
    from opsin.study import fleet

    with pytest.raises(InputError, match="ray start --head"):
        fleet._must_answer(address)


def test_an_address_nobody_answers_says_how_to_start_a_cluster() -> None:
    from opsin.study import fleet

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(InputError, match=r"no answer from .*ray start --head"):
            fleet._must_answer(address)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from opsin.study import fleet

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'opsin\[fleet\]'"):
        fleet._connected("auto")


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Give a cluster of two nodes of one core each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        small = {"num_cpus": 1, "object_store_memory": 100 << 20}
        own = {"include_dashboard": False, "ray_client_server_port": port}
        found = Cluster(initialize_head=True, head_node_args=small | own)
        found.outside = f"ray://127.0.0.1:{port}"
        found.second = found.add_node(**small)
        found.wait_for_nodes()
        yield found
        found.shutdown()


def study(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "opsin", "study", *map(str, words), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    said, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, errors.decode()
    return dict(json.loads(said))


def numbers(said: dict[str, Any]) -> list[Any]:
    return [[cell["cell"], cell["mean"], cell["sd"], cell["n"]] for cell in said["cells"]]


def left(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.glob("rows/*/outputs.safetensors")
    }


@pytest.mark.learns
@needs_ray
def test_two_nodes_give_the_same_table_and_one_may_die(cluster: Any, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    here = finished(study(plan, "--out", tmp_path / "here"))
    there = finished(study(plan, "--out", tmp_path / "there", "--on", cluster.outside))
    assert numbers(there) == numbers(here) and there["done"] == 10
    assert left(tmp_path / "there") == left(tmp_path / "here")

    out = tmp_path / "hurt"
    process = study(plan, "--out", out, "--on", cluster.address)
    until = time.monotonic() + LONG
    while not (out / "rows.jsonl").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    cluster.remove_node(cluster.second, allow_graceful=False)
    hurt = finished(process)
    assert numbers(hurt) == numbers(here) and hurt["failed"] == 0
    assert left(out) == left(tmp_path / "here")
