"""A Ray cluster that works on the rows of a study: ``--on ray://HOST:PORT``, ``HOST:PORT``, auto.

The cluster exists already; its machines have Opsin installed. Pictures go through Ray's object
store once, where they take less than a gigabyte; else the workers read them from the folder of the
study, which then has to lie on a disc they all see. What a row leaves comes back as bytes and is
written here, so that a study looks the same wherever it was trained.
"""

from __future__ import annotations

import importlib
import socket
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from opsin import __version__
from opsin.errors import InputError
from opsin.files import replacing
from opsin.study import stock as stocks
from opsin.study.hands import Job, Said
from opsin.study.stock import Stock
from opsin.study.work import Worker

SHIPPED = 1 << 30  # bytes of pictures that go through the object store
PATIENCE = 5.0  # seconds until nobody answers
ON_A_GPU = 4  # workers that share one: nets of a study are small
HOW = (
    "Start one with `ray start --head` (and `ray start --address=HOST:6379` on other machines), "
    "then give --on HOST:6379, or ray://HOST:10001 from outside."
)


class RemoteWorker:
    """Is a worker on some machine of the cluster; Ray makes an actor of it."""

    def __init__(self, shipped: Any) -> None:
        self.shipped = shipped
        self._worker: Worker | None = None

    def hello(self) -> dict[str, str]:
        """Make ready; return who and what this is."""
        # Shared memory is read-only, and torch warns of what it would do to those who write.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        torch.set_num_threads(1)
        self._worker = Worker(_received(self.shipped))
        return {"worker": socket.gethostname(), "opsin": __version__}

    def do(self, job: Job) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return what a job gives, and the files it left."""
        assert self._worker is not None
        with tempfile.TemporaryDirectory(prefix="opsin-row-") as folder:
            said = self._worker.do(job | {"folder": folder}, lambda _: None)
            files = {path.name: path.read_bytes() for path in Path(folder).glob("*.safetensors")}
        return said | {"worker": socket.gethostname()}, files


@dataclass(eq=False)
class _Remote:
    """Is one worker of the cluster and what it is asked."""

    actor: Any
    asked: Any  # the reference to its answer, None while it is idle
    job: Job | None = None
    ready: bool = False


@dataclass(eq=False)
class Fleet:
    """Runs rows on the Ray cluster at ``address``, ``many`` at a time; 0 for as many as it can."""

    address: str
    cache: Path
    stock: Stock
    many: int
    _workers: list[_Remote] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ray = _connected(self.address)
        able = self.ray.cluster_resources()
        cores, gpus = int(able.get("CPU", 0)), int(able.get("GPU", 0))
        most = min(cores, ON_A_GPU * gpus) if gpus else cores
        if most < 1:
            raise InputError(f"a cluster at {self.address} without a core", expected="some")
        self.many = min(most, self.many or most)
        self.room = {"num_cpus": 1, "num_gpus": 1 / ON_A_GPU if gpus else 0}
        self.shipped = self._ship()
        for _ in range(self.many):
            self._start()

    @property
    def where(self) -> str:
        """Return what a person calls the place where they work."""
        return f"the cluster at {self.address}"

    def _ship(self) -> Any:
        """Return what a worker gets of the pictures: all of them, or where they lie."""
        if self.stock.bytes >= SHIPPED:
            return str(self.cache.resolve())
        plain = {frame: np.asarray(pixels) for frame, pixels in self.stock.pixels.items()}
        return self.ray.put(replace(self.stock, pixels=plain))

    def _start(self) -> None:
        made = self.ray.remote(RemoteWorker).options(max_restarts=0, **self.room)
        actor = made.remote([self.shipped])
        self._workers.append(_Remote(actor, actor.hello.remote()))

    def idle(self) -> int:
        """Return how many workers are ready and have nothing to do."""
        return sum(worker.ready and worker.job is None for worker in self._workers)

    def give(self, job: Job) -> None:
        """Hand a job to an idle worker."""
        worker = next(w for w in self._workers if w.ready and w.job is None)
        worker.job, worker.asked = job, worker.actor.do.remote(job)

    def hear(self, seconds: float) -> list[Said]:
        """Return what became of jobs within some seconds; a dead worker is replaced."""
        asked = {worker.asked: worker for worker in self._workers if worker.asked is not None}
        done, _ = self.ray.wait(list(asked), num_returns=len(asked), timeout=seconds)
        found: list[Said] = []
        for reference in done:
            found += self._heard(asked[reference], reference)
        return found

    def _heard(self, worker: _Remote, reference: Any) -> list[Said]:
        job, worker.asked, worker.job = worker.job, None, None
        try:
            answer = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self._workers.remove(worker)
            self._start()
            why = " ".join(str(error).split())[:300]
            return [(job["id"], {"died": f"the worker died: {why}"})] if job else []
        if job is None:
            worker.ready = True
            if answer["opsin"] != __version__:
                raise InputError(
                    f"opsin {answer['opsin']} on {answer['worker']}",
                    expected=f"{__version__}, as here",
                    remedy="Install the same version on all machines.",
                )
            return []
        said, files = answer
        folder = Path(job["folder"])
        for name, raw in files.items():
            with replacing(folder / name) as beside:
                beside.write_bytes(raw)
        return [(job["id"], said)]

    def close(self) -> None:
        """Send everybody home and leave the cluster as it was."""
        for worker in self._workers:
            self.ray.kill(worker.actor)
        self._workers.clear()
        self.ray.shutdown()


def _received(shipped: Any) -> Stock:
    """Return the pictures a worker was sent, or those in the folder it was told of."""
    (what,) = shipped
    if isinstance(what, str):
        found = stocks.load(Path(what))
        if found is None:
            raise InputError(
                f"{what}, where {socket.gethostname()} finds no pictures",
                expected="a folder that all machines see",
                remedy="Choose an --out on shared storage.",
            )
        return found
    stock: Stock = importlib.import_module("ray").get(what)
    return stock


def _connected(address: str) -> Any:
    """Return Ray, connected to a cluster; raise ``InputError`` where nobody answers."""
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise InputError(
            f"--on {address} without Ray", expected="Ray", remedy="pip install 'opsin[fleet]'"
        ) from error
    _must_answer(address)
    try:
        ray.init(address, logging_level="ERROR", log_to_driver=False, namespace="opsin")
    except Exception as error:  # Ray has many words for a cluster it cannot use
        why = " ".join(str(error).split())[:200]
        raise InputError(
            f"no Ray cluster at {address} ({why})", expected="one that is up", remedy=HOW
        ) from error
    return ray


def _must_answer(address: str) -> None:
    """Raise ``InputError`` where nobody listens at an address, before Ray waits for minutes."""
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise InputError(
            f"--on {address}", expected="ray://HOST:PORT, HOST:PORT or auto", remedy=HOW
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"no answer from {address} ({error})", expected="a Ray cluster", remedy=HOW
        ) from error
