"""A worker as a process of its own: ``python -m opsin.study.worker CACHE THREADS``.

A job a line comes in, JSON; what it tells and gives goes out the same way. It imports once and
works until its input ends, and ends with it even in the middle of a row: nobody would hear of it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

EVERY = 0.2  # seconds between two words on how far a row is


class Out:
    """Writes lines to whoever started us; steps are gathered for a while."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._steps, self._last = 0, 0.0

    def tell(self, said: dict[str, Any]) -> None:
        """Say something, now or a little later."""
        self._steps += said.pop("advanced", 0)
        now = time.monotonic()
        if said or now - self._last > EVERY:
            if self._steps:
                said = {"advanced": self._steps} | said
            self._steps, self._last = 0, now
            self.stream.write(json.dumps(said) + "\n")
            self.stream.flush()


def main(folder: Path, threads: int) -> None:
    """Work through jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who hands out work
    # What a library prints must not be taken for an answer.
    out = Out(os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    jobs: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen() -> None:
        for text in sys.stdin:
            jobs.put(json.loads(text))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    import torch

    from opsin.study import stock
    from opsin.study.work import Worker

    torch.set_num_threads(threads)
    found = stock.load(folder)
    if found is None:
        raise SystemExit(f"no pictures in {folder}")
    worker = Worker(found)
    out.tell({"ready": os.getpid()})
    while True:
        out.tell(worker.do(jobs.get(), out.tell))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
